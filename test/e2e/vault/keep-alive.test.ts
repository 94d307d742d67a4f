import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databases, type Row } from '../../support/databases.js';
import type { Service } from '../../support/service.js';
import {
  audited,
  endBackOff,
  eventually,
  linkedAccount,
  read,
  redemptions,
  runJob,
  setRemaining,
  signInCapturing,
  updateAccount,
} from '../../support/vault.js';
import { createWorld, PROVIDER, type World } from '../../support/world.js';

const HOUR_MS = 3_600_000;
const IDLE_SECONDS = 24 * 3600;
const REFRESHED = { event: 'upstream-token.refreshed', outcome: 'success' };

describe.each(databases)('refreshing in the background on $name', (kind) => {
  const several = kind.name === 'postgres';
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind, {
      configure: ({ identity_providers: providers = [], ...rest }) => ({
        ...rest,
        identity_providers: (providers as Row[]).map((provider) =>
          provider['id'] === PROVIDER ? { ...provider, refresh_token_idle_lifetime: IDLE_SECONDS } : provider,
        ),
      }),
    });
    await runJob(world, 'keep-alive');
  });
  afterAll(async () => {
    await world.stop();
  });
  beforeEach(() => world.upstream.resetCounts());
  afterEach(() => world.database.query('DELETE FROM upstream_circuits'));

  /** An account whose refresh token was obtained so long ago that it has to be refreshed soon. */
  const linkedLongAgo = async (login: string): Promise<{ token: string; given: Row }> => {
    const signedIn = await signInCapturing(world, login);
    await updateAccount(world, login, { refresh_token_used_at: Date.now() - 13 * HOUR_MS });
    return signedIn;
  };
  const seen = () => world.upstream.refreshTokensSeen.toSorted();

  it('promise 17: refreshes what would die unused, once, and nothing else', async () => {
    const [a, b] = [await linkedLongAgo('p17-a'), await linkedLongAgo('p17-b')];
    const fresh = await signInCapturing(world, 'p17-fresh');
    await runJob(world, 'keep-alive');
    await runJob(world, 'keep-alive');
    expect(seen()).toEqual([a, b].map(({ given }) => String(given['refresh_token'])).toSorted());
    expect((await audited(world, 'p17-a')).at(-1)).toMatchObject({ ...REFRESHED, client_id: null });
    expect(await linkedAccount(world, 'p17-a')).toMatchObject({ status: 'active', lease_owner: null, read_at: null });
    expect((await read(world, a.token)).token).not.toBe(a.given['access_token']);
    expect((await read(world, fresh.token)).token).toBe(fresh.given['access_token']);
    expect(redemptions(world).attempted).toBe(2);
  });

  it('promise 17: believes what the provider says of how long a refresh token lives', async () => {
    const said = [
      ['p17-said', { refresh_token_expires_in: 1000 }],
      ['p17-keycloak', { refresh_expires_in: '1000' }],
      ['p17-never', { refresh_expires_in: 0 }],
    ] as const;
    for (const [login, members] of said) {
      await signInCapturing(world, login, (body) => ({ ...body, ...members }));
      await updateAccount(world, login, { refresh_token_used_at: Date.now() - 1_100_000 });
    }
    expect((await linkedAccount(world, 'p17-never'))['refresh_token_expires_at']).toBeNull();
    const { obtained_at: obtainedAt, ...row } = await linkedAccount(world, 'p17-said');
    expect(row['refresh_token_expires_at']).toBe(Number(obtainedAt) + 1_000_000);
    await runJob(world, 'keep-alive');
    expect(world.upstream.counts.refresh).toEqual({ attempted: 2, succeeded: 2 });
    // The next one is said nothing of.
    expect((await linkedAccount(world, 'p17-said'))['refresh_token_expires_at']).toBeNull();
    expect((await audited(world, 'p17-keycloak')).at(-1)).toMatchObject(REFRESHED);
  });

  it('promise 17: leaves a provider alone that asks for it, and an account that was refused for now', async () => {
    for (const login of ['p17-told-a', 'p17-told-b', 'p17-told-c']) await linkedLongAgo(login);
    world.upstream.failNext(1, { status: 429, headers: { 'retry-after': '120' } });
    await runJob(world, 'keep-alive');
    await runJob(world, 'keep-alive');
    expect(redemptions(world).attempted).toBe(1);
    await world.database.query('DELETE FROM upstream_circuits');
    await runJob(world, 'keep-alive');
    expect(world.upstream.counts.refresh).toEqual({ attempted: 3, succeeded: 2 });
    await endBackOff(world);
    await runJob(world, 'keep-alive');
    expect(world.upstream.counts.refresh).toEqual({ attempted: 4, succeeded: 3 });
  });

  it('promise 17: a refresh token that has died says so to its user', async () => {
    const { token } = await linkedLongAgo('p17-dead');
    world.upstream.failNext(1, { status: 400, body: { error: 'invalid_grant' } });
    await runJob(world, 'keep-alive');
    expect(await linkedAccount(world, 'p17-dead')).toMatchObject({
      status: 'reauthentication-required',
      reason: 'invalid_grant',
    });
    expect((await read(world, token)).status).toBe(401);
  });

  it('promise 17: the process that does it dies, and another goes on when its lease has ended', async () => {
    const logins = ['p17-dies-a', 'p17-dies-b', 'p17-dies-c'];
    for (const login of logins) await linkedLongAgo(login);
    world.upstream.failNext(1);
    world.upstream.withhold('request');
    await world.database.query(`UPDATE jobs SET next_run_at = 0 WHERE name = 'keep-alive'`);
    await world.upstream.waitForTokenRequest();
    const other = several ? await world.startReplica() : undefined;
    await world.restart('kill');
    world.upstream.release();
    const [job] = await world.database.query(`SELECT * FROM jobs WHERE name = 'keep-alive'`);
    expect(job).toMatchObject({ lease_owner: expect.any(String) as string, next_run_at: null });
    expect(redemptions(world).attempted).toBe(1);
    await world.database.query('UPDATE linked_accounts SET lease_expires_at = 1 WHERE lease_owner IS NOT NULL');
    await world.database.query(`UPDATE jobs SET lease_expires_at = 1, outcome = NULL WHERE name = 'keep-alive'`);
    await eventually('another one has done it', async () => {
      const [row] = await world.database.query(`SELECT outcome FROM jobs WHERE name = 'keep-alive'`);
      return row?.['outcome'] === 'done';
    });
    await runJob(world, 'keep-alive');
    // The one that was being asked for was not answered, so it is asked for again; nobody else is.
    expect(world.upstream.counts.refresh).toEqual({ attempted: 4, succeeded: 3 });
    expect(new Set(seen()).size).toBe(3);
    for (const login of logins) {
      expect(await linkedAccount(world, login)).toMatchObject({ status: 'active', refresh_intent_at: null });
    }
    await other?.stop();
  });

  it('promise 17: one of several processes does it, and none redeems what a reader redeems meanwhile', async () => {
    const services: Service[] = several
      ? [world.service, await world.startReplica(), await world.startReplica()]
      : [world.service];
    const logins = ['a', 'b', 'c', 'd'].map((name) => `p17-shared-${name}`);
    const tokens: string[] = [];
    for (const login of logins) {
      tokens.push((await linkedLongAgo(login)).token);
      await setRemaining(world, login, -1);
    }
    const readings = tokens.flatMap((token) => services.map((at) => ({ token, at })));
    const [answers] = await Promise.all([
      Promise.all(readings.map(({ token, at }) => read(world, token, { at }))),
      runJob(world, 'keep-alive'),
    ]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const { attempted, reused } = redemptions(world);
    expect({ attempted, reused }).toEqual({ attempted: logins.length, reused: false });
    for (const service of services.slice(1)) expect(await service.stop()).toBe(0);
  });

  it('promise 6: verifies later what could not be verified when it came, and then believes the answer', async () => {
    const [right, wrong] = [await signInCapturing(world, 'p6-right'), await signInCapturing(world, 'p6-wrong')];
    for (const login of ['p6-right', 'p6-wrong']) await setRemaining(world, login, -1);
    await world.upstream.rotateSigningKeys();
    const other = await world.upstream.signIdToken({ sub: 'somebody else' });
    world.upstream.failNext(1, { status: 503 }, 'jwks');
    expect((await read(world, right.token)).status).toBe(200);
    world.upstream.alterNext(1, (body) => {
      const [header, payload] = String(body['id_token']).split('.');
      return { ...body, id_token: `${header}.${payload}.${other.split('.')[2]}` };
    });
    expect((await read(world, wrong.token)).status).toBe(200);
    // It waits for what it is verifying; the next one has no keys yet.
    await world.restart('stop');
    const verified = async (login: string) => Boolean((await linkedAccount(world, login))['verified']);
    expect([await verified('p6-right'), await verified('p6-wrong')]).toEqual([false, false]);
    for (const login of ['p6-right', 'p6-wrong']) await updateAccount(world, login, { updated_at: 1 });
    await runJob(world, 'keep-alive');
    expect(await verified('p6-right')).toBe(true);
    expect(await linkedAccount(world, 'p6-wrong')).toMatchObject({
      status: 'reauthentication-required',
      reason: 'id_token_invalid',
      access_token: null,
      refresh_token: null,
    });
    expect((await read(world, wrong.token)).status).toBe(401);
  });

  it('promise 6: a key that was retired before its id_token could be verified costs no user the account', async () => {
    const { token } = await signInCapturing(world, 'p6-retired');
    await setRemaining(world, 'p6-retired', -1);
    await world.upstream.rotateSigningKeys();
    world.upstream.failNext(1, { status: 503 }, 'jwks');
    expect((await read(world, token)).status).toBe(200);
    await world.restart('stop');
    await world.upstream.rotateSigningKeys({ keepOld: false });
    await updateAccount(world, 'p6-retired', { updated_at: 1 });
    await runJob(world, 'keep-alive');
    const { status, verified } = await linkedAccount(world, 'p6-retired');
    expect([status, Boolean(verified)]).toEqual(['active', false]);
    expect((await read(world, token)).status).toBe(200);
  });

  it('leaves no secret in any output or in the database', async () => {
    expect(world.upstream.serverErrors).toEqual([]);
    await world.assertNoLeaks();
  });
});
