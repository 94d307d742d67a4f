import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import { differences, type OpenApiDocument } from '../support/openapi.js';
import { createWorld, REDIRECT_URI, type World } from '../support/world.js';
import { created, NO_CONTENT, NOT_FOUND, ok, UNAUTHORIZED } from './slashid-clients/answers.js';
import { bodyRows, credentialRows, routeRows, valueRows, type RefusedRow } from './slashid-clients/refused.rows.js';
import { ADMIN_API_KEY, ask, wire, WRONG_KEY } from './slashid-clients/requests.js';

/** The counters of refused requests are kept, and what was refused is written down; jobs come and go by themselves. */
const ASIDE = /^(audit_events|jobs|throttles): /;

interface Created {
  result: { client_id: string; client_secret: string };
}

describe.each(databases)('/oauth2/clients on $name', (kind) => {
  let world: World;
  let document: OpenApiDocument;
  beforeAll(async () => {
    world = await createWorld(kind, { env: { ADMIN_API_KEY } });
    document = (await world.request('/openapi.json')).json<OpenApiDocument>();
  });
  afterAll(() => world.stop());

  const stored = async (): Promise<string[]> =>
    (await world.database.dump())
      .split('\n')
      .filter((line) => !ASIDE.test(line))
      .toSorted();
  const refuses = async ({ send, answer }: RefusedRow): Promise<void> => {
    await world.database.query('DELETE FROM throttles');
    const before = await stored();
    expect(wire(await send(world))).toStrictEqual(answer);
    expect(await stored()).toEqual(before);
  };
  const expectDocumented = (method: string, path: string, answer: BrowserResponse): void => {
    const operation = document.paths[`/oauth2/clients${path}`]?.[method.toLowerCase()];
    if (!operation) throw new Error(`${method} ${path} is not documented`);
    expect(differences(document, operation, answer)).toEqual([]);
  };
  const create = async (members: object = {}): Promise<Created['result']> => {
    const answer = await ask(world, 'POST', '', { json: { ...MACHINE, ...members } });
    if (answer.status !== 201) throw new Error(answer.text());
    return answer.json<Created>().result;
  };
  /** Whether the client is authenticated with that secret; the code that it brings is none. */
  const authenticates = async (clientId: string, secret: string): Promise<boolean> => {
    const form = { grant_type: 'authorization_code', code: 'none', redirect_uri: REDIRECT_URI, code_verifier: 'none' };
    const authorization = `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;
    const answer = await world.request('/token', { method: 'POST', form, headers: { authorization } });
    return answer.json().error !== 'invalid_client';
  };

  const MACHINE = { client_name: 'Machine', scopes: ['b:write', 'a:read'], grant_types: ['client_credentials'] };
  const machine = {
    client_id: '<client id>',
    client_name: 'Machine',
    grant_types: ['client_credentials'],
    response_types: [],
    scopes: ['a:read', 'b:write'],
    public: false,
    access_token_duration: 86_400,
    refresh_token_duration: 864_000,
    redirect_uris: [],
    created_at: '<time>',
    last_used: null,
  };

  describe('refuses', () => {
    it.each(credentialRows)('who is no administrator: $name', refuses);
    it.each(routeRows)('what is not there: $name', refuses);
    it.each(valueRows)('wrong values: $name', refuses);
    it.each(bodyRows)('another body: $name', refuses);
  });

  it('201: a client with the documented defaults, its scopes sorted; the secret is shown once', async () => {
    const answer = await ask(world, 'POST', '', { json: MACHINE });
    expect(wire(answer)).toStrictEqual(created({ ...machine, client_secret: '<secret>' }));
    expectDocumented('POST', '', answer);
    const { client_id: id, client_secret: secret } = answer.json<Created>().result;
    expect(await authenticates(id, secret)).toBe(true);
    expect(await authenticates(id, 'another-secret-0123456789abcdef0123456789ab')).toBe(false);
    const read = await ask(world, 'GET', `/${id}`);
    expect(wire(read).body).toStrictEqual({
      result: {
        ...machine,
        last_used: read.json<{ result: { last_used: unknown } }>().result.last_used === null ? null : '<time>',
      },
    });
    expectDocumented('GET', '/{id}', read);
  });

  it('201: a client with everything, a public one; members that nobody knows are ignored, and null says nothing', async () => {
    const everything = {
      client_name: 'App ünïcödé',
      scopes: ['openid', 'offline_access', 'openid', 'accounts:read'],
      grant_types: ['refresh_token', 'authorization_code'],
      access_token_duration: 60,
      refresh_token_duration: 120,
      redirect_uris: [REDIRECT_URI, 'http://127.0.0.1/'],
      public: true,
    };
    const answer = await ask(world, 'POST', '', {
      json: { ...everything, client_id: 'mine', created_at: 'then', constructor: 1 },
      headers: { 'slashid-orgid': 'af5fbd30-7ce7-4548-8b30-4cd59cb2aba1' },
    });
    expect(wire(answer)).toStrictEqual(
      created({
        ...machine,
        ...everything,
        response_types: ['code'],
        scopes: ['accounts:read', 'offline_access', 'openid'],
      }),
    );
    expectDocumented('POST', '', answer);
    const confidential = { ...everything, public: null, access_token_duration: null, refresh_token_duration: null };
    const other = await ask(world, 'POST', '', { json: confidential });
    expect(wire(other).body).toMatchObject({
      result: {
        public: false,
        access_token_duration: 86_400,
        refresh_token_duration: 864_000,
        client_secret: '<secret>',
      },
    });
  });

  it('200: what a PATCH gives replaces, what it leaves out stays', async () => {
    const { client_id: id, client_secret: secret } = await create();
    let expected: object = machine;
    for (const members of [
      {},
      { client_name: 'Renamed' },
      { scopes: ['c', 'b', 'c'] },
      { access_token_duration: 60 },
      { refresh_token_duration: 61 },
      { redirect_uris: [REDIRECT_URI] },
      { grant_types: ['authorization_code', 'client_credentials'] },
      { public: false },
    ]) {
      const answer = await ask(world, 'PATCH', `/${id}`, { json: members });
      expected = { ...expected, ...members, ...('scopes' in members && { scopes: ['b', 'c'] }) };
      if ('grant_types' in members) expected = { ...expected, response_types: ['code'] };
      expect(wire(answer)).toStrictEqual(ok(expected));
      expectDocumented('PATCH', '/{id}', answer);
    }
    expect(await authenticates(id, secret)).toBe(true);
    const open = await ask(world, 'PATCH', `/${id}`, { json: { public: true, grant_types: ['authorization_code'] } });
    expect(open.json()).toMatchObject({ result: { public: true } });
    expect(open.text()).not.toContain('client_secret');
    expect(await authenticates(id, secret)).toBe(false);
    const closed = await ask(world, 'PATCH', `/${id}`, { json: { public: false } });
    expectDocumented('PATCH', '/{id}', closed);
    const { result } = closed.json<Created>();
    expect(result).toMatchObject({ public: false });
    expect(await authenticates(id, result.client_secret)).toBe(true);
    expect(await authenticates(id, secret)).toBe(false);
  });

  it('200: a new secret; the former stops working at once', async () => {
    const { client_id: id, client_secret: former } = await create();
    const answer = await ask(world, 'PUT', `/${id}/secret`);
    expect(wire(answer)).toStrictEqual(ok({ client_secret: '<secret>' }));
    expectDocumented('PUT', '/{id}/secret', answer);
    expect(await authenticates(id, former)).toBe(false);
    expect(await authenticates(id, answer.json<Created>().result.client_secret)).toBe(true);
  });

  it('204: a client that is deleted is nobody any more', async () => {
    const { client_id: id, client_secret: secret } = await create();
    const answer = await ask(world, 'DELETE', `/${id}`);
    expect(wire(answer)).toStrictEqual(NO_CONTENT);
    expectDocumented('DELETE', '/{id}', answer);
    expect(await authenticates(id, secret)).toBe(false);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['PUT', '/secret'],
    ] as const) {
      const gone = await ask(world, method, `/${id}${path}`);
      expect(wire(gone)).toStrictEqual(NOT_FOUND);
      expectDocumented(method, `/{id}${path}`, gone);
    }
    expect(await world.database.query('SELECT 1 FROM client_secrets WHERE client_id = ?', [id])).toEqual([]);
  });

  it('200: the list, in the order in which they were made, in parts', async () => {
    const id = (await create({ client_name: 'The last' })).client_id;
    const whole = await ask(world, 'GET', '?limit=100&unknown=ignored');
    expectDocumented('GET', '', whole);
    const { result, meta } = whole.json<{ result: { client_id: string }[]; meta: object }>();
    expect(meta).toStrictEqual({ pagination: { limit: 100, offset: 0, total_count: result.length } });
    expect(result.at(-1)?.client_id).toBe(id);
    expect(result.map(({ client_id: each }) => each)).toContain('reader');
    expect(whole.text()).not.toContain('secret');
    const part = await ask(world, 'GET', `?limit=1&offset=${result.length - 1}`);
    expect(wire(part)).toStrictEqual({
      ...ok([{ ...machine, client_name: 'The last' }]),
      body: {
        result: [{ ...machine, client_name: 'The last' }],
        meta: { pagination: { limit: 1, offset: result.length - 1, total_count: result.length } },
      },
    });
    const first = (await ask(world, 'GET')).json<{ result: object[]; meta: object }>();
    expect(first.result).toEqual(result.slice(0, 20));
    expect(first.meta).toEqual({ pagination: { limit: 20, offset: 0, total_count: result.length } });
  });

  it('shows a declared client with the durations of the service, and audits what is done to it', async () => {
    const answer = await ask(world, 'PATCH', '/stranger', { json: { client_name: 'Known' } });
    expect(wire(answer)).toStrictEqual(
      ok({
        ...machine,
        client_id: 'stranger',
        client_name: 'Known',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        scopes: ['email', 'federated-identity:token', 'openid', 'profile'],
        access_token_duration: 3600,
        refresh_token_duration: 30 * 86_400,
        redirect_uris: [REDIRECT_URI],
      }),
    );
    const events = await world.database.query("SELECT event, actor FROM audit_events WHERE client_id = 'stranger'");
    expect(events).toEqual([{ event: 'client.updated', actor: 'admin-api-key' }]);
  });

  it('takes the key as a bearer token, too, and answers no script of another origin', async () => {
    const headers = { authorization: `Bearer ${ADMIN_API_KEY}`, origin: 'https://elsewhere.example' };
    const answer = await world.request('/oauth2/clients', { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('says after too many wrong keys when to try again; the right one still passes', async () => {
    await world.database.query('DELETE FROM throttles');
    const wrong = () => ask(world, 'GET', '', { headers: { 'slashid-api-key': WRONG_KEY } });
    let answer = await wrong();
    for (let count = 0; count < 50 && !answer.headers.has('retry-after'); count += 1) answer = await wrong();
    expect(wire(answer)).toStrictEqual({
      ...UNAUTHORIZED,
      headers: { ...UNAUTHORIZED.headers, 'retry-after': '<1 or 2 s>' },
    });
    expect((await ask(world, 'GET')).status).toBe(200);
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
