import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  eventually,
  linkedAccount,
  read,
  redemptions,
  setRemaining,
  signInCapturing,
  updateAccount,
} from '../support/vault.js';
import { createCluster, type Cluster, type Replica } from './support/cluster.js';
import { expectPromisesKept } from './support/promises.js';
import { everybodyReads, isRetryable, readPatiently } from './support/reading.js';

interface Moment {
  when: string;
  /** Resolves when the refresh at that replica, which has been asked for, is there. */
  reached: (cluster: Cluster, replica: Replica) => Promise<void>;
}

const beforeIntent: Moment = {
  when: 'before the intent is written',
  reached: (_, { database }) => database.stopBefore('SET "refresh_intent_at"').reached,
};

const providerWorks: Moment = {
  when: 'while the provider works',
  reached: async ({ upstream }) => {
    upstream.withhold('request');
    await upstream.waitForTokenRequest();
  },
};

const duringWrite = (stop: (replica: Replica) => Promise<void>) => async (cluster: Cluster, replica: Replica) => {
  cluster.upstream.withhold('answer');
  await cluster.upstream.waitForTokenRequest();
  const stopped = stop(replica);
  cluster.upstream.release();
  await stopped;
};

const written: Moment = {
  when: 'while the answer is written',
  reached: duringWrite(({ database }) => database.stopBefore('DELETE FROM "upstream_circuits"').reached),
};

const committed: Moment = {
  when: 'when it is committed and nobody knows',
  reached: duringWrite(({ database }) => database.stopAfter('COMMIT').reached),
};

interface Fault {
  what: string;
  strike: (cluster: Cluster, replica: Replica) => Promise<void> | void;
  /** Whether it lasts until it is mended. */
  lasts: boolean;
}

const cut: Fault = { what: 'the connection is cut', strike: (_, { database }) => database.cut(), lasts: true };
const stalled: Fault = { what: 'the connection stalls', strike: (_, { database }) => database.stall(), lasts: true };
const restarted: Fault = {
  what: 'PostgreSQL is restarted',
  strike: (cluster) => cluster.restartDatabase('fast'),
  lasts: false,
};
const crashed: Fault = {
  what: 'PostgreSQL crashes and comes back',
  strike: (cluster) => cluster.restartDatabase('immediate'),
  lasts: false,
};

const cases: (Moment & Fault)[] = [
  { ...beforeIntent, ...cut },
  { ...providerWorks, ...cut },
  { ...written, ...cut },
  { ...committed, ...cut },
  { ...beforeIntent, ...stalled },
  { ...providerWorks, ...stalled },
  { ...written, ...stalled },
  { ...committed, ...stalled },
  { ...providerWorks, ...restarted },
  { ...written, ...restarted },
  { ...providerWorks, ...crashed },
  { ...written, ...crashed },
  { ...committed, ...crashed },
];

/** Longer than the database is ever away here: for so long the holder of a lease can save what it was given. */
const LEASE_MS = '30000';

describe('the database goes away and comes back', () => {
  let cluster: Cluster;
  let replica: Replica;
  let bystander: string;
  beforeAll(async () => {
    // Long enough for a test to have the provider withhold an answer and look at the database meanwhile.
    const env = { UPSTREAM_LEASE_MS: LEASE_MS, UPSTREAM_TIMEOUT_MS: '20000' };
    cluster = await createCluster({ replicas: 2, env });
    replica = await cluster.addReplica();
    ({ token: bystander } = await signInCapturing(cluster, 'bystander'));
  });
  afterAll(() => cluster.stop());

  const readiness = async ({ url }: Replica): Promise<number> => {
    const answer = await fetch(`${url}/readyz`);
    await answer.arrayBuffer();
    return answer.status;
  };

  /** Answers with what was neither a valid token nor a typed answer to come back later, once it is told to stop. */
  function readingAllAlong(until: AbortSignal): Promise<string[]> {
    const wrong: string[] = [];
    const readers = cluster.replicas.flatMap((at) =>
      (['pace', 'onezone'] as const).map(async (face) => {
        while (!until.aborted) {
          const reading = await read(cluster, bystander, { face, at });
          const fine = reading.status === 200 && cluster.upstream.holderOf(reading.token ?? '') === 'bystander';
          if (!fine && !isRetryable(reading, face)) wrong.push(`${face} ${reading.status} ${reading.retryAfter ?? ''}`);
        }
      }),
    );
    return Promise.all(readers).then(() => wrong);
  }

  async function expectAway(): Promise<void> {
    expect(await readiness(replica)).toBe(503);
    for (const face of ['pace', 'onezone'] as const) {
      const reading = await read(cluster, bystander, { face, at: replica });
      expect([face, isRetryable(reading, face), reading.token]).toEqual([face, true, undefined]);
    }
  }

  it.each(cases.map((each, index) => ({ ...each, login: `away-${index}` })))(
    '$what $when: nothing is lost, and nobody restarts anything',
    async ({ login, reached, strike, lasts }) => {
      const { token } = await signInCapturing(cluster, login);
      await setRemaining(cluster, login, -1);
      cluster.upstream.expireAccessTokens(login);
      cluster.upstream.resetCounts();
      const done = new AbortController();
      const others = readingAllAlong(done.signal);
      try {
        const there = reached(cluster, replica);
        const reading = readPatiently(cluster, token, { login, at: replica });
        await there;
        await strike(cluster, replica);
        cluster.upstream.release();
        if (lasts) await expectAway();
        await cluster.heal();
        await eventually('it is ready again', async () => (await readiness(replica)) === 200);
        // Where it never came to the call, nobody has told the others that the lease is free.
        if (cluster.upstream.counts.refresh.attempted === 0)
          await updateAccount(cluster, login, { lease_expires_at: 1 });
        const readings = [await reading, ...(await everybodyReads(cluster, token, login))];
        expect(new Set(readings.map(({ status }) => status))).toEqual(new Set([200]));
        expect(new Set(readings.map((each) => each.token)).size).toBe(1);
      } finally {
        await cluster.heal();
        done.abort();
        expect(await others).toEqual([]);
      }
      expect(redemptions(cluster)).toEqual({ attempted: 1, reused: false });
      expect(await linkedAccount(cluster, login)).toMatchObject({
        status: 'active',
        lease_owner: null,
        refresh_intent_at: null,
        generation: 2,
        failures: 0,
      });
    },
  );

  it('keys that cannot be read say nothing against a token: its client is not told to throw it away', async () => {
    const [, claims = '', signature = ''] = bystander.split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'of another replica' }));
    const token = [header.toString('base64url'), claims, signature].join('.');
    const known = await read(cluster, token, { at: replica });
    expect(known.status).toBe(401);
    await replica.database.cut();
    try {
      await eventually('it looks for the key again', async () => {
        const reading = await read(cluster, token, { at: replica });
        return isRetryable(reading, 'pace');
      });
    } finally {
      await cluster.heal();
    }
    await eventually('the key is looked for', async () => (await read(cluster, token, { at: replica })).status === 401);
  });

  it('keeps the promises and leaks nothing', async () => {
    await expectPromisesKept(cluster);
    await cluster.assertNoLeaks();
  });
});
