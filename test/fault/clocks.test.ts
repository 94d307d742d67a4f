import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usesDatabase } from '../support/database-names.js';
import {
  eventually,
  linkedAccount,
  read,
  redemptions,
  setRemaining,
  signInCapturing,
  updateAccount,
  type FaceName,
  type Reading,
} from '../support/vault.js';
import { PROVIDER } from '../support/world.js';
import { createCluster, type Cluster } from './support/cluster.js';
import { expectPromisesKept } from './support/promises.js';
import { SKEWED_CLOCK, stepClock } from './support/skewed-clock.js';

const MINUTE_MS = 60_000;
/** Four processes and a database, on a machine that does much else. */
const START_WITHIN_MS = 180_000;
const READERS = 60;
const EXPIRIES = 10;
const FACES: readonly FaceName[] = ['pace', 'onezone'];
const RIGHT = 'correct horse battery staple';

/** Five minutes ahead, right, five minutes behind; the last one is stepped back by an hour while it runs. */
const OFFSETS_MS = [5 * MINUTE_MS, 0, -5 * MINUTE_MS];
const STEPPED = OFFSETS_MS.length - 1;

describe.skipIf(!usesDatabase('postgres'))('replicas whose wall clocks differ', () => {
  let cluster: Cluster;
  /** Refresh tokens of which one that was killed may have made use. */
  const unavoidable: string[] = [];
  beforeAll(async () => {
    cluster = await createCluster({
      env: { ...SKEWED_CLOCK, UPSTREAM_TIMEOUT_MS: '3000', UPSTREAM_LEASE_MS: '8000' },
      upstream: { graceMs: 10 * MINUTE_MS },
      envOf: (replica) => ({
        CLOCK_OFFSET_MS: String(OFFSETS_MS[replica] ?? 0),
        CLOCK_STEP_MS: String(-60 * MINUTE_MS),
      }),
    });
  }, START_WITHIN_MS);
  afterAll(() => cluster.stop());

  const expired = async (subject: string): Promise<void> => {
    cluster.upstream.expireAccessTokens(subject);
    await setRemaining(cluster, subject, -1);
  };
  const everywhere = (token: string, readers = 2 * OFFSETS_MS.length): Promise<Reading[]> =>
    Promise.all(
      Array.from({ length: readers }, (_, index) => {
        const at = cluster.replicas[Math.floor(index / 2) % cluster.replicas.length];
        return read(cluster, token, { face: FACES[index % 2] ?? 'pace', ...(at && { at }) });
      }),
    );
  const holders = (readings: readonly Reading[]): Set<string | undefined> =>
    new Set(readings.map(({ token }) => (token === undefined ? undefined : cluster.upstream.holderOf(token))));

  it('know that they differ: the preload works', () => {
    const dates = cluster.replicas.map(({ service }) => {
      const [, at = ''] = /"time":"?([^",]+)/.exec(service.output()) ?? [];
      return (/^\d+$/.test(at) ? Number(at) : Date.parse(at)) - Date.now();
    });
    expect(dates.map((differs) => Math.round(differs / (5 * MINUTE_MS)) + 0)).toEqual([1, 0, -1]);
  });

  it.each([
    ['five minutes apart', false],
    ['one of them stepped back by an hour', true],
  ])('%s: one redemption of every expiry, and every reader has a token that the provider takes', async (what, step) => {
    const subject = `expiries-${step ? 'stepped' : 'apart'}`;
    const { token } = await signInCapturing(cluster, subject);
    cluster.upstream.resetCounts();
    for (let expiry = 1; expiry <= EXPIRIES; expiry += 1) {
      await expired(subject);
      const reading = everywhere(token, READERS);
      if (step && expiry === EXPIRIES / 2) await stepClock(cluster.replicas[STEPPED]?.service ?? cluster.service);
      expect(holders(await reading)).toEqual(new Set([subject]));
      expect(redemptions(cluster), what).toEqual({ attempted: expiry, reused: false });
    }
  });

  it('count down the same token alike, and serve it no longer than it lives', async () => {
    const { token } = await signInCapturing(cluster, 'countdown');
    await setRemaining(cluster, 'countdown', 2000);
    const left = (await everywhere(token)).map(({ secondsLeft = 0 }) => secondsLeft);
    expect(Math.max(...left)).toBeLessThanOrEqual(2000);
    expect(Math.max(...left) - Math.min(...left)).toBeLessThanOrEqual(10);
    await setRemaining(cluster, 'countdown', 1);
    cluster.upstream.withhold('request');
    try {
      await eventually('it is served no more', async () =>
        (await everywhere(token)).every(({ token: served }) => served === undefined),
      );
      expect(Date.now()).toBeGreaterThan(Number((await linkedAccount(cluster, 'countdown'))['expires_at']) - 1_000);
    } finally {
      await cluster.heal();
    }
    unavoidable.push(...cluster.upstream.refreshTokensSeen);
  });

  it('take a lease over when it is over by the clock of the database, and not before', async () => {
    const { token } = await signInCapturing(cluster, 'lease');
    await expired('lease');
    cluster.upstream.resetCounts();
    for (const [remainingMs, redeemed] of [
      [2 * MINUTE_MS, 0],
      [-1, 1],
    ] as const) {
      await updateAccount(cluster, 'lease', {
        lease_owner: 'a dead one',
        lease_expires_at: Date.now() + remainingMs,
      });
      const readings = await everywhere(token);
      expect(redemptions(cluster)).toEqual({ attempted: redeemed, reused: false });
      expect(new Set(readings.map(({ status }) => status))).toEqual(new Set(redeemed === 1 ? [200] : [500, 503]));
    }
  });

  it('take the tokens that one of them gives at a sign-in, and the id_tokens of the provider', async () => {
    const { token } = await signInCapturing(cluster, 'abroad');
    expect(holders(await everywhere(token))).toEqual(new Set(['abroad']));
    await expired('abroad');
    expect(holders(await everywhere(token))).toEqual(new Set(['abroad']));
    await eventually('the id_token is verified', async () =>
      [1, true].includes((await linkedAccount(cluster, 'abroad'))['verified'] as never),
    );
  });

  it('throttle together: an attempt that one counted keeps the others waiting as long', async () => {
    for (let failure = 1; failure <= 7; failure += 1) {
      await cluster.database.query('UPDATE throttles SET blocked_until = 1 WHERE blocked_until IS NOT NULL');
      await attempt(cluster, `wrong password ${failure}`, cluster.service.url);
    }
    for (const { url } of cluster.replicas) {
      const { status, headers } = await attempt(cluster, RIGHT, url);
      expect(status).toBe(401);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(4);
    }
    await eventually('the right one is let in everywhere', async () =>
      (await Promise.all(cluster.replicas.map(({ url }) => attempt(cluster, RIGHT, url)))).every(
        ({ status }) => status === 404,
      ),
    );
  });

  it('hand a connect ticket from one to another', async () => {
    const { token } = await signInCapturing(cluster, 'ticket');
    await updateAccount(cluster, 'ticket', { status: 'reauthentication-required', reason: 'invalid_grant' });
    const headers = { authorization: `Bearer ${token}` };
    for (const [index, { url }] of cluster.replicas.entries()) {
      const answer = await cluster.browser().request(`${url}/federated-identities/${PROVIDER}/token`, {
        method: 'POST',
        headers,
      });
      const { errors } = answer.json<{ errors: { meta: { connect_url: string } }[] }>();
      const ticket = new URL(errors[0]?.meta.connect_url ?? '');
      const other = cluster.replicas[(index + 1) % cluster.replicas.length] ?? cluster.service;
      const page = await cluster.browser().get(`${other.url}${ticket.pathname}${ticket.search}`);
      expect(page.status).toBe(200);
    }
    await updateAccount(cluster, 'ticket', { status: 'active', reason: null });
  });

  it('keep every promise, and say no secret', async () => {
    // Set by hand above: nobody had them audited.
    await expectPromisesKept(cluster, { unavoidable });
    await cluster.assertNoLeaks();
  });
});

/** Onezone's way in by a password; nothing is linked to it. */
function attempt(cluster: Cluster, password: string, url: string) {
  cluster.ledger.add(password, 'password');
  return cluster.browser().request(`${url}/api/v3/onezone/user/idp_access_token/${PROVIDER}`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`ada:${password}`).toString('base64')}` },
  });
}
