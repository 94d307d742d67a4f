import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { UpstreamFailure } from '../../../scripts/upstream-provider.mjs';
import { databases, type Row } from '../../support/databases.js';
import type { Service } from '../../support/service.js';
import {
  audited,
  endBackOff,
  eventually,
  linkedAccount,
  read,
  redemptions,
  setRemaining,
  signInCapturing,
  updateAccount,
} from '../../support/vault.js';
import { createWorld, type World } from '../../support/world.js';

const failures: { name: string; failure: UpstreamFailure }[] = [
  { name: '500', failure: { status: 500 } },
  { name: '503 with a page', failure: { status: 503, body: '<html>Down for maintenance</html>' } },
  { name: '429', failure: { status: 429 } },
  { name: 'a cut connection', failure: { reset: true } },
  { name: 'garbage', failure: { status: 200, body: '\u0000}{ not JSON' } },
  { name: 'no access token', failure: { status: 200, body: { token_type: 'Bearer' } } },
  { name: '10 MB', failure: { status: 200, body: 'x'.repeat(10 * 1024 * 1024) } },
  { name: 'a 400 that is not JSON', failure: { status: 400, body: '<html>Bad Request</html>' } },
  { name: 'a 403 of a firewall', failure: { status: 403, body: '<html>Blocked</html>' } },
];

describe.each(databases)('a provider that fails, on $name', (kind) => {
  let world: World;
  /** Another process, where the database has several. */
  let elsewhere: Service;
  beforeAll(async () => {
    world = await createWorld(kind, { env: { UPSTREAM_TIMEOUT_MS: '1500', UPSTREAM_LEASE_MS: '6500' } });
    elsewhere = kind.name === 'postgres' ? await world.startReplica() : world.service;
  });
  afterAll(async () => {
    await world.stop();
  });
  beforeEach(() => world.upstream.resetCounts());
  afterEach(() => world.database.query('DELETE FROM upstream_circuits'));

  const attempted = (): number => redemptions(world).attempted;
  const circuits = async (): Promise<Row[]> => world.database.query('SELECT * FROM upstream_circuits');
  /** Links an account whose access token has to be refreshed. */
  const linked = async (login: string, secondsLeft = -1): Promise<{ token: string; accessToken: unknown }> => {
    const { token, given } = await signInCapturing(world, login);
    await setRemaining(world, login, secondsLeft);
    return { token, accessToken: given['access_token'] };
  };
  /** Fails where nobody was told to wait; then lets the test take its time. */
  const prolongWait = async (login: string): Promise<void> => {
    expect(Number((await linkedAccount(world, login))['retry_at'])).toBeGreaterThan(Date.now() - 5_000);
    await updateAccount(world, login, { retry_at: Date.now() + 600_000 });
  };
  const expectAway = async (token: string): Promise<void> => {
    const [onezone, pace] = [await read(world, token, { face: 'onezone', at: elsewhere }), await world.pace(token)];
    expect([onezone.status, pace.status]).toEqual([503, 500]);
    expect(Number(onezone.retryAfter)).toBeGreaterThan(0);
    const { errors } = pace.json<{ errors: { meta: { retry_after: number } }[] }>();
    expect(String(errors[0]?.meta.retry_after)).toBe(pace.headers.get('retry-after'));
  };

  describe('promise 9: nobody is hurt by it', () => {
    it.each(failures)(
      '$name: a valid token is served, others are told to wait, nobody asks again too early',
      async ({ name, failure }) => {
        const login = `p9-${name.replaceAll(' ', '-')}`;
        const { token, accessToken } = await linked(login, 100);
        world.upstream.failNext(1, failure);
        expect((await read(world, token)).token).toBe(accessToken);
        expect(await linkedAccount(world, login)).toMatchObject({
          status: 'active',
          last_error: 'unavailable',
          failures: 1,
          lease_owner: null,
        });
        await prolongWait(login);
        expect((await read(world, token, { at: elsewhere })).token).toBe(accessToken);
        await setRemaining(world, login, -1);
        await expectAway(token);
        expect(attempted()).toBe(1);
        expect(await linkedAccount(world, login)).toMatchObject({ failures: 1, lease_owner: null });

        await endBackOff(world, login);
        const refreshed = await read(world, token);
        expect(refreshed.status).toBe(200);
        expect(refreshed.token).not.toBe(accessToken);
        expect(await linkedAccount(world, login)).toMatchObject({ failures: 0, retry_at: null, last_error: null });
        expect(await circuits()).toEqual([]);
      },
    );

    it('a provider that hangs: the same', async () => {
      const { token, accessToken } = await linked('p9-hangs', 100);
      world.upstream.failNext(1);
      world.upstream.withhold('request');
      try {
        expect((await read(world, token)).token).toBe(accessToken);
        await eventually('it is given up', async () => (await linkedAccount(world, 'p9-hangs'))['failures'] === 1);
      } finally {
        world.upstream.release();
      }
      await prolongWait('p9-hangs');
      await setRemaining(world, 'p9-hangs', -1);
      await expectAway(token);
      expect(attempted()).toBe(1);
      await endBackOff(world, 'p9-hangs');
      expect((await read(world, token)).status).toBe(200);
    });

    it('waits longer after each failure', async () => {
      const { token } = await linked('p9-longer');
      for (const longestMs of [2_000, 4_000, 8_000]) {
        world.upstream.failNext(1);
        const before = Date.now();
        expect((await read(world, token, { face: 'onezone' })).status).toBe(503);
        const waitMs = Number((await linkedAccount(world, 'p9-longer'))['retry_at']) - before;
        expect(waitMs).toBeGreaterThanOrEqual(longestMs / 2);
        await endBackOff(world, 'p9-longer');
      }
      expect((await linkedAccount(world, 'p9-longer'))['failures']).toBe(3);
      expect(await audited(world, 'p9-longer')).toContainEqual(
        expect.objectContaining({ event: 'upstream-token.refreshed', outcome: 'failure', reason: 'unavailable' }),
      );
    });

    it('promise 10: linking again ends the wait', async () => {
      const { token } = await linked('p10-waiting');
      world.upstream.failNext(1, { status: 500 });
      expect((await read(world, token)).status).toBe(500);
      await prolongWait('p10-waiting');
      await expectAway(token);
      expect(attempted()).toBe(1);
      const before = await linkedAccount(world, 'p10-waiting');
      const { given } = await signInCapturing(world, 'p10-waiting');
      expect((await read(world, token)).token).toBe(given['access_token']);
      const after = await linkedAccount(world, 'p10-waiting');
      expect(after).toMatchObject({ failures: 0, retry_at: null, last_error: null });
      expect(Number(after['generation'])).toBeGreaterThan(Number(before['generation']));
      await setRemaining(world, 'p10-waiting', -1);
      expect((await read(world, token)).status).toBe(200);
    });
  });

  describe('promise 9: a provider is left alone by all', () => {
    it('429 with Retry-After: no account of it is refreshed by anybody until then, and then by one', async () => {
      const first = await linked('p9-told');
      const other = await linked('p9-told-other');
      const valid = await linked('p9-told-valid', 100);
      world.upstream.failNext(1, { status: 429, headers: { 'retry-after': '600' } });
      expect((await read(world, first.token, { face: 'onezone' })).retryAfter).toBe('600');
      for (const at of [world.service, elsewhere]) {
        const refused = await read(world, other.token, { face: 'onezone', at });
        expect(refused.status).toBe(503);
        expect(Number(refused.retryAfter)).toBeGreaterThan(500);
        expect(Number(refused.retryAfter)).toBeLessThanOrEqual(600);
        expect((await read(world, valid.token, { at })).token).toBe(valid.accessToken);
      }
      expect(attempted()).toBe(1);
      expect(await linkedAccount(world, 'p9-told-other')).toMatchObject({ failures: 0, lease_owner: null });

      await world.database.query('UPDATE upstream_circuits SET retry_at = 1');
      expect((await read(world, other.token, { at: elsewhere })).status).toBe(200);
      expect(await circuits()).toEqual([]);
      // Its own time is not over.
      expect((await read(world, first.token, { face: 'onezone' })).status).toBe(503);
      await endBackOff(world, 'p9-told');
      expect((await read(world, first.token)).status).toBe(200);
      expect(attempted()).toBe(3);
    });

    it('five failures in a row: one asks whether it is back, and the others wait for what comes of it', async () => {
      const logins = [1, 2, 3, 4, 5].map((number) => `p9-in-a-row-${number}`);
      const accounts = [];
      for (const login of logins) accounts.push(await linked(login));
      const [probing, waiting] = [await linked('p9-probing'), await linked('p9-probed')];
      world.upstream.failNext(5);
      for (const { token } of accounts) expect((await read(world, token, { face: 'onezone' })).status).toBe(503);
      expect(await circuits()).toMatchObject([{ failures: 5 }]);
      await world.database.query('UPDATE upstream_circuits SET retry_at = ?', [Date.now() + 600_000]);
      expect((await read(world, probing.token, { face: 'onezone' })).status).toBe(503);
      expect(attempted()).toBe(5);

      await world.database.query('UPDATE upstream_circuits SET retry_at = 1');
      world.upstream.failNext(1);
      world.upstream.withhold('request');
      const probe = read(world, probing.token, { face: 'onezone' });
      await world.upstream.waitForTokenRequest();
      expect((await read(world, waiting.token, { face: 'onezone', at: elsewhere })).status).toBe(503);
      world.upstream.release();
      expect((await probe).status).toBe(503);
      await world.database.query('UPDATE upstream_circuits SET retry_at = ?', [Date.now() + 600_000]);
      expect((await read(world, waiting.token, { face: 'onezone', at: elsewhere })).status).toBe(503);
      expect(attempted()).toBe(6);
      expect(await circuits()).toMatchObject([{ failures: 6 }]);

      // Who signs in has fresh tokens; the pause that holds for the others is not shortened by it.
      const { token } = await signInCapturing(world, 'p9-signs-in');
      expect((await read(world, token, { face: 'onezone' })).status).toBe(200);
      expect((await read(world, waiting.token, { face: 'onezone', at: elsewhere })).status).toBe(503);
      await world.database.query('UPDATE upstream_circuits SET retry_at = 1');
      expect((await read(world, waiting.token, { at: elsewhere })).status).toBe(200);
      expect(await circuits()).toEqual([]);
    });
  });

  it('promise 9: a provider that is misconfigured costs no user the link, and is not asked by each reader', async () => {
    const { token, accessToken } = await linked('p9-misconfigured', 100);
    world.upstream.failNext(1, { status: 401, body: { error: 'invalid_client' } });
    expect((await read(world, token)).token).toBe(accessToken);
    await prolongWait('p9-misconfigured');
    await setRemaining(world, 'p9-misconfigured', -1);
    const onezone = await read(world, token, { face: 'onezone', at: elsewhere });
    const pace = await read(world, token);
    expect([onezone.status, onezone.retryAfter, pace.status]).toEqual([500, null, 500]);
    expect(attempted()).toBe(1);
    expect(await circuits()).toEqual([]);
    expect(await linkedAccount(world, 'p9-misconfigured')).toMatchObject({
      status: 'active',
      last_error: 'misconfigured',
    });
    await endBackOff(world, 'p9-misconfigured');
    expect((await read(world, token)).status).toBe(200);
  });

  it.each([
    ['invalid_grant', 'invalid_grant'],
    ['interaction_required', 'interaction_required'],
  ])('promise 9: %s asks for the user, once and for all', async (error, reason) => {
    const login = `p9-${error}`;
    const { token } = await linked(login);
    world.upstream.failNext(1, { status: 400, body: { error } });
    expect((await read(world, token, { face: 'onezone' })).status).toBe(404);
    expect((await read(world, token, { at: elsewhere })).status).toBe(401);
    expect(await linkedAccount(world, login)).toMatchObject({ status: 'reauthentication-required', reason });
    expect(attempted()).toBe(1);
  });

  it('promise 12: a token that arrives expired is not served, and not fetched again and again', async () => {
    const { token } = await linked('p12-expired');
    world.upstream.alterNext(1, (body) => ({ ...body, expires_in: 0 }));
    expect((await read(world, token)).status).toBe(500);
    await prolongWait('p12-expired');
    await expectAway(token);
    expect(attempted()).toBe(1);
    expect(await linkedAccount(world, 'p12-expired')).toMatchObject({
      status: 'active',
      last_error: 'expired-on-arrival',
      failures: 1,
      lease_owner: null,
    });
    expect(await audited(world, 'p12-expired')).toContainEqual(
      expect.objectContaining({ event: 'upstream-token.refreshed', outcome: 'failure', reason: 'expired-on-arrival' }),
    );
    await endBackOff(world, 'p12-expired');
    expect((await read(world, token)).status).toBe(200);
    expect(redemptions(world)).toEqual({ attempted: 2, reused: false });
  });

  it('leaves no secret in any output or in the database', async () => {
    expect(world.upstream.serverErrors).toEqual([]);
    await world.assertNoLeaks();
  });
});
