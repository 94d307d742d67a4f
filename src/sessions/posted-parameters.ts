import { Inject, Injectable } from '@nestjs/common';
import { IsNull, MoreThan } from 'typeorm';
import { Clock } from '../common/clock.js';
import { digest, Randomness } from '../common/random.js';
import { Secret } from '../common/secret.js';
import { ExpiredRows, UnitOfWork } from '../database/index.js';
import { EncryptedTables, Envelopes } from '../encryption/index.js';
import { PostedParametersEntity } from './posted-parameters.entity.js';

const TABLE = 'posted_parameters';
const COLUMN = 'parameters';
const LIFETIME_MS = 5 * 60_000;

/**
 * What other sites posted here. A browser sends no cookie along with such a POST (SameSite=Lax), and one that came all
 * the same would prove nothing: the parameters wait until the browser comes back for them with a GET, and there its
 * cookie is checked. A handle opens them once, for what they were posted for.
 */
@Injectable()
export class PostedParameters {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(EncryptedTables) encryptedTables: EncryptedTables,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    encryptedTables.register(PostedParametersEntity);
    expiredRows.register(PostedParametersEntity);
  }

  /** Answers the handle, which is good for five minutes. */
  async keep(purpose: string, parameters: ReadonlyMap<string, string>): Promise<string> {
    const handle = this.randomness.token();
    const id = digest(handle);
    const envelope = this.envelopes.create({ table: TABLE, id });
    await this.#rows.insert({
      digest: id,
      purpose,
      parameters: envelope.seal(COLUMN, new Secret(JSON.stringify([...parameters]))),
      ...envelope.wrapped,
      expiresAt: this.clock.now() + LIFETIME_MS,
      consumedAt: null,
    });
    return handle;
  }

  /** The parameters, once; nothing for a handle that is unknown, expired, spent, or was given for another purpose. */
  async take(purpose: string, handle: string): Promise<ReadonlyMap<string, string> | undefined> {
    const id = digest(handle);
    const now = this.clock.now();
    const { affected } = await this.#rows.update(
      { digest: id, purpose, consumedAt: IsNull(), expiresAt: MoreThan(now) },
      { consumedAt: now },
    );
    if (affected !== 1) return undefined;
    const row = await this.#rows.findOneByOrFail({ digest: id });
    const text = this.envelopes.open({ table: TABLE, id }, row).unseal(COLUMN, row.parameters);
    return new Map(JSON.parse(text.reveal()) as [string, string][]);
  }

  get #rows() {
    return this.unitOfWork.repository(PostedParametersEntity);
  }
}
