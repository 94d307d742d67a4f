import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../support/databases.js';
import {
  audited,
  eventually,
  holdNextAnswer,
  linkedAccount,
  read,
  redemptions,
  setRemaining,
  signInCapturing,
} from '../support/vault.js';
import { PROVIDER, UPSTREAM_CLIENT } from '../support/world.js';
import { createCluster, type Cluster } from './support/cluster.js';
import { expectPromisesKept } from './support/promises.js';
import { everybodyReads } from './support/reading.js';

const PATH = `/identity-providers/${PROVIDER}`;

/** Something that an administrator does to a provider or a user, and how it is taken back. */
interface Change {
  what: string;
  make: (cluster: Cluster, userId: string) => Promise<unknown>;
  undo: (cluster: Cluster, userId: string) => Promise<unknown>;
  /** What the faces say while it is so. */
  says: { pace: number; onezone: number };
}

const entry = ({ upstream }: Cluster): Row => ({
  id: PROVIDER,
  name: 'MobyPay',
  issuer: upstream.issuer,
  ...UPSTREAM_CLIENT,
  offline_access: true,
  sign_up: true,
});

const changes: Change[] = [
  {
    what: 'another upstream client',
    make: (cluster) => cluster.administer('PUT', PATH, { json: { ...entry(cluster), client_id: 'another' } }),
    undo: (cluster) => cluster.administer('PUT', PATH, { json: entry(cluster) }),
    says: { pace: 401, onezone: 404 },
  },
  {
    what: 'a deleted provider',
    make: (cluster) => cluster.administer('DELETE', PATH),
    undo: (cluster) => cluster.administer('POST', '/identity-providers', { json: entry(cluster) }),
    says: { pace: 404, onezone: 400 },
  },
  {
    what: 'a blocked user',
    make: (cluster, userId) => cluster.administer('PATCH', `/users/${userId}`, { json: { blocked: true } }),
    undo: (cluster, userId) => cluster.administer('PATCH', `/users/${userId}`, { json: { blocked: false } }),
    says: { pace: 401, onezone: 400 },
  },
];

describe('changes reach every replica at once', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    // The provider takes as long as the test wants to look.
    cluster = await createCluster({ env: { UPSTREAM_TIMEOUT_MS: '20000', UPSTREAM_LEASE_MS: '30000' } });
  });
  afterAll(() => cluster.stop());

  interface Linked {
    login: string;
    token: string;
    userId: string;
    given: Row;
  }

  async function linked(login: string): Promise<Linked> {
    const { token, given } = await signInCapturing(cluster, login);
    const { user_id: userId } = await linkedAccount(cluster, login);
    cluster.upstream.resetCounts();
    return { login, token, userId: String(userId), given };
  }

  /** A refresh at the second replica that the provider has answered, though nobody has heard it yet. */
  async function refreshing({ login, token }: Linked) {
    await setRemaining(cluster, login, -1);
    cluster.upstream.expireAccessTokens(login);
    const held = holdNextAnswer(cluster);
    const answer = read(cluster, token, { at: cluster.replicas[1] ?? cluster.service });
    await held.reached;
    return { answer, release: held.release };
  }

  /** What everybody says who is asked at once: no patience, no second attempt. */
  async function saidEverywhere(token: string): Promise<{ pace: number[]; onezone: number[] }> {
    const asked = (face: 'pace' | 'onezone') =>
      Promise.all(cluster.replicas.map(async (at) => (await read(cluster, token, { face, at })).status));
    return { pace: await asked('pace'), onezone: await asked('onezone') };
  }
  const everywhere = ({ pace, onezone }: Change['says']) => ({
    pace: cluster.replicas.map(() => pace),
    onezone: cluster.replicas.map(() => onezone),
  });

  it('unlinking during a refresh wins', async () => {
    const account = await linked('unlinked');
    const refresh = await refreshing(account);
    await cluster.administer('DELETE', `/users/${account.userId}/identities/${PROVIDER}`, {
      at: cluster.replicas[2] ?? cluster.service,
    });
    expect(await saidEverywhere(account.token)).toEqual(everywhere({ pace: 401, onezone: 404 }));
    refresh.release();
    expect((await refresh.answer).status).toBe(401);
    // The old refresh token, and what the refresh brought when nobody wanted it any more.
    await eventually('both are revoked', () => cluster.upstream.revocationsSeen.length >= 2);
    expect(await saidEverywhere(account.token)).toEqual(everywhere({ pace: 401, onezone: 404 }));
    const [row] = await cluster.database.query('SELECT * FROM linked_accounts WHERE subject = ?', ['unlinked']);
    expect(row).toMatchObject({ status: 'sign-in-only', access_token: null, refresh_token: null, lease_owner: null });
    const events = (await audited(cluster, 'unlinked')).map(({ event }) => event);
    expect(events.filter((event) => event === 'identity.unlinked')).toHaveLength(1);
    expect(redemptions(cluster)).toEqual({ attempted: 1, reused: false });
  });

  it('linking again during a refresh wins', async () => {
    const account = await linked('relinked');
    const refresh = await refreshing(account);
    const { given } = await signInCapturing(cluster, 'relinked');
    refresh.release();
    expect((await refresh.answer).token).toBe(given['access_token']);
    const readings = await everybodyReads(cluster, account.token, 'relinked');
    expect(new Set(readings.map(({ token }) => token))).toEqual(new Set([given['access_token']]));
    expect(redemptions(cluster)).toEqual({ attempted: 1, reused: false });

    // What is kept is the new family, and it works.
    await setRemaining(cluster, 'relinked', -1);
    expect(new Set((await everybodyReads(cluster, account.token, 'relinked')).map(({ status }) => status))).toEqual(
      new Set([200]),
    );
    expect(cluster.upstream.refreshTokensSeen.at(-1)).toBe(given['refresh_token']);
    expect(redemptions(cluster)).toEqual({ attempted: 2, reused: false });
  });

  it.each(changes.map((change, index) => ({ ...change, login: `change-${index}` })))(
    '$what: the next read on each replica knows, during a refresh too, and nothing is lost',
    async ({ make, undo, says, login }) => {
      const account = await linked(login);
      expect(await saidEverywhere(account.token)).toEqual(everywhere({ pace: 200, onezone: 200 }));
      await make(cluster, account.userId);
      expect(await saidEverywhere(account.token)).toEqual(everywhere(says));
      await undo(cluster, account.userId);
      expect(await saidEverywhere(account.token)).toEqual(everywhere({ pace: 200, onezone: 200 }));
      expect(cluster.upstream.counts.refresh.attempted).toBe(0);

      const refresh = await refreshing(account);
      await make(cluster, account.userId);
      expect(await saidEverywhere(account.token)).toEqual(everywhere(says));
      refresh.release();
      await refresh.answer;
      expect(await saidEverywhere(account.token)).toEqual(everywhere(says));
      await undo(cluster, account.userId);
      const readings = await everybodyReads(cluster, account.token, login);
      expect(new Set(readings.map(({ status }) => status))).toEqual(new Set([200]));
      expect(redemptions(cluster)).toEqual({ attempted: 1, reused: false });
    },
  );

  it('keeps the promises and leaks nothing', async () => {
    await expectPromisesKept(cluster);
    await cluster.assertNoLeaks();
  });
});
