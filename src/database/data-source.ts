import libsql from 'libsql';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { SnakeNamingStrategy } from './snake-naming-strategy.js';
import { serializeSqlite } from './sqlite-serial.js';

type Schema = Required<Pick<DataSourceOptions, 'entities' | 'migrations'>>;

const POOL_SIZE = 10;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 15_000;
/** A fixed number of ours: every replica asks for the same lock. */
const MIGRATION_LOCK = 7_962_656_679;

interface SqliteHandle {
  pragma(statement: string): unknown;
}

/** The data source for `sqlite:<file>` or `postgres://…`. */
export function createDataSource(url: string, schema: Schema): DataSource {
  const common = {
    ...schema,
    migrationsTableName: 'migrations',
    namingStrategy: new SnakeNamingStrategy(),
    synchronize: false,
    logging: false,
  } as const;
  if (!url.startsWith('sqlite:')) {
    return new DataSource({
      ...common,
      type: 'postgres',
      url,
      applicationName: 'symbolon',
      poolSize: POOL_SIZE,
      connectTimeoutMS: CONNECT_TIMEOUT_MS,
      extra: { statement_timeout: STATEMENT_TIMEOUT_MS, idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS },
    });
  }
  return serializeSqlite(
    new DataSource({
      ...common,
      type: 'better-sqlite3',
      driver: libsql,
      database: url.slice('sqlite:'.length),
      enableWAL: true,
      prepareDatabase: (handle: SqliteHandle) => {
        // A rotated refresh token exists nowhere else: it must survive a power failure, not only a crash.
        handle.pragma('synchronous = FULL');
        handle.pragma('busy_timeout = 5000');
      },
    }),
  );
}

/**
 * Brings the schema up to date. PostgreSQL does not lock migrations itself: of several replicas that start at once
 * all but one would fail, so they queue for an advisory lock, on a connection of its own.
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  if (dataSource.options.type !== 'postgres') {
    await dataSource.runMigrations({ transaction: 'each' });
    return;
  }
  const lock = dataSource.createQueryRunner();
  try {
    await lock.query('SET statement_timeout = 0');
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await dataSource.runMigrations({ transaction: 'each' });
  } finally {
    await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await lock.query('RESET statement_timeout').catch(() => undefined);
    await lock.release();
  }
}
