import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import libsql from 'libsql';
import { DataSource, MigrationExecutor, type DataSourceOptions, type QueryRunner } from 'typeorm';
import { DomainError } from '../common/domain-error.js';
import { boundSessions, sessionOptions } from './postgres-sessions.js';
import { SnakeNamingStrategy } from './snake-naming-strategy.js';
import { serializeSqlite } from './sqlite-serial.js';

type Schema = Required<Pick<DataSourceOptions, 'entities' | 'migrations'>>;

const POOL_SIZE = 10;
const TIMEOUT_MS = 10_000;
/** How long SQLite waits for another process that has the file locked, unless a statement may take less altogether. */
const BUSY_TIMEOUT_MS = 5_000;
/** A fixed number of ours: every replica asks for the same lock. */
const MIGRATION_LOCK = 7_962_656_679n;
const MIGRATION_WAIT_MS = 10 * 60_000;
const MIGRATION_POLL_MS = 250;

/** What an operator may say about the connections to PostgreSQL; SQLite has one, to a file. */
export interface ConnectionLimits {
  poolSize?: number;
  /** How long one statement may take, in milliseconds; a connection on which nobody answers for longer is given up. */
  timeoutMs?: number;
}

interface SqliteHandle {
  pragma(statement: string): unknown;
}

/** The data source for `sqlite:<file>` or `postgres://…`. */
export function createDataSource(
  url: string,
  schema: Schema,
  { poolSize = POOL_SIZE, timeoutMs = TIMEOUT_MS }: ConnectionLimits = {},
): DataSource {
  const common = {
    ...schema,
    migrationsTableName: 'migrations',
    namingStrategy: new SnakeNamingStrategy(),
    synchronize: false,
    logging: false,
  } as const;
  if (!url.startsWith('sqlite:')) {
    return boundSessions(
      new DataSource({
        ...common,
        type: 'postgres',
        url,
        applicationName: 'symbolon',
        ...sessionOptions(poolSize, timeoutMs),
      }),
    );
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
        handle.pragma(`busy_timeout = ${Math.min(BUSY_TIMEOUT_MS, timeoutMs)}`);
      },
    }),
  );
}

/**
 * Brings the schema up to date. PostgreSQL does not lock migrations itself: of several replicas that start at once
 * all but one would fail, so they queue for an advisory lock. It is held by the connection that migrates, which is one of
 * its own and may take its time: a large table must not fail an upgrade.
 *
 * @throws DomainError `server.unavailable` when another session keeps the lock for longer than `waitMs`
 */
export async function migrate(dataSource: DataSource, { waitMs = MIGRATION_WAIT_MS } = {}): Promise<void> {
  const { options } = dataSource;
  if (options.type !== 'postgres') {
    await dataSource.runMigrations({ transaction: 'each' });
    return;
  }
  const unhurried = boundSessions(new DataSource({ ...options, ...sessionOptions(1, undefined) }));
  await unhurried.initialize();
  try {
    const session = unhurried.createQueryRunner();
    await lockMigrations(session, waitMs);
    try {
      const executor = new MigrationExecutor(unhurried, session);
      executor.transaction = 'each';
      await executor.executePendingMigrations();
    } finally {
      await unlockMigrations(session);
    }
  } finally {
    await unhurried.destroy();
  }
}

async function lockMigrations(session: QueryRunner, waitMs: number): Promise<void> {
  const lock = async () => {
    const rows: unknown = await session.query('SELECT pg_try_advisory_lock($1) AS locked', [String(MIGRATION_LOCK)]);
    return (rows as [{ locked: boolean }])[0].locked;
  };
  if (await lock()) return;
  const logger = new Logger('Migrations');
  logger.warn({ holder: await holder(session) }, 'another session migrates the database: waiting for it');
  const deadline = performance.now() + waitMs;
  while (!(await lock())) {
    if (performance.now() >= deadline) {
      throw new DomainError('server.unavailable', {
        privateDetail: `another session still migrates the database (${await holder(session)}); if it is none of a running replica, end it with pg_terminate_backend`,
      });
    }
    await delay(MIGRATION_POLL_MS);
  }
}

/** The lock would go with the session, but only once the server has noticed. */
async function unlockMigrations(session: QueryRunner): Promise<void> {
  await session.query('SELECT pg_advisory_unlock($1)', [String(MIGRATION_LOCK)]).catch(() => undefined);
}

/** Who migrates, in words for the operator. */
async function holder(session: QueryRunner): Promise<string> {
  const rows: unknown = await session.query(
    `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = $1 AND objid = $2
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [String(MIGRATION_LOCK >> 32n), String(MIGRATION_LOCK & 0xffff_ffffn)],
  );
  const pids = (rows as { pid: number }[]).map(({ pid }) => pid);
  return `pid ${pids.join(', ')}`;
}
