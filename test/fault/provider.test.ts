import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { UpstreamFailure } from '../../scripts/upstream-provider.mjs';
import {
  endBackOff,
  eventually,
  linkedAccount,
  read,
  redemptions,
  setRemaining,
  signInCapturing,
} from '../support/vault.js';
import { createCluster, type Cluster, type Replica } from './support/cluster.js';
import { expectPromisesKept, reused } from './support/promises.js';
import { everybodyReads, isRetryable } from './support/reading.js';

const POOL_SIZE = 6;
const CONNECTIONS = 4;
const WAITING_READERS = 20;
const USERS = 12;
const CAPS = [
  ['symbolon_database_pool_connections{state="total"}', POOL_SIZE],
  ['symbolon_upstream_connections', CONNECTIONS],
  ['symbolon_vault_waiting_readers', WAITING_READERS],
] as const;

/** Ways of not giving tokens; the last two have used up the refresh token by then, which a grace period forgives. */
const flaps: UpstreamFailure[] = [
  { status: 500 },
  { reset: true },
  { status: 503, body: '<html>Back soon</html>' },
  { hang: true },
  { status: 429 },
  { status: 502, afterProcessing: true },
  { reset: true, afterProcessing: true },
];

describe('a provider that is slow, flaps or limits the rate', () => {
  let cluster: Cluster;
  const users: { login: string; token: string }[] = [];
  beforeAll(async () => {
    cluster = await createCluster({
      replicas: 2,
      upstream: { graceMs: 600_000 },
      env: {
        DATABASE_POOL_SIZE: String(POOL_SIZE),
        UPSTREAM_MAX_CONNECTIONS: String(CONNECTIONS),
        MAX_WAITING_READERS: String(WAITING_READERS),
        // Long enough to look around while the provider keeps silent.
        UPSTREAM_TIMEOUT_MS: '4000',
        UPSTREAM_LEASE_MS: '10000',
      },
    });
    for (let index = 0; index < USERS; index += 1) {
      const login = `user-${index}`;
      users.push({ login, token: (await signInCapturing(cluster, login)).token });
    }
  });
  afterAll(() => cluster.stop());
  afterEach(async () => {
    await cluster.heal();
    await endBackOff(cluster);
    await cluster.database.query('DELETE FROM upstream_circuits');
  });

  const forgetPeaks = (): void => {
    for (const { database } of cluster.replicas) database.forgetPeak();
    cluster.provider.forgetPeak();
  };
  /** Connections are counted as they come, so no moment is left out. */
  const expectCapsKept = (): void => {
    for (const { database } of cluster.replicas) expect(database.peak).toBeLessThanOrEqual(POOL_SIZE);
    expect(cluster.provider.peak).toBeLessThanOrEqual(CONNECTIONS * cluster.replicas.length);
  };
  /** What each process says of itself, again and again until `end()`. */
  const sampling = () => {
    const end = new AbortController();
    let samples = 0;
    const sample = async ({ url }: Replica): Promise<void> => {
      const text = (await cluster.browser().request(`${url}/metrics`)).text();
      for (const [name, maximum] of CAPS) {
        const [, value] = new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\d+)$`, 'm').exec(text) ?? [];
        expect([name, Number(value) <= maximum]).toEqual([name, true]);
      }
      samples += 1;
    };
    const sampled = Promise.all(
      cluster.replicas.map(async (replica) => {
        while (!end.signal.aborted) await sample(replica);
      }),
    );
    return async (): Promise<number> => {
      end.abort();
      await sampled;
      return samples;
    };
  };
  const everybodyIsServed = async (): Promise<void> => {
    await endBackOff(cluster);
    await cluster.database.query('DELETE FROM upstream_circuits');
    for (const { login, token } of users) {
      const readings = await everybodyReads(cluster, token, login);
      expect(new Set(readings.map(({ status }) => status))).toEqual(new Set([200]));
    }
  };

  it('slow: who has a valid token is served, the others are told to come back, and nothing grows beyond its maximum', async () => {
    await Promise.all(users.map(({ login }, index) => setRemaining(cluster, login, index % 2 === 0 ? 100 : -1)));
    cluster.upstream.resetCounts();
    await eventually('no browser of the tests is among those that are counted', () => cluster.provider.open === 0);
    forgetPeaks();
    cluster.upstream.withhold('request');
    const endSampling = sampling();
    const face = 'onezone';
    const readings = await Promise.all(
      Array.from({ length: 8 }, () => users)
        .flat()
        .map(async ({ token, login }, index) => {
          const at = cluster.replicas[index % 2] ?? cluster.service;
          const reading = await read(cluster, token, { face, at });
          const valid = reading.status === 200 && cluster.upstream.holderOf(reading.token ?? '') === login;
          return { login, said: valid ? 'served' : isRetryable(reading, face) ? 'later' : String(reading.status) };
        }),
    );
    const said = (even: boolean) =>
      new Set(readings.filter(({ login }) => (Number(login.slice(5)) % 2 === 0) === even).map((each) => each.said));
    expect([said(true), said(false)]).toEqual([new Set(['served']), new Set(['later'])]);
    expect(cluster.upstream.counts.refresh.attempted).toBeGreaterThan(0);
    expect(await endSampling()).toBeGreaterThan(cluster.replicas.length);
    cluster.upstream.release();
    expectCapsKept();
    await everybodyIsServed();
    expect(cluster.provider.peak).toBeLessThanOrEqual(CONNECTIONS * cluster.replicas.length);
  });

  it('slow: no more callers wait than may, the others are told at once', async () => {
    const [{ login, token } = { login: '', token: '' }] = users;
    const replica: Replica | undefined = cluster.replicas[1];
    await setRemaining(cluster, login, -1);
    cluster.upstream.withhold('request');
    const first = read(cluster, token, { face: 'onezone', at: replica ?? cluster.service });
    await cluster.upstream.waitForTokenRequest();
    let waiting = 0;
    let firstIsAnswered = false;
    void first.finally(() => {
      firstIsAnswered = true;
    });
    const endSampling = sampling();
    const readings = Array.from({ length: 5 * WAITING_READERS }, async () => {
      waiting += 1;
      const reading = await read(cluster, token, { face: 'onezone', at: replica ?? cluster.service });
      waiting -= 1;
      return reading;
    });
    await eventually('the others are answered', () => firstIsAnswered || waiting < WAITING_READERS);
    expect(firstIsAnswered).toBe(false);
    expect(await endSampling()).toBeGreaterThan(0);
    cluster.upstream.release();
    const all = await Promise.all([first, ...readings]);
    expect(all.filter((reading) => reading.status === 200).length).toBe(WAITING_READERS);
    for (const reading of all) expect(reading.status === 200 || isRetryable(reading, 'onezone')).toBe(true);
  });

  it.each(flaps.map((failure, index) => ({ failure, index })))(
    'flapping costs no user: $failure',
    async ({ failure, index }) => {
      const login = `user-${index}`;
      const token = users[index]?.token ?? '';
      for (const _ of [1, 2]) {
        await setRemaining(cluster, login, -1);
        cluster.upstream.failNext(1, failure);
        const [one, other] = await Promise.all(
          cluster.replicas.map((at) => read(cluster, token, { face: 'onezone', at })),
        );
        // Whoever comes after the failure is told as well, until it is time to try again.
        for (const reading of [one, other]) expect(reading?.status).toBe(503);
        await endBackOff(cluster);
        await cluster.database.query('DELETE FROM upstream_circuits');
        const readings = await everybodyReads(cluster, token, login);
        expect(new Set(readings.map(({ status }) => status))).toEqual(new Set([200]));
        expect(await linkedAccount(cluster, login)).toMatchObject({
          status: 'active',
          failures: 0,
          refresh_intent_at: null,
        });
      }
    },
  );

  it('limiting the rate: one is told, all heed it, and everybody is served when the time is over', async () => {
    await Promise.all(users.map(({ login }, index) => setRemaining(cluster, login, index % 2 === 0 ? 100 : -1)));
    cluster.upstream.resetCounts();
    cluster.upstream.failNext(1, { status: 429, headers: { 'retry-after': '600' } });
    expect((await read(cluster, users[1]?.token ?? '', { face: 'onezone' })).retryAfter).toBe('600');
    for (const at of cluster.replicas) {
      for (const [index, { login, token }] of users.entries()) {
        const reading = await read(cluster, token, { face: 'onezone', at });
        expect([login, reading.status]).toEqual([login, index % 2 === 0 ? 200 : 503]);
        if (reading.status === 503) expect(Number(reading.retryAfter)).toBeGreaterThan(400);
      }
    }
    expect(redemptions(cluster).attempted).toBe(1);
    await everybodyIsServed();
  });

  it('keeps the promises and leaks nothing', async () => {
    expect(
      await cluster.database.query(`SELECT 1 FROM linked_accounts WHERE status <> 'active' AND subject LIKE 'user-%'`),
    ).toEqual([]);
    await expectPromisesKept(cluster, { unavoidable: reused(cluster) });
    await cluster.assertNoLeaks();
  });
});
