import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { usesDatabase } from '../support/database-names.js';
import {
  audited,
  endBackOff,
  eventually,
  holdNextAnswer,
  linkedAccount,
  read,
  redemptions,
  setRemaining,
  signInCapturing,
  updateAccount,
  type Reading,
} from '../support/vault.js';
import { PROVIDER } from '../support/world.js';
import { ADMIN_KEY } from './support/cluster.js';
import { expectPromisesKept } from './support/promises.js';
import { createSingle, type Single } from './support/single.js';
import { SKEWED_CLOCK } from './support/skewed-clock.js';

const READERS = 100;
const EXPIRIES = 20;
const GRACE_MS = 10 * 60_000;
const AN_HOUR_MS = 3_600_000;
const SERVED_WITHIN_MS = 30_000;
const SHORT = { UPSTREAM_TIMEOUT_MS: '3000', UPSTREAM_LEASE_MS: '8000', DATABASE_TIMEOUT_MS: '1000' };
const LONG = { UPSTREAM_TIMEOUT_MS: '20000', UPSTREAM_LEASE_MS: '30000', DATABASE_TIMEOUT_MS: '10000' };
const RIGHT = 'correct horse battery staple';

/** What each face says while the account is out of reach. */
const AWAY = { pace: 500, onezone: 503 };

describe.skipIf(!usesDatabase('sqlite')).each([
  { how: 'a provider that takes a refresh token again', graceMs: GRACE_MS },
  { how: 'a provider that takes none again', graceMs: 0 },
])('one process on SQLite, killed and restarted, with $how', ({ graceMs }) => {
  let world: Single;
  /** Refresh tokens that were redeemed by a process that did not live to tell. */
  const unavoidable: string[] = [];
  beforeAll(async () => {
    // What is slow on a machine that does much else is not to look like a fault.
    world = await createSingle({
      upstream: { graceMs },
      env: { ...SHORT, ACCESS_TOKEN_TTL: '86400' },
    });
  });
  afterAll(() => world.stop());
  afterEach(async () => {
    await world.heal();
    world.upstream.forgetScript();
    await endBackOff(world);
    await expectPromisesKept(world, { unavoidable });
  });

  const linked = async (login: string, secondsLeft = -1, lifetimeSeconds = 3600): Promise<string> => {
    const { token } = await signInCapturing(world, login);
    await setRemaining(world, login, secondsLeft, lifetimeSeconds);
    world.upstream.resetCounts();
    return token;
  };
  const isValid = (login: string, { token }: Reading): boolean =>
    token !== undefined && world.upstream.holderOf(token) === login;
  /** Reads until it is served. Whoever is told to wait is told so as each face does it, and for how long. */
  const served = async (login: string, token: string): Promise<void> => {
    const deadline = performance.now() + SERVED_WITHIN_MS;
    for (const face of ['pace', 'onezone'] as const) {
      for (;;) {
        const reading = await read(world, token, { face });
        if (reading.status === 200) {
          expect(isValid(login, reading)).toBe(true);
          break;
        }
        expect(reading.status).toBe(AWAY[face]);
        expect(Number(reading.retryAfter)).toBeGreaterThan(0);
        if (performance.now() > deadline) throw new Error(`${login} is not served again`);
      }
    }
    expect(await linkedAccount(world, login)).toMatchObject({
      status: 'active',
      refresh_intent_at: null,
      lease_owner: null,
    });
  };
  /** Without a grace period: never silent. */
  const lost = async (login: string, token: string): Promise<void> => {
    await eventually('the dead holder is found out', async () => (await read(world, token)).status === 401);
    expect((await read(world, token, { face: 'onezone' })).status).toBe(404);
    const { errors } = (await world.pace(token)).json<{ errors: { meta: { connect_url: string } }[] }>();
    expect(errors[0]?.meta.connect_url).toContain(`/connect/${PROVIDER}?ticket=`);
    expect(await linkedAccount(world, login)).toMatchObject({
      status: 'reauthentication-required',
      reason: 'rotation_lost',
    });
    expect((await audited(world, login)).filter(({ reason }) => reason === 'rotation_lost')).toHaveLength(1);
  };
  const servedOrLost = graceMs > 0 ? served : lost;
  /** As if the time of a dead holder's lease were over. */
  const endLease = (login: string): Promise<void> => updateAccount(world, login, { lease_expires_at: 1 });
  const killDuring = async (token: string, reached: Promise<unknown>): Promise<void> => {
    const reading = read(world, token).catch(() => undefined);
    await reached;
    unavoidable.push(...world.upstream.refreshTokensSeen);
    await world.restart('kill');
    await world.heal();
    expect(await reading).toBeUndefined();
  };

  it(`${READERS} readers and ${EXPIRIES} expiries: as many redemptions, and everybody is served`, async () => {
    // The provider, the readers and their process share few processors.
    await world.restart('stop', LONG);
    const token = await linked('readers');
    for (let expiry = 1; expiry <= EXPIRIES; expiry += 1) {
      world.upstream.expireAccessTokens('readers');
      await setRemaining(world, 'readers', -1);
      const readings = await Promise.all(
        Array.from({ length: READERS }, (_, index) =>
          read(world, token, { face: index % 2 === 0 ? 'pace' : 'onezone' }),
        ),
      );
      expect(readings.filter((reading) => !isValid('readers', reading))).toEqual([]);
      expect(redemptions(world)).toEqual({ attempted: expiry, reused: false });
    }
    await world.restart('stop', SHORT);
  });

  it('killed before the call: nothing was sent, and the next one does it', async () => {
    const token = await linked('before');
    await world.restart();
    world.provider.stall();
    const holds = eventually(
      'the lease is taken',
      async () => (await linkedAccount(world, 'before'))['lease_owner'] !== null,
    );
    await killDuring(token, holds);
    await endLease('before');
    await served('before', token);
    expect(redemptions(world)).toEqual({ attempted: 1, reused: false });
  });

  it('killed during the call, which the provider never processed: nobody is lost once the lease is over', async () => {
    const token = await linked('during');
    world.upstream.failNext(1);
    world.upstream.withhold('request');
    await killDuring(token, world.upstream.waitForTokenRequest());
    await served('during', token);
    expect(world.upstream.counts.refresh).toEqual({ attempted: 2, succeeded: 1 });
  });

  it('killed when the provider had rotated the token: what it is said depends on the provider, and it is said', async () => {
    const token = await linked('rotated');
    world.upstream.withhold('answer');
    await killDuring(token, world.upstream.waitForTokenRequest());
    await endLease('rotated');
    await servedOrLost('rotated', token);
    expect(world.upstream.counts.refresh.attempted).toBe(2);
  });

  it('killed while the file was locked and the answer could not be stored: the same', async () => {
    const token = await linked('unstored');
    const answer = holdNextAnswer(world);
    const reading = read(world, token).catch(() => undefined);
    await answer.reached;
    const unlock = world.lockDatabase();
    answer.release();
    await eventually('it was answered', () => world.upstream.counts.refresh.succeeded === 1);
    unavoidable.push(...world.upstream.refreshTokensSeen);
    await world.service.kill();
    unlock();
    await world.restart('kill');
    await reading;
    await endLease('unstored');
    const { generation } = await linkedAccount(world, 'unstored');
    // It may have been faster than the lock: then there is nothing to lose.
    await (generation === 1 ? servedOrLost : served)('unstored', token);
  });

  it('killed after the write: the tokens are there, and nobody is asked again', async () => {
    const token = await linked('written');
    const before = Number((await linkedAccount(world, 'written'))['generation']);
    const reading = read(world, token).catch(() => undefined);
    await eventually(
      'the tokens are stored',
      async () => Number((await linkedAccount(world, 'written'))['generation']) > before,
    );
    await world.restart('kill');
    await reading;
    await served('written', token);
    expect(redemptions(world)).toEqual({ attempted: 1, reused: false });
  });

  it('a file that is locked while the answer comes: it is stored when that is over', async () => {
    const token = await linked('locked');
    const answer = holdNextAnswer(world);
    const readings = Promise.all(Array.from({ length: 10 }, () => read(world, token)));
    await answer.reached;
    const unlock = world.lockDatabase();
    answer.release();
    await eventually('it was answered', () => world.upstream.counts.refresh.succeeded === 1);
    unlock();
    expect((await readings).filter((reading) => !isValid('locked', reading))).toEqual([]);
    expect(redemptions(world)).toEqual({ attempted: 1, reused: false });
  });

  it('a file that stays locked: an outage that is said as one, and over when it is over', async () => {
    const token = await linked('outage', 3000);
    const unlock = world.lockDatabase();
    const refused = await Promise.all([
      read(world, token, { face: 'pace' }),
      read(world, token, { face: 'onezone' }),
    ]).finally(unlock);
    expect(refused.map(({ status, token: given }) => [status, given])).toEqual([
      [AWAY.pace, undefined],
      [AWAY.onezone, undefined],
    ]);
    expect(refused.map(({ retryAfter }) => Number(retryAfter) > 0)).toEqual([true, true]);
    await served('outage', token);
  });

  it('a provider that is slow, or limits: who has a valid token is served, others are told to wait', async () => {
    const [valid, expired] = [await linked('slow-valid', 100), await linked('slow-expired')];
    world.upstream.withhold('request');
    expect(isValid('slow-valid', await read(world, valid))).toBe(true);
    expect((await read(world, expired, { face: 'onezone' })).status).toBe(AWAY.onezone);
    world.upstream.release();
    await endBackOff(world);
    world.upstream.failNext(2, { status: 429, headers: { 'retry-after': '600' } });
    expect(isValid('slow-valid', await read(world, valid))).toBe(true);
    const limited = await read(world, expired, { face: 'onezone' });
    expect(limited.status).toBe(AWAY.onezone);
    expect(Number(limited.retryAfter)).toBeGreaterThan(500);
    unavoidable.push(...world.upstream.refreshTokensSeen);
    world.upstream.forgetScript();
    await endBackOff(world);
    if (graceMs > 0) await served('slow-expired', expired);
  });

  it('a provider that comes and goes costs nobody the account', async () => {
    const token = await linked('flapping');
    for (let time = 1; time <= 5; time += 1) {
      await world.provider.cut();
      const refused = await read(world, token, { face: 'onezone' });
      expect(refused.status).toBe(AWAY.onezone);
      await world.provider.pass();
      await endBackOff(world);
      await served('flapping', token);
      world.upstream.expireAccessTokens('flapping');
      await setRemaining(world, 'flapping', -1);
    }
    expect(redemptions(world)).toEqual({ attempted: 5, reused: false });
  });

  it('unlinking during a refresh wins', async () => {
    const token = await linked('unlinked');
    const answer = holdNextAnswer(world);
    const reading = read(world, token);
    await answer.reached;
    const { user_id: id } = await linkedAccount(world, 'unlinked');
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const path = `/admin/users/${String(id)}/identities/${PROVIDER}`;
    expect((await world.request(path, { method: 'DELETE', headers })).status).toBe(204);
    answer.release();
    expect((await reading).status).toBe(401);
    expect((await read(world, token, { face: 'onezone' })).status).toBe(404);
    expect(await linkedAccount(world, 'unlinked')).toMatchObject({ status: 'sign-in-only', refresh_token: null });
  });

  it('linking again during a refresh wins', async () => {
    const token = await linked('relinked');
    const answer = holdNextAnswer(world);
    const reading = read(world, token);
    await answer.reached;
    const { given } = await signInCapturing(world, 'relinked');
    answer.release();
    expect((await reading).token).toBe(given['access_token']);
    await served('relinked', token);
  });

  it('blocking the user and deleting the provider take effect at once, during a refresh as well', async () => {
    const token = await linked('changed');
    const answer = holdNextAnswer(world);
    const reading = read(world, token);
    await answer.reached;
    const { user_id: id } = await linkedAccount(world, 'changed');
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const block = (blocked: boolean) =>
      world.request(`/admin/users/${String(id)}`, { method: 'PATCH', headers, json: { blocked } });
    expect((await block(true)).status).toBe(200);
    expect((await read(world, token)).token).toBeUndefined();
    answer.release();
    await reading;
    expect((await read(world, token, { face: 'onezone' })).token).toBeUndefined();
    expect((await block(false)).status).toBe(200);
    const gone = { method: 'DELETE', headers };
    expect((await world.request('/admin/identity-providers/online-only', gone)).status).toBe(204);
    expect((await world.pace(token, 'online-only')).status).toBe(404);
  });

  it.each([
    ['an hour back', -AN_HOUR_MS],
    ['an hour ahead', AN_HOUR_MS],
  ])(
    'restarted with a clock that is %s: nobody is lost, and nothing waits for the time to come',
    async (what, offset) => {
      const login = (name: string): string => `${name}-${what.replaceAll(' ', '-')}`;
      const accounts = {
        fresh: await linked(login('fresh'), 3000),
        waiting: await linked(login('waiting'), -1, 10),
        held: await linked(login('held'), -1, 10),
      };
      world.upstream.failNext(1);
      expect((await read(world, accounts.waiting)).status).toBe(AWAY.pace);
      for (let failure = 1; failure <= 5; failure += 1) await signInAs('ada', `wrong password ${failure}`);
      expect((await signInAs('ada', RIGHT)).status).toBe(401);
      world.upstream.failNext(1);
      world.upstream.withhold('request');
      const reading = read(world, accounts.held).catch(() => undefined);
      await world.upstream.waitForTokenRequest();
      unavoidable.push(...world.upstream.refreshTokensSeen);
      await world.restart('kill', { ...SKEWED_CLOCK, CLOCK_OFFSET_MS: String(offset) });
      await world.heal();
      await reading;
      for (const [name, token] of Object.entries(accounts)) await served(login(name), token);
      expect((await signInAs('ada', RIGHT)).status).toBe(404);

      await world.restart('stop', { CLOCK_OFFSET_MS: '0' });
      for (const [name, token] of Object.entries(accounts)) await served(login(name), token);
    },
  );

  /** By the password that Onezone takes; nothing is linked to it. */
  function signInAs(username: string, password: string): Promise<{ status: number }> {
    world.ledger.add(password, 'password');
    return world.request(`/api/v3/onezone/user/idp_access_token/${PROVIDER}`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
    });
  }

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
