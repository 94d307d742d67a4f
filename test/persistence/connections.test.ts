import { Logger } from '@nestjs/common';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { openDataSource } from '../../ormconfig.js';
import { isUnavailable, migrate, UnitOfWork } from '../../src/database/index.js';
import { AuditEventEntity } from '../../src/audit/audit-event.entity.js';
import { databases, type DatabaseUnderTest } from '../support/databases.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { eventually } from '../support/vault.js';

const POOL_SIZE = 3;
/** Small, so that giving up is seen soon; nothing is asserted about how long it takes. */
const TIMEOUT_MS = 500;
const UNAVAILABLE = { code: 'server.unavailable', meta: { retryAfterSeconds: 1 } };

const event = (id: string): AuditEventEntity => ({
  id,
  at: 1,
  event: 'user.created',
  outcome: 'success',
  userId: null,
  actor: null,
  clientId: null,
  identityProvider: null,
  reason: null,
  requestId: null,
  address: null,
});

const postgres = databases.find(({ name }) => name === 'postgres');

describe.runIf(postgres)('connections to PostgreSQL', () => {
  let database: DatabaseUnderTest;
  let proxy: TcpProxy;
  let dataSource: DataSource;
  let unitOfWork: UnitOfWork;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await postgres!.create();
    const { hostname, port } = new URL(database.url);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const url = new URL(database.url);
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    dataSource = await openDataSource(url.href, { poolSize: POOL_SIZE, timeoutMs: TIMEOUT_MS }).initialize();
    await migrate(dataSource);
    unitOfWork = new UnitOfWork(dataSource);
  });
  afterAll(async () => {
    await dataSource.destroy();
    await proxy.stop();
    await database.cleanup();
  });
  afterEach(async () => {
    proxy.resume();
    await recovered();
  });

  const events = () => unitOfWork.repository(AuditEventEntity);
  const stored = async (): Promise<string[]> =>
    (await database.query('SELECT id FROM audit_events ORDER BY id')).map(({ id }) => String(id));
  const recovered = () =>
    eventually('the database answers again', () =>
      dataSource.query('SELECT 1').then(
        () => true,
        () => false,
      ),
    );
  /** As many as the pool has, each of which answers with what it was asked and nobody else. */
  const askAll = () =>
    Promise.all(
      Array.from({ length: 2 * POOL_SIZE }, async (_, index) => {
        const rows: unknown = await dataSource.query('SELECT $1::int AS answer', [index]);
        expect(rows).toEqual([{ answer: index }]);
      }),
    );
  const sessions = (what: 'pid' | 'pg_terminate_backend(pid)') =>
    database.query(
      `SELECT ${what} FROM pg_stat_activity WHERE application_name = 'symbolon' AND datname = current_database()`,
    );
  const end = () => sessions('pg_terminate_backend(pid)');

  it('give up a query on which nobody answers, and none of them answers a later caller', async () => {
    await askAll();
    proxy.stall();
    const asked = await Promise.allSettled(Array.from({ length: POOL_SIZE }, () => dataSource.query("SELECT 'stale'")));
    expect(asked).toEqual(asked.map(() => ({ status: 'rejected', reason: expect.objectContaining(UNAVAILABLE) })));
    // Those that were given up are closed, not kept for the next caller.
    expect(unitOfWork.poolUsage()).toEqual({ total: 0, idle: 0, waiting: 0, maximum: POOL_SIZE });
    proxy.resume();
    await askAll();
  });

  it('give up a transaction at each of its steps, without waiting for its end as well', async () => {
    for (const stallAt of ['begin', 'statement', 'commit'] as const) {
      const work = async () => {
        await events().insert(event(`stalled-at-${stallAt}-1`));
        if (stallAt === 'statement') proxy.stall();
        await events().insert(event(`stalled-at-${stallAt}-2`));
        if (stallAt === 'commit') proxy.stall();
      };
      const { total } = unitOfWork.poolUsage()!;
      if (stallAt === 'begin') proxy.stall();
      await expect(unitOfWork.run(work)).rejects.toMatchObject(UNAVAILABLE);
      expect(unitOfWork.poolUsage()).toMatchObject({ total: total - 1 });
      proxy.resume();
      await recovered();
    }
    // Nothing of what was given up before its COMMIT was sent has come about, and nothing is locked any more.
    await eventually('the sessions have ended', async () => (await sessions('pid')).length <= 1);
    expect((await stored()).filter((id) => !id.startsWith('stalled-at-commit'))).toEqual([]);
  });

  it('are never more than were configured, and callers who get none in time are told so', async () => {
    const holders = Array.from({ length: POOL_SIZE }, () => dataSource.createQueryRunner());
    for (const holder of holders) await holder.query('SELECT 1');
    expect(unitOfWork.poolUsage()).toEqual({ total: POOL_SIZE, idle: 0, waiting: 0, maximum: POOL_SIZE });
    const waiting = dataSource.query('SELECT 1');
    expect(unitOfWork.poolUsage()).toMatchObject({ total: POOL_SIZE, waiting: 1 });
    await expect(waiting).rejects.toMatchObject(UNAVAILABLE);
    for (const holder of holders) await holder.release();
    expect(unitOfWork.poolUsage()).toMatchObject({ idle: POOL_SIZE, waiting: 0 });
  });

  it('that are cut in the middle of a transaction leave nothing, and say that it is worth trying again', async () => {
    const cut = unitOfWork.run(async () => {
      await events().insert(event('cut'));
      await proxy.cut();
      await proxy.restore();
      await events().insert(event('after-the-cut'));
    });
    await expect(cut).rejects.toMatchObject(UNAVAILABLE);
    expect(await stored()).not.toContain('cut');
    await askAll();
  });

  it.each(['idle', 'in a transaction', 'in a query'])('that the server ends while %s are replaced', async (when) => {
    await askAll();
    if (when === 'idle') await end();
    if (when === 'in a transaction') {
      const ended = unitOfWork.run(async () => {
        await events().insert(event('ended'));
        await end();
        // The news of it may be on its way still: whichever statement meets it, it is told the same.
        for (;;) await events().count();
      });
      await expect(ended).rejects.toMatchObject(UNAVAILABLE);
      expect(await stored()).not.toContain('ended');
    }
    if (when === 'in a query') {
      const sleeping = dataSource.query('SELECT pg_sleep(60)');
      await eventually('it sleeps', async () => {
        const rows = await database.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
        return rows.length > 0;
      });
      await Promise.all([end(), expect(sleeping).rejects.toMatchObject(UNAVAILABLE)]);
    }
    await recovered();
    await askAll();
  });

  it('end a statement that takes too long, and what others hold is not theirs to wait for', async () => {
    await expect(dataSource.query('SELECT pg_sleep(60)')).rejects.toMatchObject(UNAVAILABLE);
    await events().insert(event('locked'));
    const other = new Client({ connectionString: database.url });
    await other.connect();
    try {
      await other.query("BEGIN; UPDATE audit_events SET at = 2 WHERE id = 'locked'");
      await expect(events().update({ id: 'locked' }, { at: 3 })).rejects.toMatchObject(UNAVAILABLE);
    } finally {
      await other.end();
    }
  });

  it('do not stay with a server that has become read-only', async () => {
    const runner = dataSource.createQueryRunner();
    await runner.query('SET default_transaction_read_only = on');
    const { total } = unitOfWork.poolUsage()!;
    await expect(runner.query('DELETE FROM audit_events')).rejects.toMatchObject(UNAVAILABLE);
    await runner.release();
    expect(unitOfWork.poolUsage()).toMatchObject({ total: total - 1 });
  });

  it('are watched by both ends, so that a session whose client is gone ends', async () => {
    const rows: unknown = await dataSource.query(
      `SELECT current_setting('tcp_keepalives_idle') AS idle, current_setting('tcp_keepalives_count') AS count,
       current_setting('statement_timeout') AS statement, current_setting('idle_in_transaction_session_timeout') AS within`,
    );
    expect(rows).toEqual([{ idle: '30', count: '3', statement: '500ms', within: '500ms' }]);
  });

  it('that cannot be made say so, too', async () => {
    await proxy.cut();
    try {
      await expect(dataSource.query('SELECT 1')).rejects.toMatchObject(UNAVAILABLE);
    } finally {
      await proxy.restore();
    }
    await askAll();
  });

  it('say nothing of the kind of a mistake', async () => {
    for (const mistake of ['SELECT nonsense', 'SELECT 1/0']) {
      const error: unknown = await dataSource.query(mistake).catch((caught: unknown) => caught);
      expect([mistake, isUnavailable(error)]).toEqual([mistake, false]);
    }
    await events().insert(event('once'));
    await expect(events().insert(event('once'))).rejects.toMatchObject({ driverError: { code: '23505' } });
  });
});
