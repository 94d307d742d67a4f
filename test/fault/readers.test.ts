import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audited, eventually, linkedAccount, redemptions, setRemaining, signInCapturing } from '../support/vault.js';
import { PROVIDER } from '../support/world.js';
import { createCluster, type Cluster } from './support/cluster.js';
import { expectPromisesKept } from './support/promises.js';

const READERS = 300;
const ACCOUNTS = 5;
const EXPIRIES = 20;

/** One account, all of whose readers are judged by what is valid at the provider while they ask. */
interface Account {
  login: string;
  token: string;
  reads: number;
  /** When which upstream token ended: whoever asks later must not be given it. */
  endedAt: Map<string, number>;
}

/** A provider that rotates, ends the grant when it sees a refresh token twice, and takes its time. */
describe('300 readers at three processes', () => {
  let cluster: Cluster;
  const accounts: Account[] = [];
  const accountOf = (reader: number): Account => {
    const account = accounts[reader % ACCOUNTS];
    if (!account) throw new Error('no account yet');
    return account;
  };
  const agent = new Agent({ connections: READERS, keepAliveTimeout: 60_000 });
  beforeAll(async () => {
    // As in production: the patience of other tests is too short for a machine that does everything at once.
    const patience = { DATABASE_TIMEOUT_MS: '10000', UPSTREAM_TIMEOUT_MS: '10000', UPSTREAM_LEASE_MS: '30000' };
    cluster = await createCluster({ env: { LOG_LEVEL: 'info', ...patience } });
    cluster.upstream.setLatency(20);
    for (let index = 0; index < ACCOUNTS; index += 1) {
      const login = `reader-${index}`;
      const { token } = await signInCapturing(cluster, login);
      cluster.ledger.add(token, 'access token');
      accounts.push({ login, token, reads: 0, endedAt: new Map() });
    }
    cluster.upstream.resetCounts();
  });
  afterAll(async () => {
    await agent.destroy();
    await cluster.stop();
  });

  /** Reads through one of the faces at one of the replicas; what is wrong with the answer, if anything is. */
  async function ask(account: Account, reader: number): Promise<string | undefined> {
    const { login, token, endedAt } = account;
    const { url } = cluster.replicas[reader % cluster.replicas.length] ?? cluster.service;
    const [path, headers] =
      reader % 2 === 0
        ? [`/federated-identities/${PROVIDER}/token`, { authorization: `Bearer ${token}` }]
        : [`/api/v3/onezone/user/idp_access_token/${PROVIDER}`, { 'x-auth-token': token }];
    const askedAt = performance.now();
    const answer = await request(url + path, { method: 'POST', headers, dispatcher: agent });
    const body = (await answer.body.json()) as { access_token?: string; token?: string };
    account.reads += 1;
    const given = body.access_token ?? body.token ?? '';
    const valid = cluster.upstream.holderOf(given) === login || (endedAt.get(given) ?? 0) > askedAt;
    return answer.statusCode === 200 && valid ? undefined : `${answer.statusCode}, ${valid ? 'valid' : 'not valid'}`;
  }

  async function expireRepeatedly(account: Account): Promise<void> {
    const { login, endedAt } = account;
    const generation = async (): Promise<number> => Number((await linkedAccount(cluster, login))['generation']);
    for (let expiry = 1; expiry <= EXPIRIES; expiry += 1) {
      const before = await generation();
      const reads = account.reads + READERS / ACCOUNTS;
      await setRemaining(cluster, login, -1);
      for (const ended of cluster.upstream.expireAccessTokens(login)) endedAt.set(ended, performance.now());
      await eventually('it is refreshed', async () => (await generation()) > before, 60_000);
      await eventually('everybody has read', () => account.reads >= reads, 60_000);
    }
  }

  it(`${ACCOUNTS * EXPIRIES} expiries are as many redemptions, and nobody is without a valid token`, async () => {
    const wrong: string[] = [];
    const done = new AbortController();
    const readers = Array.from({ length: READERS }, async (_, reader) => {
      while (!done.signal.aborted) {
        const fault = await ask(accountOf(reader), reader);
        if (fault !== undefined) wrong.push(fault);
      }
    });
    const startedAt = performance.now();
    try {
      await Promise.all(accounts.map(expireRepeatedly));
    } finally {
      done.abort();
      await Promise.all(readers);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const reads = accounts.reduce((sum, account) => sum + account.reads, 0);
    console.log(`${reads} reads in ${seconds.toFixed(0)} s by ${READERS} readers of ${ACCOUNTS} accounts`);

    expect(wrong).toEqual([]);
    expect(redemptions(cluster)).toEqual({ attempted: ACCOUNTS * EXPIRIES, reused: false });
    for (const { login, reads: ofAccount } of accounts) {
      const outcomes = (await audited(cluster, login)).map(
        ({ event, outcome }) => `${String(event)} ${String(outcome)}`,
      );
      expect(outcomes.filter((each) => each === 'upstream-token.refreshed success')).toHaveLength(EXPIRIES);
      expect(outcomes.filter((each) => each === 'upstream-token.read success')).toHaveLength(ofAccount);
      expect(outcomes.filter((each) => each.endsWith('failure'))).toEqual([]);
    }
  }, 300_000);

  it('keeps the promises and leaks nothing', async () => {
    await expectPromisesKept(cluster);
    await cluster.assertNoLeaks();
  });
});
