import { Inject, Injectable } from '@nestjs/common';
import { IsNull, MoreThan } from 'typeorm';
import { Clock } from '../../common/clock.js';
import { digest } from '../../common/random.js';
import type { Secret } from '../../common/secret.js';
import { ExpiredRows, UnitOfWork } from '../../database/index.js';
import type { AccessTokenClaims } from './access-token-claims.js';
import { AccessTokenEntity } from './access-token.entity.js';

/** Replicas agree on the time, but for a moment. */
const KEPT_MS = 60_000;

/** What the database knows of access tokens: opaque ones, and which ones were revoked. */
@Injectable()
export class AccessTokenRecords {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    expiredRows.register(AccessTokenEntity, { keptMs: KEPT_MS });
  }

  /** Keeps what an opaque token stands for; part of the caller's unit of work. */
  async keep(token: Secret, claims: AccessTokenClaims): Promise<void> {
    await this.#rows.insert({
      ...toRow(claims),
      digest: digest(token.reveal()),
      claims: { ...claims },
      revokedAt: null,
    });
  }

  /** What an opaque token stands for until it expires. */
  async find(token: Secret): Promise<{ claims: AccessTokenClaims; revoked: boolean } | undefined> {
    const row = await this.#rows.findOneBy({ digest: digest(token.reveal()), expiresAt: MoreThan(this.clock.now()) });
    return row ? { claims: row.claims as unknown as AccessTokenClaims, revoked: row.revokedAt !== null } : undefined;
  }

  async isRevoked({ jti }: AccessTokenClaims): Promise<boolean> {
    return this.#rows.existsBy({ id: jti, revokedAt: MoreThan(0) });
  }

  /** Ends this one token, whatever its format; false where that was done before. */
  async revoke(claims: AccessTokenClaims): Promise<boolean> {
    const revokedAt = this.clock.now();
    const row = { ...toRow(claims), digest: null, claims: null, revokedAt };
    if (await this.unitOfWork.insertOnce(AccessTokenEntity, row)) return true;
    const { affected } = await this.#rows.update({ id: claims.jti, revokedAt: IsNull() }, { revokedAt });
    return affected === 1;
  }

  get #rows() {
    return this.unitOfWork.repository(AccessTokenEntity);
  }
}

function toRow({ jti, client_id: clientId, grant_id: grantId, exp }: AccessTokenClaims) {
  return { id: jti, clientId, grantId: grantId ?? null, expiresAt: exp * 1000 };
}
