import { Inject, Injectable } from '@nestjs/common';
import { MoreThan } from 'typeorm';
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
    expiredRows.register(PostedParametersEntity, { keptMs: 0 });
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
    });
    return handle;
  }

  /** The parameters, once: then they are gone. Nothing for a handle that is unknown, expired, or of another purpose. */
  async take(purpose: string, handle: string): Promise<ReadonlyMap<string, string> | undefined> {
    const id = digest(handle);
    const row = await this.#rows.findOneBy({ digest: id, purpose, expiresAt: MoreThan(this.clock.now()) });
    if (!row || (await this.#rows.delete({ digest: id })).affected !== 1) return undefined;
    const text = this.envelopes.open({ table: TABLE, id }, row).unseal(COLUMN, row.parameters);
    return new Map(JSON.parse(text.reveal()) as [string, string][]);
  }

  get #rows() {
    return this.unitOfWork.repository(PostedParametersEntity);
  }
}
