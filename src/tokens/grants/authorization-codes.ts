import { Inject, Injectable } from '@nestjs/common';
import { IsNull, MoreThan } from 'typeorm';
import { Clock } from '../../common/clock.js';
import { digest, Randomness } from '../../common/random.js';
import { Secret } from '../../common/secret.js';
import { Configuration } from '../../config/index.js';
import { ExpiredRows, UnitOfWork } from '../../database/index.js';
import { AuthorizationCodeEntity } from './grant.entities.js';
import { GrantsRepository, type NewGrant } from './grants.repository.js';

export interface AuthorizationCode {
  grantId: string;
  clientId: string;
  redirectUri: string;
  codeChallenge: string | undefined;
  nonce: string | undefined;
  expiresAt: number;
  consumed: boolean;
}

export interface CodeRequest {
  grant: NewGrant;
  redirectUri: string;
  codeChallenge: string | undefined;
  nonce: string | undefined;
}

/** Authorization codes: stored as digests, valid for at most a minute, redeemed once. @see RFC 6749 section 4.1.2 */
@Injectable()
export class AuthorizationCodes {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(GrantsRepository) private readonly grants: GrantsRepository,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    expiredRows.register(AuthorizationCodeEntity);
  }

  /** Records what the user allowed and issues the code for it; part of the caller's unit of work. */
  async issue(request: CodeRequest): Promise<Secret> {
    const code = this.randomness.token();
    const now = this.clock.now();
    await this.unitOfWork.run(async () => {
      const grant = await this.grants.create(request.grant);
      await this.#rows.insert({
        digest: digest(code),
        grantId: grant.id,
        clientId: grant.clientId,
        redirectUri: request.redirectUri,
        codeChallenge: request.codeChallenge ?? null,
        nonce: request.nonce ?? null,
        createdAt: now,
        expiresAt: now + this.configuration.environment.AUTHORIZATION_CODE_TTL * 1000,
        consumedAt: null,
      });
    });
    return new Secret(code);
  }

  async find(code: Secret): Promise<AuthorizationCode | undefined> {
    const row = await this.#rows.findOneBy({ digest: digest(code.reveal()) });
    if (!row) return undefined;
    return {
      grantId: row.grantId,
      clientId: row.clientId,
      redirectUri: row.redirectUri,
      codeChallenge: row.codeChallenge ?? undefined,
      nonce: row.nonce ?? undefined,
      expiresAt: row.expiresAt,
      consumed: row.consumedAt !== null,
    };
  }

  /** Redeems the code; false for all but one of any number of callers, and after expiry. */
  async consume(code: Secret): Promise<boolean> {
    const now = this.clock.now();
    const { affected } = await this.#rows.update(
      { digest: digest(code.reveal()), consumedAt: IsNull(), expiresAt: MoreThan(now) },
      { consumedAt: now },
    );
    return affected === 1;
  }

  /** Keeps a used code for as long as what it gave lives, or its reuse would go unseen. Part of the caller's unit of work. */
  async keepUntil(code: Secret, endsAt: number): Promise<void> {
    await this.#rows.update({ digest: digest(code.reveal()) }, { expiresAt: endsAt });
  }

  get #rows() {
    return this.unitOfWork.repository(AuthorizationCodeEntity);
  }
}
