import type { DataSource, QueryRunner } from 'typeorm';
import type { BetterSqlite3Driver } from 'typeorm/driver/better-sqlite3/BetterSqlite3Driver.js';
import { BetterSqlite3QueryRunner } from 'typeorm/driver/better-sqlite3/BetterSqlite3QueryRunner.js';
import { DomainError } from '../common/domain-error.js';
import { currentTransaction } from './current-transaction.js';

/** How long a statement may wait for the transaction before it; longer means a transaction is stuck. */
const QUEUE_TIMEOUT_MS = 15_000;

/** First come, first served; one holder at a time. */
class Queue {
  #tail: Promise<void> = Promise.resolve();

  async enter(): Promise<() => void> {
    let leave!: () => void;
    const mine = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const before = this.#tail;
    this.#tail = before.then(() => mine);
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new DomainError('server.unavailable', { privateDetail: 'the SQLite queue did not move in time' })),
        QUEUE_TIMEOUT_MS,
      );
    });
    try {
      await Promise.race([before, tooLong]);
    } catch (error) {
      leave();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return leave;
  }
}

type Statement = ReturnType<BetterSqlite3QueryRunner['query']>;

/**
 * A query runner of its own for every caller, over the one SQLite connection. TypeORM gives all callers one
 * shared runner, so that concurrent transactions nest and a rollback of one undoes what others committed; here a
 * transaction holds the queue from BEGIN to COMMIT or ROLLBACK and any other statement for its own duration.
 */
class SerialQueryRunner extends BetterSqlite3QueryRunner {
  #leave: (() => void) | undefined;

  constructor(
    driver: BetterSqlite3Driver,
    private readonly queue: Queue,
  ) {
    super(driver);
  }

  override async startTransaction(...args: Parameters<BetterSqlite3QueryRunner['startTransaction']>): Promise<void> {
    if (!this.#leave) {
      this.#refuseBypass();
      this.#leave = await this.queue.enter();
    }
    try {
      await super.startTransaction(...args);
    } catch (error) {
      if (this.transactionDepth === 0) {
        this.isTransactionActive = false;
        this.#release();
      }
      throw error;
    }
  }

  override async commitTransaction(): Promise<void> {
    await super.commitTransaction();
    if (!this.isTransactionActive) this.#release();
  }

  override async rollbackTransaction(): Promise<void> {
    try {
      await super.rollbackTransaction();
    } finally {
      if (!this.isTransactionActive) this.#release();
    }
  }

  override async query(query: string, parameters?: unknown[], structured?: boolean): Statement {
    if (this.#leave) return super.query(query, parameters, structured);
    this.#refuseBypass();
    const leave = await this.queue.enter();
    try {
      return await super.query(query, parameters, structured);
    } finally {
      leave();
    }
  }

  override async release(): Promise<void> {
    if (this.isTransactionActive) {
      try {
        await super.query('ROLLBACK');
      } finally {
        this.isTransactionActive = false;
        this.transactionDepth = 0;
      }
    }
    this.#release();
    await super.release();
  }

  /** A statement outside the transaction it belongs to would wait for that transaction for ever. */
  #refuseBypass(): void {
    const current = currentTransaction.getStore();
    if (current?.open && current.manager.queryRunner !== (this as QueryRunner)) {
      throw new Error('a statement bypasses the open transaction: use the unit of work');
    }
  }

  #release(): void {
    const leave = this.#leave;
    this.#leave = undefined;
    leave?.();
  }
}

/** Makes a SQLite data source safe for concurrent callers; any other is returned as it is. */
export function serializeSqlite(dataSource: DataSource): DataSource {
  if (dataSource.options.type !== 'better-sqlite3') return dataSource;
  const queue = new Queue();
  const driver = dataSource.driver as BetterSqlite3Driver;
  driver.createQueryRunner = () => new SerialQueryRunner(driver, queue);
  return dataSource;
}
