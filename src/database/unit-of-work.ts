import {
  QueryFailedError,
  type DataSource,
  type EntityManager,
  type EntityTarget,
  type ObjectLiteral,
  type Repository,
} from 'typeorm';
import { currentTransaction } from './current-transaction.js';
import { poolUsage, type PoolUsage } from './postgres-sessions.js';

const RETRYABLE = new Set(['40001', '40P01']);
const UNIQUE_VIOLATIONS = new Set(['23505', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY']);
const ATTEMPTS = 3;

/**
 * The one door to the database. Repositories ask it for the current manager, so that whatever runs inside
 * `run()` is one transaction, on PostgreSQL and on SQLite alike. No network call may happen inside: it would hold
 * a connection (SQLite: everybody) for as long as a stranger likes.
 */
export class UnitOfWork {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Runs `work` in one transaction, or as a part of the one that is open. It may run again after a deadlock or
   * serialisation failure, so it changes nothing but the database.
   */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#open) return work();
    for (let attempt = 1; ; attempt += 1) {
      const afterCommit: (() => void)[] = [];
      try {
        const result = await this.dataSource.transaction(async (manager) => {
          const transaction = { manager, open: true, afterCommit };
          try {
            return await currentTransaction.run(transaction, work);
          } finally {
            transaction.open = false;
          }
        });
        for (const action of afterCommit) action();
        return result;
      } catch (error) {
        if (attempt === ATTEMPTS || !RETRYABLE.has(errorCode(error) ?? '')) throw error;
      }
    }
  }

  /**
   * Runs `work` outside any transaction that is open around it: for what must live on when that one is rolled back.
   * SQLite has it wait until that one has ended, so a transaction does not wait for it.
   */
  outside<Result>(work: () => Result): Result {
    return currentTransaction.exit(work);
  }

  /** Does something once the transaction that is open is committed, and never if it is rolled back; at once where none is. */
  afterCommit(action: () => void): void {
    const current = this.#open && currentTransaction.getStore();
    if (current) current.afterCommit.push(action);
    else action();
  }

  /** Whether what runs now is part of a transaction. */
  get inTransaction(): boolean {
    return this.#open !== undefined;
  }

  repository<Entity extends ObjectLiteral>(target: EntityTarget<Entity>): Repository<Entity> {
    return this.manager.getRepository(target);
  }

  get manager(): EntityManager {
    return this.#open ?? this.dataSource.manager;
  }

  /**
   * Inserts a row unless one with the same key exists; answers whether it did. TypeORM's `orIgnore()` cannot tell,
   * and a unique violation would abort the whole transaction on PostgreSQL.
   */
  async insertOnce<Entity extends ObjectLiteral>(target: EntityTarget<Entity>, row: Entity): Promise<boolean> {
    const { driver } = this.dataSource;
    const metadata = this.dataSource.getMetadata(target);
    const columns = metadata.columns.filter((column) => column.getEntityValue(row) !== undefined);
    const values = columns.map((column): unknown => driver.preparePersistentValue(column.getEntityValue(row), column));
    const names = columns.map((column) => driver.escape(column.databaseName)).join(', ');
    const marks = columns.map((_, index) => driver.createParameter('value', index)).join(', ');
    const returned = driver.escape(metadata.primaryColumns[0]!.databaseName);
    const rows: unknown = await this.manager.query(
      `INSERT INTO ${driver.escape(metadata.tableName)} (${names}) VALUES (${marks}) ON CONFLICT DO NOTHING RETURNING ${returned}`,
      values,
    );
    return Array.isArray(rows) && rows.length === 1;
  }

  /** The connections of this process to PostgreSQL as they are now; undefined on SQLite, which has no pool. */
  poolUsage(): PoolUsage | undefined {
    return this.dataSource.options.type === 'postgres' ? poolUsage(this.dataSource) : undefined;
  }

  get #open(): EntityManager | undefined {
    const current = currentTransaction.getStore();
    if (!current) return undefined;
    if (!current.open) throw new Error('work outlived its transaction: use outside()');
    return current.manager.connection === this.dataSource ? current.manager : undefined;
  }
}

/** Whether a write failed because a unique key is taken, on either database. */
export function isUniqueViolation(error: unknown): boolean {
  return UNIQUE_VIOLATIONS.has(errorCode(error) ?? '');
}

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof QueryFailedError)) return undefined;
  const { code } = error.driverError as { code?: string };
  return code;
}
