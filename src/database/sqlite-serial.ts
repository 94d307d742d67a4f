import { QueryFailedError, type DataSource, type QueryRunner } from 'typeorm';
import type { BetterSqlite3Driver } from 'typeorm/driver/better-sqlite3/BetterSqlite3Driver.js';
import { BetterSqlite3QueryRunner } from 'typeorm/driver/better-sqlite3/BetterSqlite3QueryRunner.js';
import { DomainError } from '../common/domain-error.js';
import { currentTransaction } from './current-transaction.js';
import { unavailable } from './unavailable.js';

/** How long a statement may wait for the transaction before it; longer means a transaction is stuck. */
const QUEUE_TIMEOUT_MS = 15_000;
const WRITE = /^\s*(insert|update|delete|create|alter|drop)\b/i;
/** TypeORM's words, and ours for them. */
const TRANSACTION_CONTROL: ReadonlyMap<string, string> = new Map([
  ['BEGIN TRANSACTION', 'BEGIN IMMEDIATE'],
  ['COMMIT', 'COMMIT'],
  ['ROLLBACK', 'ROLLBACK'],
]);

interface SqliteHandle {
  readonly inTransaction: boolean;
  exec(statement: string): unknown;
}

/** First come, first served; one holder at a time. */
class Queue {
  #tail: Promise<void> = Promise.resolve();

  constructor(private readonly timeoutMs: number) {}

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
        this.timeoutMs,
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
 *
 * Every write takes the file's lock first, through `exec`. libsql does not reset a prepared statement that another
 * process keeps from the lock (SQLITE_BUSY): it would go on counting as a writer until it is garbage collected, and what
 * is acknowledged meanwhile would not be committed. With the lock in hand no statement can be kept from it.
 * @see https://github.com/tursodatabase/libsql-js/pull/237
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
    if (this.#leave) {
      const control = TRANSACTION_CONTROL.get(query);
      return control === undefined ? super.query(query, parameters, structured) : this.#execute(control);
    }
    this.#refuseBypass();
    const leave = await this.queue.enter();
    try {
      if (!WRITE.test(query)) return await super.query(query, parameters, structured);
      this.#execute('BEGIN IMMEDIATE');
      const result: unknown = await super.query(query, parameters, structured);
      this.#execute('COMMIT');
      return result;
    } finally {
      this.#rollBackWhatIsLeft();
      leave();
    }
  }

  /** Runs when a transaction is over, however it ended: it must let the next caller in and not hide why the work failed. */
  override async release(): Promise<void> {
    if (this.isTransactionActive) {
      this.#rollBackWhatIsLeft();
      this.isTransactionActive = false;
      this.transactionDepth = 0;
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

  /** Never throws, so that the next caller gets in. On a full disk and the like SQLite has rolled back by itself. */
  #rollBackWhatIsLeft(): void {
    try {
      if (this.#handle.inTransaction) this.#handle.exec('ROLLBACK');
    } catch {
      // Then the next BEGIN fails, with its own message.
    }
  }

  #execute(statement: string): void {
    try {
      this.#handle.exec(statement);
    } catch (error) {
      const failed = new QueryFailedError(statement, [], error as Error);
      // Somebody else, such as a backup, keeps the file for longer than a statement waits.
      throw (error as { code?: string }).code?.startsWith('SQLITE_BUSY') ? unavailable(failed) : failed;
    }
  }

  get #handle(): SqliteHandle {
    return this.driver.databaseConnection as SqliteHandle;
  }

  #release(): void {
    const leave = this.#leave;
    this.#leave = undefined;
    leave?.();
  }
}

/** Makes a SQLite data source safe for concurrent callers; any other is returned as it is. */
export function serializeSqlite(dataSource: DataSource, queueTimeoutMs = QUEUE_TIMEOUT_MS): DataSource {
  if (dataSource.options.type !== 'better-sqlite3') return dataSource;
  const queue = new Queue(queueTimeoutMs);
  const driver = dataSource.driver as BetterSqlite3Driver;
  driver.createQueryRunner = () => new SerialQueryRunner(driver, queue);
  return dataSource;
}
