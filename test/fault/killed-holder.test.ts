import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  audited,
  eventually,
  linkedAccount,
  read,
  setRemaining,
  signInCapturing,
  updateAccount,
  type Reading,
} from '../support/vault.js';
import { startWebhookReceiver, verify, type WebhookReceiver } from '../support/webhook-receiver.js';
import { PROVIDER } from '../support/world.js';
import { createCluster, type Cluster, type Replica } from './support/cluster.js';
import { expectPromisesKept } from './support/promises.js';
import { everybodyReads } from './support/reading.js';

const HOOK = '/hook';

interface Step {
  name: string;
  /** Brings the holder to where it is to die; it is reading already where this is called. */
  reach: (cluster: Cluster, holder: Replica, reading: () => Promise<unknown>) => Promise<void>;
  /** Whether the provider has rotated the token whose successor dies with the holder. */
  rotated: boolean;
  /** How often the provider is asked altogether. */
  asked: number;
  /** Whether the readers wait until the lease is over, as nobody hurries it. */
  unhurried?: true;
}

const steps: Step[] = [
  {
    name: 'before the call, with the lease and nothing more',
    reach: async (cluster, _holder, reading) => {
      cluster.provider.stall();
      void reading();
      await eventually('the holder is on its way to the provider', async () => {
        const rows = await cluster.database.query('SELECT 1 FROM linked_accounts WHERE lease_owner IS NOT NULL');
        return rows.length === 1;
      });
      cluster.provider.freeze();
    },
    rotated: false,
    asked: 1,
  },
  {
    name: 'during the call, which the provider never gets to',
    reach: async (cluster, _holder, reading) => {
      cluster.upstream.withhold('request');
      cluster.upstream.failNext(1, { hang: true });
      void reading();
      await cluster.upstream.waitForTokenRequest();
    },
    rotated: false,
    asked: 2,
    unhurried: true,
  },
  {
    name: 'after the provider rotated, before it is answered',
    reach: async (cluster, _holder, reading) => {
      cluster.upstream.withhold('answer');
      void reading();
      await cluster.upstream.waitForTokenRequest();
    },
    rotated: true,
    asked: 2,
  },
  {
    name: 'after the provider rotated, in the middle of the transaction that stores it',
    reach: (cluster, holder, reading) =>
      reachWrite(cluster, reading, () => holder.database.stopBefore('DELETE FROM "upstream_circuits"')),
    rotated: true,
    asked: 2,
  },
  {
    name: 'after the write, before it knows of it or answers anybody',
    reach: (cluster, holder, reading) => reachWrite(cluster, reading, () => holder.database.stopAfter('COMMIT')),
    rotated: false,
    asked: 1,
  },
];

/** The next that is written is what the provider answered. */
async function reachWrite(
  { upstream }: Cluster,
  reading: () => Promise<unknown>,
  stop: () => { reached: Promise<void> },
): Promise<void> {
  upstream.withhold('answer');
  void reading();
  await upstream.waitForTokenRequest();
  const { reached } = stop();
  upstream.release();
  await reached;
}

describe.each([
  { provider: 'a provider with a grace period', graceMs: 600_000 },
  { provider: 'a provider without one', graceMs: 0 },
])('the holder of the lease is killed, at $provider', ({ graceMs }) => {
  let cluster: Cluster;
  let receiver: WebhookReceiver;
  let secret: string;
  const unavoidable: string[] = [];
  beforeAll(async () => {
    cluster = await createCluster({ replicas: 2, upstream: { graceMs } });
    receiver = await startWebhookReceiver();
    const json = { url: receiver.url(HOOK), events: ['identity.reauthentication-required'] };
    secret = (await cluster.administer('POST', '/webhooks', { json })).json<{ secret: string }>().secret;
    cluster.ledger.add(secret, 'the secret of the webhook');
  });
  afterAll(async () => {
    await cluster.stop();
    await receiver.stop();
  });

  /** Its sockets stay open at the links, so neither the provider nor PostgreSQL learns of its death. */
  async function killAt(step: Step, token: string): Promise<Replica> {
    const holder = await cluster.addReplica();
    await step.reach(cluster, holder, () => read(cluster, token, { at: holder }).catch(() => undefined));
    for (const link of [holder.database, cluster.provider]) link.hideDeaths();
    await holder.kill();
    expect(holder.database.open).toBe(0);
    expect(holder.database.openAtFarEnd).toBeGreaterThan(0);
    cluster.upstream.release();
    return holder;
  }

  it.each(steps.map((step, index) => ({ ...step, login: `killed-${index}` })))(
    '$name: another one takes over',
    async ({ login, ...step }) => {
      const { token, given } = await signInCapturing(cluster, login);
      await setRemaining(cluster, login, -1);
      cluster.upstream.expireAccessTokens(login);
      cluster.upstream.resetCounts();
      const holder = await killAt(step, token);

      const reading = everybodyReads(cluster, token, login);
      if (!step.unhurried) await endLease(login);
      const readings = await reading;
      expect(holder.database.openAtFarEnd).toBeGreaterThan(0);

      expect(cluster.upstream.counts.refresh.attempted).toBe(step.asked);
      if (step.asked === 2) unavoidable.push(String(given['refresh_token']));
      if (step.rotated && graceMs === 0) await expectLoss(login, token, readings);
      else await expectNoLoss(login, readings);
      await cluster.heal();
    },
  );

  /** As if its time were over. */
  async function endLease(login: string): Promise<void> {
    await updateAccount(cluster, login, { lease_expires_at: 1 });
  }

  async function expectNoLoss(login: string, readings: readonly Reading[]): Promise<void> {
    expect(new Set(readings.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(readings.map(({ token }) => token)).size).toBe(1);
    expect(await linkedAccount(cluster, login)).toMatchObject({ status: 'active', lease_owner: null });
    expect((await refreshes(login)).filter(({ outcome }) => outcome === 'success')).toHaveLength(1);
  }

  async function expectLoss(login: string, token: string, readings: readonly Reading[]): Promise<void> {
    expect(new Set(readings.map(({ status }) => status))).toEqual(new Set([401, 404]));
    expect(readings.every((reading) => reading.token === undefined)).toBe(true);
    expect(await linkedAccount(cluster, login)).toMatchObject({
      status: 'reauthentication-required',
      reason: 'rotation_lost',
      lease_owner: null,
    });
    const failed = (await refreshes(login)).filter(({ outcome }) => outcome === 'failure');
    expect(failed.map(({ reason }) => reason)).toEqual(['rotation_lost']);
    const told = () => receiver.received(HOOK).filter(({ event }) => event.data['subject'] === login);
    await eventually('the loss is told', () => told().length > 0);
    for (const message of told()) {
      expect(verify(message, secret)).toMatchObject({
        type: 'identity.reauthentication-required',
        data: { identity_provider: PROVIDER, subject: login, reason: 'rotation_lost' },
      });
    }
    expect(new Set(told().map(({ event }) => event.id)).size).toBe(1);
    const pace = await cluster.pace(token);
    expect(pace.json<{ errors: unknown[] }>().errors[0]).toMatchObject({
      code: 'missing-linked-identity',
      meta: { connect_url: expect.stringContaining(`/connect/${PROVIDER}?ticket=`) as unknown },
    });
  }

  async function refreshes(login: string) {
    return (await audited(cluster, login)).filter(({ event }) => event === 'upstream-token.refreshed');
  }

  it('keeps the promises and leaks nothing', async () => {
    const told = receiver.received(HOOK).map(({ event }) => event.data['subject']);
    const lost = await cluster.database.query(
      `SELECT subject FROM linked_accounts WHERE status = 'reauthentication-required'`,
    );
    expect(new Set(told)).toEqual(new Set(lost.map(({ subject }) => subject)));
    expect(lost).toHaveLength(graceMs === 0 ? steps.filter(({ rotated }) => rotated).length : 0);
    await expectPromisesKept(cluster, { unavoidable });
    await cluster.assertNoLeaks();
  });
});
