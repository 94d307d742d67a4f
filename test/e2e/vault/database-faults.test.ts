import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../../support/databases.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import {
  audited,
  eventually,
  holdNextAnswer,
  linkedAccount,
  read,
  redemptions,
  setRemaining,
  signInCapturing,
  updateAccount,
} from '../../support/vault.js';
import { createWorld, type World } from '../../support/world.js';

/** A provider that rotates and ends the grant when a token is used twice: what is lost or sent again is seen. */
describe.each(databases.filter(({ name }) => name === 'postgres'))('a $name that fails in the middle', (kind) => {
  let world: World;
  let proxy: TcpProxy;
  beforeAll(async () => {
    const create = async () => {
      const database = await kind.create();
      const url = new URL(database.url);
      proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
      url.hostname = '127.0.0.1';
      url.port = String(proxy.port);
      return { ...database, url: url.href };
    };
    world = await createWorld({ ...kind, create }, { env: { DATABASE_TIMEOUT_MS: '1000' } });
  });
  afterEach(async () => {
    proxy.resume();
    await eventually('it is ready again', async () => (await world.request('/readyz')).status === 200);
  });
  afterAll(async () => {
    await world.stop();
    await proxy.stop();
  });

  const expired = async (login: string): Promise<string> => {
    const { token } = await signInCapturing(world, login);
    await setRemaining(world, login, -1);
    world.upstream.resetCounts();
    return token;
  };
  const refreshes = async (login: string) =>
    (await audited(world, login))
      .filter(({ event }) => event === 'upstream-token.refreshed')
      .map(({ outcome, reason }) => ({ outcome, reason }));
  const failedWrites = () => world.service.output().split('could not be stored yet').length - 1;
  /** The tokens that are stored work, and are refreshed as ever. */
  const expectAlive = async (login: string, token: string, redeemed: number) => {
    expect(await linkedAccount(world, login)).toMatchObject({
      status: 'active',
      reason: null,
      lease_owner: null,
      refresh_intent_at: null,
    });
    await setRemaining(world, login, -1);
    expect((await read(world, token)).status).toBe(200);
    expect(redemptions(world)).toEqual({ attempted: redeemed + 1, reused: false });
  };

  it('promise 5: tokens whose COMMIT was not answered are stored once, and are not taken for lost', async () => {
    const token = await expired('commit');
    const { generation } = await linkedAccount(world, 'commit');
    const before = failedWrites();
    const held = holdNextAnswer(world);
    const reading = read(world, token);
    await held.reached;
    const lost = proxy.loseAnswerTo('COMMIT');
    held.release();
    await lost;
    expect((await reading).status).toBe(200);
    // One attempt failed, and the next one learned that it had not.
    expect(failedWrites()).toBe(before + 1);
    expect(await linkedAccount(world, 'commit')).toMatchObject({ generation: Number(generation) + 1 });
    expect(await refreshes('commit')).toEqual([{ outcome: 'success', reason: null }]);
    expect(await world.database.query('SELECT * FROM outbox_messages')).toEqual([]);
    await expectAlive('commit', token, 1);
  });

  it('promise 7: so it is when the account moves on before it is asked again', async () => {
    const token = await expired('moved-on');
    const held = holdNextAnswer(world);
    const reading = read(world, token);
    await held.reached;
    const lost = proxy.loseAnswerTo('COMMIT').then(() => proxy.cut());
    held.release();
    await lost;
    // As if somebody had refreshed it once more, with tokens that nobody has seen here.
    const { generation } = await linkedAccount(world, 'moved-on');
    await updateAccount(world, 'moved-on', { generation: Number(generation) + 1 });
    await proxy.restore();
    expect((await reading).status).toBe(200);
    expect(await refreshes('moved-on')).toEqual([{ outcome: 'success', reason: null }]);
    await expectAlive('moved-on', token, 1);
  });

  it('promise 9: a refusal whose COMMIT was not answered is said once, with its own reason', async () => {
    const token = await expired('refused');
    world.upstream.failNext(1, { status: 400, body: { error: 'invalid_grant' } });
    world.upstream.withhold('request');
    const reading = read(world, token);
    await world.upstream.waitForTokenRequest();
    const lost = proxy.loseAnswerTo('COMMIT');
    world.upstream.release();
    await lost;
    expect((await reading).status).toBe(401);
    expect(await linkedAccount(world, 'refused')).toMatchObject({ reason: 'invalid_grant', lease_owner: null });
    expect(await refreshes('refused')).toEqual([{ outcome: 'failure', reason: 'invalid_grant' }]);
  });

  it.each([
    { what: 'taking the lease', statement: 'SET "lease_owner" =' },
    { what: 'writing the intent down', statement: 'SET "refresh_intent_at" =' },
  ])('promise 3: when $what is not answered nothing is sent, and the next reader goes on', async ({ statement }) => {
    const login = `unanswered-${statement.length}`;
    const token = await expired(login);
    const lost = proxy.loseAnswerTo(statement);
    const reading = await read(world, token, { face: 'onezone' });
    await lost;
    expect(reading.status).toBe(503);
    expect(Number(reading.retryAfter)).toBeGreaterThan(0);
    expect(redemptions(world).attempted).toBe(0);
    await eventually('the lease is free', async () => (await linkedAccount(world, login))['lease_owner'] === null);
    expect(await linkedAccount(world, login)).toMatchObject({ refresh_intent_at: null, failures: 0 });
    expect((await read(world, token)).status).toBe(200);
    await expectAlive(login, token, 1);
  });

  it('promise 7: rotated tokens outlast a database that keeps silent until after the provider has answered', async () => {
    const token = await expired('silent');
    const before = failedWrites();
    const held = holdNextAnswer(world);
    const reading = read(world, token);
    await held.reached;
    proxy.stall();
    held.release();
    await eventually('it was tried', () => failedWrites() > before);
    proxy.resume();
    expect((await reading).status).toBe(200);
    expect(await refreshes('silent')).toEqual([{ outcome: 'success', reason: null }]);
    await expectAlive('silent', token, 1);
  });

  it.each([
    { fault: 'cut', arrange: () => proxy.cut(), end: () => proxy.restore() },
    { fault: 'silent', arrange: async () => proxy.stall(), end: async () => proxy.resume() },
  ])(
    'promise 4: whoever waits for another process is told when the database is $fault',
    async ({ fault, arrange, end }) => {
      const login = `waiting-${fault}`;
      const token = await expired(login);
      await updateAccount(world, login, { lease_owner: 'somebody', lease_expires_at: Date.now() + 600_000 });
      const reading = read(world, token, { face: 'onezone' });
      await eventually('it waits', async () => {
        const rows = await world.database.query(
          `SELECT 1 FROM pg_stat_activity WHERE application_name = 'symbolon' AND query LIKE '%"lease_owner"%'`,
        );
        return rows.length > 0;
      });
      await arrange();
      const { status, retryAfter } = await reading;
      await end();
      expect(status).toBe(503);
      expect(Number(retryAfter)).toBeGreaterThan(0);
    },
  );

  it('is seen by the probe while it keeps silent, and requests are answered all the same', async () => {
    const token = await expired('probe');
    proxy.stall();
    const [ready, alive, pace, page] = await Promise.all([
      world.request('/readyz'),
      world.request('/healthz'),
      world.pace(token),
      world.request('/login/mobypay'),
    ]);
    expect([ready.status, alive.status, pace.status, page.status]).toEqual([503, 200, 500, 503]);
    expect(ready.json()).toMatchObject({ checks: { database: 'failed' } });
    expect(Number(pace.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('leaves no secret in any output or in the database', async () => {
    expect(world.upstream.serverErrors).toEqual([]);
    await world.assertNoLeaks();
  });
});
