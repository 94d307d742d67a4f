import { Logger } from '@nestjs/common';
import { Client } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDataSource } from '../../ormconfig.js';
import { migrate } from '../../src/database/index.js';
import { databases, type DatabaseUnderTest } from '../support/databases.js';
import { startWorker } from './support/workers.js';

/** TypeORM's own table. */
const MIGRATIONS = 'migrations';
const REPLICAS = 4;

describe.each(databases)('migrations on $name', ({ name, create }) => {
  let database: DatabaseUnderTest;
  let dataSource: DataSource;
  beforeEach(async () => {
    database = await create();
    dataSource = await openDataSource(database.url).initialize();
  });
  afterEach(async () => {
    if (dataSource.isInitialized) await dataSource.destroy();
    await database.cleanup();
  });

  const names = async (sql: string): Promise<string[]> =>
    (await database.query(sql)).map((row) => String(row['name'])).toSorted();
  const tables = () =>
    names(
      name === 'postgres'
        ? `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`
        : `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`,
    );
  const drift = async (): Promise<string[]> =>
    (await dataSource.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query);

  it('make, from nothing, exactly what the entities describe', async () => {
    expect(await drift()).not.toEqual([]);
    await migrate(dataSource);
    expect(await drift()).toEqual([]);
    expect(await tables()).toEqual(
      [...dataSource.entityMetadatas.map((entity) => entity.tableName), MIGRATIONS].toSorted(),
    );
  });

  it('run once, however often they are started', async () => {
    await migrate(dataSource);
    const before = await database.query(`SELECT * FROM ${MIGRATIONS}`);
    await migrate(dataSource);
    expect(await database.query(`SELECT * FROM ${MIGRATIONS}`)).toEqual(before);
    expect(await dataSource.showMigrations()).toBe(false);
  });

  it('name every key and index, so that a later migration can name it, too', async () => {
    await migrate(dataSource);
    const entities = dataSource.entityMetadatas;
    const indices = entities.flatMap((entity) => entity.indices.map((index) => index.name));
    if (name === 'postgres') {
      const keys = entities.map((entity) => `${entity.tableName}_pk`);
      const found = await names(`SELECT indexname AS name FROM pg_indexes
                                 WHERE schemaname = 'public' AND tablename <> '${MIGRATIONS}'`);
      expect(found).toEqual([...indices, ...keys].toSorted());
      // PostgreSQL 18 keeps NOT NULL as a constraint, under a name of its own making.
      const others = `SELECT conname AS name FROM pg_constraint WHERE contype NOT IN ('p', 'n')
                      AND connamespace = 'public'::regnamespace AND conrelid <> '${MIGRATIONS}'::regclass`;
      expect(await names(others)).toEqual([]);
      return;
    }
    // A primary key of SQLite belongs to its table for good; TypeORM gives it no name.
    const found = `SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`;
    expect(await names(found)).toEqual(indices.toSorted());
  });

  it('can be taken back to nothing and made again', async () => {
    await migrate(dataSource);
    for (const _ of dataSource.migrations) await dataSource.undoLastMigration({ transaction: 'each' });
    expect(await tables()).toEqual([MIGRATIONS]);
    expect(await database.query(`SELECT * FROM ${MIGRATIONS}`)).toEqual([]);
    await migrate(dataSource);
    expect(await drift()).toEqual([]);
  });

  it.runIf(name === 'postgres')('succeed in all of several replicas that start at once', async () => {
    const replicas = Array.from({ length: REPLICAS }, () => startWorker('migrate', database.url));
    await Promise.all(replicas.map(({ ready }) => ready));
    for (const replica of replicas) replica.go();
    expect(await Promise.all(replicas.map(({ ended }) => ended))).toEqual(replicas.map(() => 0));
    expect(await drift()).toEqual([]);
    expect(await database.query(`SELECT * FROM ${MIGRATIONS}`)).toHaveLength(dataSource.migrations.length);
    // The view shows the locks of other test files' databases, too.
    const here = `(SELECT oid FROM pg_database WHERE datname = current_database())`;
    const locks = `SELECT * FROM pg_locks WHERE locktype = 'advisory' AND database = ${here}`;
    expect(await database.query(locks)).toEqual([]);
  });

  it.runIf(name === 'postgres')('leave no trace of a migration that fails, nor its lock', async () => {
    await database.query('CREATE TABLE audit_events (id bigint)');
    const said = vi.spyOn(console, 'log').mockReturnValue();
    await expect(migrate(dataSource)).rejects.toThrow('audit_events');
    said.mockRestore();
    expect(await tables()).toEqual(['audit_events', MIGRATIONS]);
    await database.query('DROP TABLE audit_events');
    await migrate(dataSource);
    expect(await drift()).toEqual([]);
  });

  it.runIf(name === 'postgres')(
    'wait for another session that migrates, say so, and do not wait for ever',
    async () => {
      const other = new Client({ connectionString: database.url });
      await other.connect();
      const said = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
      try {
        const { rows } = await other.query<{ pid: number }>(
          'SELECT pg_backend_pid() AS pid, pg_advisory_lock(7962656679)',
        );
        const pid = `pid ${rows[0]?.pid}`;
        await expect(migrate(dataSource, { waitMs: 1 })).rejects.toMatchObject({
          code: 'server.unavailable',
          privateDetail: expect.stringContaining(`(${pid})`) as string,
        });
        expect(said).toHaveBeenCalledWith({ holder: pid }, expect.any(String));
        const waiting = migrate(dataSource);
        await vi.waitFor(() => expect(said).toHaveBeenCalledTimes(2));
        await other.end();
        await waiting;
      } finally {
        said.mockRestore();
        await other.end().catch(() => undefined);
      }
      expect(await drift()).toEqual([]);
    },
  );

  it.runIf(name === 'postgres')('may take longer than any other statement', async () => {
    const hasty = await openDataSource(database.url, { timeoutMs: 200 }).initialize();
    const slow = class Slow1999000000000 {
      up = (session: QueryRunner) => session.query('SELECT pg_sleep(1)');
      down = () => Promise.resolve();
    };
    hasty.setOptions({ migrations: [slow] });
    try {
      await expect(hasty.query('SELECT pg_sleep(1)')).rejects.toMatchObject({ code: 'server.unavailable' });
      await migrate(hasty);
      expect(await names(`SELECT name FROM ${MIGRATIONS}`)).toEqual(['Slow1999000000000']);
    } finally {
      await hasty.destroy();
    }
  });
});
