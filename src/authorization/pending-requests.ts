import { Inject, Injectable } from '@nestjs/common';
import { IsNull, MoreThan } from 'typeorm';
import { Clock } from '../common/clock.js';
import { digest, Randomness } from '../common/random.js';
import { Secret } from '../common/secret.js';
import { ExpiredRows, UnitOfWork } from '../database/index.js';
import { EncryptedTables, Envelopes } from '../encryption/index.js';
import { AuthorizationRequestEntity } from './authorization.entities.js';
import type { AuthorizationRequest } from './authorization-request.js';

const TABLE = 'authorization_requests';
const COLUMN = 'parameters';
const LIFETIME_MS = 10 * 60_000;

export interface PendingRequest {
  request: AuthorizationRequest;
  createdAt: number;
}

/** Authorization requests while their user signs in and consents, bound to the browser that brought them. */
@Injectable()
export class PendingRequests {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(EncryptedTables) encryptedTables: EncryptedTables,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    encryptedTables.register(AuthorizationRequestEntity);
    expiredRows.register(AuthorizationRequestEntity);
  }

  /** Answers the handle under which the request goes on. */
  async keep(request: AuthorizationRequest, browser: Secret): Promise<string> {
    const handle = this.randomness.token();
    const id = digest(handle);
    const envelope = this.envelopes.create({ table: TABLE, id });
    const now = this.clock.now();
    await this.#rows.insert({
      digest: id,
      browserDigest: digest(browser.reveal()),
      parameters: envelope.seal(COLUMN, new Secret(JSON.stringify(request))),
      ...envelope.wrapped,
      createdAt: now,
      expiresAt: now + LIFETIME_MS,
      consumedAt: null,
    });
    return handle;
  }

  async find(handle: string, browser: Secret): Promise<PendingRequest | undefined> {
    const row = await this.#rows.findOneBy(this.#live(handle, browser));
    if (!row) return undefined;
    const text = this.envelopes.open({ table: TABLE, id: row.digest }, row).unseal(COLUMN, row.parameters);
    return { request: JSON.parse(text.reveal()) as AuthorizationRequest, createdAt: row.createdAt };
  }

  /** Spends the request, when its code or error is issued; once. */
  async consume(handle: string, browser: Secret): Promise<boolean> {
    const { affected } = await this.#rows.update(this.#live(handle, browser), { consumedAt: this.clock.now() });
    return affected === 1;
  }

  #live(handle: string, browser: Secret) {
    return {
      digest: digest(handle),
      browserDigest: digest(browser.reveal()),
      consumedAt: IsNull(),
      expiresAt: MoreThan(this.clock.now()),
    };
  }

  get #rows() {
    return this.unitOfWork.repository(AuthorizationRequestEntity);
  }
}
