import { Inject, Injectable, Logger } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { UnitOfWork } from '../database/index.js';
import { Jobs, type JobState } from '../jobs/index.js';
import { EncryptedTables } from './encrypted-tables.js';
import { Envelopes } from './envelopes.js';

const JOB = 'rewrap';

/** A key-encryption key, without its value. */
export interface EncryptionKeyUse {
  id: string;
  /** Whether it wraps what is written now. */
  current: boolean;
  /** Whether this process has it. */
  configured: boolean;
  /** Whether nothing needs it any more: it may be taken out of ENCRYPTION_KEYS. */
  removable: boolean;
  /** How many rows of which tables it wraps. */
  rows: Readonly<Record<string, number>>;
}

export interface RewrappingState extends JobState {
  /** How many rows have another key than the current one of this process. */
  remaining: number;
}

/** Moves all rows to the current key, online, so that older ones can be taken away. */
@Injectable()
export class Rewrapping {
  readonly #logger = new Logger('Rewrapping');

  constructor(
    @Inject(EncryptedTables) private readonly tables: EncryptedTables,
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(Jobs) private readonly jobs: Jobs,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
  ) {
    jobs.register(JOB, { run: (signal) => this.#run(signal) });
  }

  /** One replica begins soon; where one is at it already, it walks all rows once more. */
  async request(): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.jobs.request(JOB);
      await this.audit.record({ event: 'encryption-keys.rewrapped', outcome: 'success', reason: 'requested' });
    });
  }

  async report(): Promise<{ keys: EncryptionKeyUse[]; rewrapping: RewrappingState }> {
    const { keyIds, currentKeyId } = this.envelopes;
    const rowsByKey = await this.tables.rowsByKey();
    const keys = [...new Set([...keyIds, ...rowsByKey.keys()])].map((id): EncryptionKeyUse => {
      const [current, configured, rows] = [id === currentKeyId, keyIds.includes(id), rowsByKey.get(id)];
      return { id, current, configured, removable: configured && !current && rows === undefined, rows: rows ?? {} };
    });
    const remaining = keys
      .filter(({ current }) => !current)
      .flatMap(({ rows }) => Object.values(rows))
      .reduce((sum, rows) => sum + rows, 0);
    return { keys, rewrapping: { ...(await this.jobs.state(JOB)), remaining } };
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { rewrapped, unreadable } = await this.tables.rewrap(signal);
    this.#logger.log({ rewrapped, unreadable, ended: !signal.aborted }, 'data keys were wrapped anew');
    // Somebody else goes on, and says so at the end.
    if (signal.aborted) return;
    await this.audit.record({
      event: 'encryption-keys.rewrapped',
      outcome: unreadable === 0 ? 'success' : 'failure',
      reason: unreadable === 0 ? undefined : 'unreadable-rows',
    });
  }
}
