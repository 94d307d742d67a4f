import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import { startService, type Service } from '../support/service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import {
  endBackOff,
  eventually,
  holdNextAnswer,
  linkedAccount,
  read,
  setRemaining,
  signInCapturing,
  updateAccount,
} from '../support/vault.js';
import { createWorld, PROVIDER, type World } from '../support/world.js';

const ADMIN_API_KEY = 'metrics-admin-key-0123456789abcdef0123456789';
/** What dashboards and alerts are built on: a name that goes, or means something else, breaks them. */
const NAMES: Record<string, 'counter' | 'gauge' | 'histogram'> = {
  symbolon_build_info: 'gauge',
  symbolon_database_pool_connections: 'gauge',
  symbolon_database_pool_connections_max: 'gauge',
  symbolon_http_request_duration_seconds: 'histogram',
  symbolon_http_requests_in_flight: 'gauge',
  symbolon_job_last_end_timestamp_seconds: 'gauge',
  symbolon_linked_accounts: 'gauge',
  symbolon_outbox_deliveries_total: 'counter',
  symbolon_outbox_messages: 'gauge',
  symbolon_outbox_oldest_message_age_seconds: 'gauge',
  symbolon_reauthentications_required_total: 'counter',
  symbolon_scrape_errors_total: 'counter',
  symbolon_upstream_connections: 'gauge',
  symbolon_upstream_connections_max: 'gauge',
  symbolon_upstream_refreshes_total: 'counter',
  symbolon_upstream_requests_pending: 'gauge',
  symbolon_vault_coalesced_reads_total: 'counter',
  symbolon_vault_lease_takeovers_total: 'counter',
  symbolon_vault_lease_waits_total: 'counter',
  symbolon_vault_read_duration_seconds: 'histogram',
  symbolon_vault_reads_total: 'counter',
  symbolon_vault_waiting_readers: 'gauge',
  symbolon_vault_waiting_readers_max: 'gauge',
};

/** The values of a scrape, by name and labels as they are written; and the types that it declares. */
interface Scrape {
  text: string;
  types: Map<string, string>;
  value: (name: string, labels?: Record<string, string>) => number | undefined;
}

const written = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .toSorted()
    .join(',');

/** Fails on what Prometheus would not take. */
function parse(text: string): Scrape {
  const [types, helped, values] = [new Map<string, string>(), new Set<string>(), new Map<string, number>()];
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, keyword, about = '', rest = ''] = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line) ?? [];
    if (keyword === 'HELP') helped.add(about);
    if (keyword === 'TYPE') types.set(about, rest);
    if (keyword !== undefined) continue;
    const [, name = '', labels = '', value = ''] =
      /^([a-z_]\w*)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$/.exec(line) ?? [];
    const family = [name, name.replace(/_(bucket|sum|count)$/, '')].find((each) => types.has(each));
    if (family === undefined || !helped.has(family)) throw new Error(`not a sample of a declared metric: ${line}`);
    const parsed =
      labels
        .match(/\w+="(?:[^"\\]|\\.)*"/g)
        ?.toSorted()
        .join(',') ?? '';
    const key = `${name}{${parsed}}`;
    if (values.has(key)) throw new Error(`twice: ${line}`);
    values.set(key, Number(value));
    if (Number.isNaN(Number(value)) && value !== '+Inf' && value !== 'Nan') throw new Error(`no number: ${line}`);
  }
  return { text, types, value: (name, labels = {}) => values.get(`${name}{${written(labels)}}`) };
}

const refreshes = (outcome: string): [string, Record<string, string>] => [
  'symbolon_upstream_refreshes_total',
  { provider: PROVIDER, outcome },
];
const reads = (outcome: string): [string, Record<string, string>] => [
  'symbolon_vault_reads_total',
  { provider: PROVIDER, outcome },
];
const ofProvider = (name: string): [string, Record<string, string>] => [name, { provider: PROVIDER }];
const duration = (method: string, route: string, status: string): [string, Record<string, string>] => [
  'symbolon_http_request_duration_seconds_count',
  { method, route, status },
];

describe.each(databases)('/metrics on $name', (kind) => {
  let world: World;
  let proxy: TcpProxy | undefined;
  beforeAll(async () => {
    world = await createWorld(kind, { env: { ADMIN_API_KEY } });
  });
  afterAll(async () => {
    await world.stop();
    await proxy?.stop();
  });

  const scrape = async (at: Service = world.service): Promise<Scrape> => {
    const answer = await world.browser().request(`${at.url}/metrics`);
    expect(answer.status).toBe(200);
    return parse(answer.text());
  };
  /** By how much each of these grows while something is done. */
  const growth = async (
    metrics: Record<string, [name: string, labels: Record<string, string>]>,
    action: () => Promise<unknown>,
  ): Promise<Record<string, number>> => {
    const before = await scrape();
    await action();
    const after = await scrape();
    return Object.fromEntries(
      Object.entries(metrics).map(([label, given]) => [
        label,
        (after.value(...given) ?? 0) - (before.value(...given) ?? 0),
      ]),
    );
  };

  it('answers anybody, in the text format, and is kept by nobody', async () => {
    const answer = await world.request('/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect((await world.request('/metrics', { method: 'POST' })).status).toBe(405);
    expect((await world.request('/metrics', { method: 'HEAD' })).text()).toBe('');
  });

  it('has the names that are promised, each with its type and its meaning', async () => {
    const { types } = await scrape();
    const ours = Object.fromEntries([...types].filter(([name]) => name.startsWith('symbolon_')));
    expect(ours).toEqual(NAMES);
    for (const name of types.keys()) expect(name).toMatch(/^(symbolon|process|nodejs)_/);
  });

  it('counts every refresh once, with its outcome, and the readers who shared it', async () => {
    const { token } = await signInCapturing(world, 'shared');
    await setRemaining(world, 'shared', -1);
    const counted = {
      success: refreshes('success'),
      token: reads('token'),
      coalesced: ofProvider('symbolon_vault_coalesced_reads_total'),
      measured: ['symbolon_vault_read_duration_seconds_count', { outcome: 'token' }] as [
        string,
        Record<string, string>,
      ],
    };
    const grown = await growth(counted, async () => {
      const held = holdNextAnswer(world);
      const readers = Array.from({ length: 5 }, () => read(world, token));
      await held.reached;
      await eventually('all wait', async () => (await scrape()).value('symbolon_vault_waiting_readers') === 5);
      expect((await scrape()).value('symbolon_upstream_connections')).toBeGreaterThan(0);
      held.release();
      expect((await Promise.all(readers)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    });
    expect(grown).toEqual({ success: 1, token: 5, coalesced: 4, measured: 5 });
    expect((await scrape()).value('symbolon_vault_waiting_readers')).toBe(0);
  });

  it('tells failures apart: refused, away, misconfigured', async () => {
    const { token } = await signInCapturing(world, 'failing');
    const counted = {
      unavailable: refreshes('unavailable'),
      misconfigured: refreshes('misconfigured'),
      invalidGrant: refreshes('invalid_grant'),
      success: refreshes('success'),
      required: ['symbolon_reauthentications_required_total', { provider: PROVIDER, reason: 'invalid_grant' }] as [
        string,
        Record<string, string>,
      ],
      readUnavailable: reads('unavailable'),
      readRefused: reads('reauthentication-required'),
    };
    const grown = await growth(counted, async () => {
      for (const failure of [
        { status: 503 },
        { status: 401, body: { error: 'invalid_client' } },
        { status: 400, body: { error: 'invalid_grant' } },
      ]) {
        await setRemaining(world, 'failing', -1);
        await endBackOff(world);
        await updateAccount(world, 'failing', { refresh_intent_at: null });
        world.upstream.failNext(1, failure);
        await read(world, token);
      }
    });
    expect(grown).toEqual({
      unavailable: 1,
      misconfigured: 1,
      invalidGrant: 1,
      success: 0,
      required: 1,
      readUnavailable: 1,
      readRefused: 1,
    });
    const account = { provider: PROVIDER, status: 'reauthentication-required' };
    await eventually('it shows', async () => (await scrape()).value('symbolon_linked_accounts', account) === 1);
  });

  it('counts who waits for a lease and who takes one over', async () => {
    const { token } = await signInCapturing(world, 'leased');
    await setRemaining(world, 'leased', -1);
    const counted = {
      waits: ofProvider('symbolon_vault_lease_waits_total'),
      takeovers: ofProvider('symbolon_vault_lease_takeovers_total'),
      success: refreshes('success'),
    };
    const lease = { lease_owner: 'somebody who died', lease_expires_at: Date.now() + 60_000 };
    const grown = await growth(counted, async () => {
      await updateAccount(world, 'leased', lease);
      const waiting = read(world, token);
      const [name, labels] = counted.waits;
      await eventually('it waits', async () => ((await scrape()).value(name, labels) ?? 0) > 0);
      await updateAccount(world, 'leased', { lease_expires_at: 1 });
      expect((await waiting).status).toBe(200);
    });
    expect(grown).toEqual({ waits: 1, takeovers: 1, success: 1 });
    await setRemaining(world, 'leased', -1);
    expect(await growth(counted, () => read(world, token))).toEqual({ waits: 0, takeovers: 0, success: 1 });
  });

  it('shows what the outbox has delivered and what waits', async () => {
    await signInCapturing(world, 'unlinked');
    const { user_id: user } = await linkedAccount(world, 'unlinked');
    const delivered: [string, Record<string, string>] = [
      'symbolon_outbox_deliveries_total',
      { kind: 'upstream-revocation', outcome: 'revoked' },
    ];
    const before = (await scrape()).value(...delivered) ?? 0;
    await world.request(`/admin/users/${String(user)}/identities/${PROVIDER}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${ADMIN_API_KEY}` },
    });
    await eventually('it is delivered', async () => ((await scrape()).value(...delivered) ?? 0) === before + 1);
    await world.database.query(
      `INSERT INTO outbox_messages (id, kind, attempts, next_attempt_at, created_at, expires_at) VALUES ('w', 'waiting', 0, ?, ?, ?)`,
      [Date.now() + 3600_000, Date.now() - 5_000, Date.now() + 7200_000],
    );
    await eventually(
      'it shows',
      async () => (await scrape()).value('symbolon_outbox_messages', { kind: 'waiting' }) === 1,
    );
    const age = (await scrape()).value('symbolon_outbox_oldest_message_age_seconds', { kind: 'waiting' });
    expect(age).toBeGreaterThanOrEqual(5);
  });

  it('measures requests by the pattern of their route, and never by what somebody sent', async () => {
    const grown = await growth(
      {
        known: duration('GET', '/login/:idp', '404'),
        unmatched: duration('GET', 'unmatched', '404'),
        method: duration('other', 'unmatched', '404'),
        health: duration('GET', '/healthz', '200'),
      },
      async () => {
        await world.request('/login/nobody-knows-this-provider');
        await world.request('/a-path-of-a-stranger/alice@example.com?secret=of-a-stranger');
        await world.request('/a-path-of-a-stranger', { method: 'PROPFIND' });
        await world.request('/healthz');
      },
    );
    expect(grown).toEqual({ known: 1, unmatched: 1, method: 1, health: 1 });
    const { text, value } = await scrape();
    expect(text).not.toMatch(/stranger|nobody-knows|alice@/);
    expect(value('symbolon_http_requests_in_flight')).toBe(1);
  });

  it('says how full the pool is, and which release runs', async () => {
    const { value, text } = await scrape();
    expect(text).toMatch(/^symbolon_build_info\{version="\d+\.\d+\.\d+"\} 1$/m);
    expect(value('symbolon_vault_waiting_readers_max')).toBe(1000);
    expect(value('symbolon_upstream_connections_max')).toBe(32);
    if (kind.name === 'postgres') {
      expect(value('symbolon_database_pool_connections_max')).toBe(10);
      expect(value('symbolon_database_pool_connections', { state: 'total' })).toBeGreaterThan(0);
      expect(value('symbolon_database_pool_connections', { state: 'waiting' })).toBe(0);
    } else {
      expect(value('symbolon_database_pool_connections_max')).toBe(0);
    }
  });

  it.runIf(kind.name === 'postgres')(
    'answers without what the database knows while that is away',
    async () => {
      const address = new URL(world.database.url);
      proxy = await startTcpProxy({ host: address.hostname, port: Number(address.port) });
      address.host = `${address.hostname}:${proxy.port}`;
      const service = await startService({ ...world.service.settings, port: undefined, databaseUrl: address.href });
      try {
        const before = await scrape(service);
        expect(before.text).toContain('symbolon_linked_accounts{');
        await proxy.cut();
        const source = { source: 'linked_accounts' };
        await eventually(
          'it is missed',
          async () => ((await scrape(service)).value('symbolon_scrape_errors_total', source) ?? 0) > 0,
        );
        const during = await scrape(service);
        expect(during.text).not.toContain('symbolon_linked_accounts{');
        expect(during.value('symbolon_build_info', { version: /version="([^"]+)"/.exec(during.text)?.[1] ?? '' })).toBe(
          1,
        );
        await proxy.restore();
        await eventually('it is back', async () => (await scrape(service)).text.includes('symbolon_linked_accounts{'));
      } finally {
        await service.kill();
      }
    },
    60_000,
  );

  it('holds no secret', async () => {
    world.ledger.addAll(world.upstream.secrets, 'at the provider');
    world.ledger.assertNoLeaks({ metrics: (await scrape()).text });
  });

  it('is no route where it is switched off', async () => {
    await world.restart('stop', { METRICS: 'off' });
    const [off, unknown] = [await world.request('/metrics'), await world.request('/metricz')];
    expect([off.status, unknown.status]).toEqual([404, 404]);
    expect(Object.keys(off.json<object>())).toEqual(Object.keys(unknown.json<object>()));
    expect((await world.request('/metrics', { method: 'POST' })).status).toBe(404);
  }, 60_000);

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
