import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { databases } from '../support/databases.js';
import { login } from '../support/journeys.js';
import { startService, type Service } from '../support/service.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createWorld, PROVIDER, type World } from '../support/world.js';

interface LogLine {
  level: string;
  time: string;
  msg?: string;
  requestId?: string;
  path?: string;
  status?: number;
}

const logOf = (service: Service): LogLine[] =>
  service
    .output()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);

describe.each(databases)('the life of the service on $name', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind);
  });
  afterAll(async () => {
    await world.stop();
  });

  const keyIds = async (url = world.service.url): Promise<string[]> => {
    const { keys } = (await world.browser().request(`${url}/jwks`)).json<{ keys: { kid: string }[] }>();
    return keys.map(({ kid }) => kid).toSorted();
  };

  it('promise 7: finishes on SIGTERM what is in flight, keeps what it redeems, takes nothing new, and ends with 0', async () => {
    const { access_token: token } = await world.signIn({ login: 'in-flight' });
    await world.expire();
    world.upstream.withhold();
    const inFlight = [world.pace(token), world.onezone(token)];
    await world.upstream.waitForTokenRequest();
    const { service } = world;
    const ended = service.stop();
    await vi.waitFor(() => expect(service.output()).toContain('"draining"'));
    await expect(world.browser().request(`${service.url}/healthz`)).rejects.toThrow(/ECONNREFUSED|closed|reset/i);
    world.upstream.release();
    const answers = await Promise.all(inFlight);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await ended).toBe(0);
    expect(service.output()).toContain('"stopped"');
    await world.restart();
    // The rotated token was kept: the next refresh is not a reuse.
    await world.expire();
    expect((await world.pace(token)).status).toBe(200);
  });

  it.each(['stop', 'kill'] as const)(
    'keeps sessions, tokens, links and signing keys over a restart (%s)',
    async (how) => {
      const browser = world.browser();
      const { access_token: token } = await world.signIn({ login: `survivor-${how}`, browser });
      const before = await keyIds();
      const upstreamToken = (await world.pace(token)).json()['access_token'];
      const attempt = world.browser();
      const started = await attempt.request(`${world.service.url}/login/${PROVIDER}?login_hint=half-way`);
      await world.restart(how);
      expect(await keyIds()).toEqual(before);
      expect((await browser.get(`${world.service.url}/login`)).text()).toContain('You are signed in');
      expect((await world.pace(token)).json()['access_token']).toBe(upstreamToken);
      // A sign-in that was under way meanwhile goes on.
      const finished = await attempt.get(started.location ?? '');
      expect(finished.text()).toContain('You are signed in');
    },
  );

  it('answers its probes', async () => {
    expect((await world.request('/healthz')).json()).toEqual({ status: 'ok' });
    const ready = await world.request('/readyz');
    expect(ready.json()).toEqual({ ready: true, checks: { database: 'ok', 'signing keys': 'ok' } });
    expect(ready.headers.get('cache-control')).toBe('no-store');
  });

  it('logs JSON lines that carry the id of the request, and no query', async () => {
    const id = '0123456789abcdefghij';
    const answer = await world.request('/login?return_to=/secret-place', { headers: { 'request-id': id } });
    expect(answer.headers.get('request-id')).toBe(id);
    await login(world, world.browser());
    for (const invalid of ['x', 'x'.repeat(300), '0123456789abcdefghi{']) {
      const renamed = await world.request('/login', { headers: { 'request-id': invalid } });
      expect(renamed.headers.get('request-id')).toMatch(/^[0-9a-v]{20}$/);
    }
    const lines = logOf(world.service);
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(Date.parse(line.time)).toBeGreaterThan(0);
    expect(lines.find((line) => line.requestId === id && line.msg === 'request')).toMatchObject({
      path: '/login',
      status: 200,
    });
    for (const line of lines.filter(({ msg }) => msg === 'request')) expect(line.requestId).toMatch(/^[0-9a-v]{20}$/);
    expect(world.service.output()).not.toContain('secret-place');
    expect(lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});

describe.each(databases.filter(({ name }) => name === 'postgres'))('several processes on $name', (kind) => {
  let world: World;
  const others: Service[] = [];
  beforeAll(async () => {
    world = await createWorld(kind);
  });
  afterAll(async () => {
    for (const other of others) await other.kill();
    await world.stop();
  });

  it('start at once on an empty database and agree on everything', async () => {
    const empty = await kind.create();
    const replicas: Service[] = [];
    try {
      const settings = { ...world.service.settings, port: undefined, databaseUrl: empty.url };
      const started = await Promise.allSettled([1, 2, 3].map(() => startService(settings)));
      for (const each of started) if (each.status === 'fulfilled') replicas.push(each.value);
      expect(started.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
      const keys = await Promise.all(
        replicas.map(async ({ url }) => (await world.browser().request(`${url}/jwks`)).text()),
      );
      expect(new Set(keys).size).toBe(1);
      const [signing] = await empty.query("SELECT count(*) AS n FROM signing_keys WHERE status = 'current'");
      const [clients] = await empty.query("SELECT count(*) AS n FROM clients WHERE client_id = 'reader'");
      const [secrets] = await empty.query("SELECT count(*) AS n FROM client_secrets WHERE client_id = 'reader'");
      const [users] = await empty.query("SELECT count(*) AS n FROM users WHERE username = 'ada'");
      expect([signing, clients, secrets, users].map((row) => Number(row?.['n']))).toEqual([2, 1, 1, 1]);
    } finally {
      for (const replica of replicas) await replica.kill();
      await empty.cleanup();
    }
  });

  it('are not ready while the database is away, live on, and are ready again when it is back', async () => {
    const { hostname, port } = new URL(world.database.url);
    const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const url = new URL(world.database.url);
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    const { settings } = world.service;
    const service = await startService({
      ...settings,
      port: undefined,
      databaseUrl: url.href,
      env: { ...settings.env, ISSUER: world.service.url },
    });
    others.push(service);
    const { access_token: token } = await world.signIn();
    const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
      world.browser().request(service.url + path, { headers, method });
    const pace = () => ask(`/federated-identities/${PROVIDER}/token`, { authorization: `Bearer ${token}` }, 'POST');
    expect((await pace()).status).toBe(200);
    await proxy.cut();
    try {
      const ready = await ask('/readyz');
      expect(ready.status).toBe(503);
      expect(ready.json()).toMatchObject({ ready: false, checks: { database: 'failed' } });
      expect((await ask('/healthz')).status).toBe(200);
      const refused = await pace();
      expect(refused.status).toBe(500);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      const page = await ask(`/login/${PROVIDER}`);
      expect(page.status).toBe(503);
      expect(page.headers.get('content-type')).toContain('text/html');
    } finally {
      await proxy.restore();
    }
    await vi.waitFor(async () => expect((await ask('/readyz')).status).toBe(200), { timeout: 15_000 });
    expect((await pace()).status).toBe(200);
    expect(await service.stop()).toBe(0);
    await proxy.stop();
  });

  it('leave no secret in any output or in the database', async () => {
    world.ledger.assertNoLeaks({ 'output of the others': others.map((other) => other.output()).join('\n') });
    await world.assertNoLeaks();
  });
});
