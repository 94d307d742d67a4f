import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import { BrowserResponse } from '../support/http-browser.js';
import { differences, type OpenApiDocument } from '../support/openapi.js';
import { createWorld, PROVIDER, UPSTREAM_CLIENT, type World } from '../support/world.js';
import {
  created,
  invalid,
  list,
  NO_CONTENT,
  NO_CREDENTIAL,
  NOT_FOUND,
  ok,
  problem,
  TOO_NEW,
  WRONG_CREDENTIAL,
} from './admin/answers.js';
import {
  bodies,
  credentials,
  importing,
  lines,
  methods,
  OPERATIONS,
  traps,
  unknown,
  values,
  type RefusedRow,
} from './admin/request.rows.js';
import { ADMIN_API_KEY, ask, createUser, PASSWORD, wire, withoutGiven } from './admin/requests.js';

/** The counters of refused requests are kept, and what was refused is written down; jobs come and go by themselves. */
const ASIDE = /^(audit_events|jobs|throttles): /;

const inOrder = (answer: BrowserResponse) => {
  const { body, ...rest } = wire(answer);
  const { keys } = body as { keys: { status: string; algorithm: string }[] };
  const place = (one: (typeof keys)[number]) => `${one.status} ${one.algorithm}`;
  return { ...rest, body: { keys: keys.toSorted((one, other) => place(one).localeCompare(place(other))) } };
};

describe.each(databases)('the admin API on $name', (kind) => {
  let world: World;
  let document: OpenApiDocument;
  beforeAll(async () => {
    world = await createWorld(kind, { env: { ADMIN_API_KEY } });
    world.ledger.add(PASSWORD, 'a password');
    document = (await world.request('/openapi/admin.json')).json<OpenApiDocument>();
    // As if the keys had been rotated a moment ago.
    await world.database.query("UPDATE signing_keys SET created_at = created_at + 1 WHERE status = 'next'");
  });
  afterAll(() => world.stop());

  const stored = async (): Promise<string[]> =>
    (await world.database.dump())
      .split('\n')
      .filter((line) => !ASIDE.test(line))
      .toSorted();
  const refuses = async ({ send, answer }: RefusedRow): Promise<void> => {
    const before = await stored();
    expect(wire(await send(world))).toStrictEqual(answer);
    expect(await stored()).toEqual(before);
  };
  const expectDocumented = (method: string, path: string, answer: BrowserResponse): void => {
    const operation = document.paths[`/admin${path}`]?.[method.toLowerCase()];
    if (!operation) throw new Error(`${method} ${path} is not documented`);
    expect(differences(document, operation, answer)).toEqual([]);
  };

  const forgive = () => world.database.query('DELETE FROM throttles');
  /** Without the secret, which is never the same. */
  const withoutSecret = (answer: BrowserResponse) => {
    const { secret } = answer.json<{ secret: string }>();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    world.ledger.add(secret, 'the secret of a webhook');
    const { status, headers, body } = wire(answer);
    return { status, headers, body: { ...(body as object), secret: undefined } };
  };
  /** Each line by itself. */
  const expectDocumentedLines = (method: string, path: string, answer: BrowserResponse, count: number): void => {
    const texts = answer.text().split('\n').slice(0, -1);
    expect(texts).toHaveLength(count);
    const { status, headers, url } = answer;
    for (const text of texts) {
      expectDocumented(method, path, new BrowserResponse(url, status, headers, Buffer.from(text)));
    }
  };

  describe('refuses', () => {
    it.each(unknown)('what is not there: $name', refuses);
    it.each(methods)('another method: $name', refuses);
    it.each(bodies)('another body: $name', refuses);
    it.each(values)('wrong values: $name', refuses);
    it.each(lines)('another body: $name', refuses);
    it.each(importing)('an account that cannot be imported: $name', refuses);
    it.each(traps)('a trap: %s %s', async (method, path, body) => {
      const before = await stored();
      const answer = await ask(world, method, path, { headers: { 'content-type': 'application/json' }, body });
      expect(answer.status).toBe(400);
      expect(answer.json<{ errors: object[] }>().errors.length).toBeGreaterThan(0);
      expect(await stored()).toEqual(before);
    });
    // A user's token is made on the way, so that more is stored than by a refusal.
    it.each(credentials.slice(0, -1))('who is no administrator: $name', async (row) => {
      await forgive();
      await refuses(row);
    });
    it.each(credentials.slice(-1))('who is no administrator: $name', async ({ send, answer }) => {
      await forgive();
      expect(wire(await send(world))).toStrictEqual(answer);
    });

    it('in the end without writing each refusal down, and says when to try again; the right key still passes', async () => {
      await forgive();
      await world.database.query("DELETE FROM audit_events WHERE event = 'admin.refused'");
      expect(wire(await world.request('/admin/users'))).toStrictEqual(NO_CREDENTIAL);
      const wrong = () => world.request('/admin/users', { headers: { 'slashid-api-key': 'x'.repeat(40) } });
      let answer = await wrong();
      for (let count = 0; count < 50 && !answer.headers.has('retry-after'); count += 1) answer = await wrong();
      expect(wire(answer)).toStrictEqual({
        ...WRONG_CREDENTIAL,
        headers: { ...WRONG_CREDENTIAL.headers, 'retry-after': '<1 or 2 s>' },
      });
      const refusals = await world.database.query(
        "SELECT reason, outcome, address, user_id FROM audit_events WHERE event = 'admin.refused'",
      );
      expect(refusals).toHaveLength(50);
      expect(refusals[0]).toMatchObject({ outcome: 'failure', address: '127.0.0.1', user_id: null });
      expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set(['no-credential', 'wrong-credential']));
      expect((await ask(world, 'GET', '/users')).status).toBe(200);
      await forgive();
    });
  });

  it('takes the key in either header, and answers no script of another origin', async () => {
    const answer = await world.request('/admin/users', {
      headers: { 'slashid-api-key': ADMIN_API_KEY, origin: 'https://elsewhere.example' },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  describe('users', () => {
    it('are made, read, changed and deleted', async () => {
      const full = {
        username: 'grace',
        full_name: 'Grace Hopper',
        email: 'Grace@navy.example',
        email_verified: true,
        password: PASSWORD,
        basic_auth: true,
      };
      const answer = await ask(world, 'POST', '/users', { json: full });
      const { password: _, ...profile } = full;
      const grace = { id: '<id>', ...profile, password_set: true, blocked: false, created_at: '<time>' };
      expect(wire(answer)).toStrictEqual(created(grace));
      expectDocumented('POST', '/users', answer);
      const { id } = answer.json<{ id: string }>();
      expect(answer.headers.get('location')).toBe(`${world.service.url}/admin/users/${id}`);
      const read = await ask(world, 'GET', `/users/${id}`);
      expect(wire(read)).toStrictEqual(ok(grace));
      expectDocumented('GET', '/users/{id}', read);

      const changed = await ask(world, 'PATCH', `/users/${id}`, {
        json: { full_name: null, email: 'grace@yale.example', blocked: true },
      });
      const { full_name: __, ...nameless } = grace;
      expect(wire(changed)).toStrictEqual(
        ok({ ...nameless, email: 'grace@yale.example', email_verified: false, blocked: true }),
      );
      expectDocumented('PATCH', '/users/{id}', changed);
      expect(wire(await ask(world, 'PATCH', `/users/${id}`, { json: { password: null } }))).toStrictEqual(
        invalid(['basic_auth', 'needs a password']),
      );
      const without = await ask(world, 'PATCH', `/users/${id}`, { json: { password: null, basic_auth: false } });
      expect(without.json()).toMatchObject({ password_set: false, basic_auth: false, blocked: true });

      const gone = await ask(world, 'DELETE', `/users/${id}`);
      expect(wire(gone)).toStrictEqual(NO_CONTENT);
      expectDocumented('DELETE', '/users/{id}', gone);
      expect(wire(await ask(world, 'GET', `/users/${id}`))).toStrictEqual(NOT_FOUND);
      const { data } = (await ask(world, 'GET', `/audit?user_id=${id}`)).json<{ data: Record<string, string>[] }>();
      expect(data.map(({ event, reason = '-', actor }) => `${event} ${reason} ${actor}`).toSorted()).toEqual([
        'user.created - admin-api-key',
        'user.deleted - admin-api-key',
        'user.updated basic-auth admin-api-key',
        'user.updated blocked admin-api-key',
        'user.updated password admin-api-key',
        'user.updated profile admin-api-key',
      ]);
    });

    it('have names of their own', async () => {
      const id = await createUser(world, 'one');
      await createUser(world, 'two');
      const taken = problem(409, 'It exists already.', {}, [{ parameter: 'username', detail: "is another user's" }]);
      const before = await stored();
      expect(wire(await ask(world, 'POST', '/users', { json: { username: 'two' } }))).toStrictEqual(taken);
      expect(wire(await ask(world, 'PATCH', `/users/${id}`, { json: { username: 'two' } }))).toStrictEqual(taken);
      expect(await stored()).toEqual(before);
      const renamed = await ask(world, 'PATCH', `/users/${id}`, { json: { username: 'three' } });
      expect(renamed.json()).toMatchObject({ username: 'three' });
    });

    it('are listed in parts, and found by name and by address', async () => {
      const id = await createUser(world, 'listed', { email: 'Listed@Example.com' });
      const listed = {
        id: '<id>',
        username: 'listed',
        email: 'Listed@Example.com',
        email_verified: false,
        password_set: false,
        basic_auth: false,
        blocked: false,
        created_at: '<time>',
      };
      const byName = await ask(world, 'GET', '/users?username=listed');
      expect(wire(byName)).toStrictEqual(list([listed]));
      expectDocumented('GET', '/users', byName);
      expect(wire(await ask(world, 'GET', '/users?email=listed@EXAMPLE.com'))).toStrictEqual(list([listed]));
      expect(wire(await ask(world, 'GET', '/users?username=nobody'))).toStrictEqual(list([]));
      const all = (await ask(world, 'GET', '/users?limit=100')).json<{ data: { id: string }[] }>().data;
      const parts: string[] = [];
      for (let offset = 0; offset < all.length; offset += 2) {
        const part = (await ask(world, 'GET', `/users?limit=2&offset=${offset}`)).json<{
          data: { id: string }[];
          meta: { pagination: object };
        }>();
        expect(part.meta.pagination).toEqual({ limit: 2, offset, total_count: all.length });
        parts.push(...part.data.map((user) => user.id));
      }
      expect(parts).toEqual(all.map((user) => user.id));
      expect(parts).toContain(id);
    });
  });

  describe('linked accounts', () => {
    it('are shown without tokens, and unlinked', async () => {
      await world.signIn({ login: 'linked' });
      const [row] = await world.database.query('SELECT user_id FROM linked_accounts WHERE subject = ?', ['linked']);
      const id = String(row?.['user_id']);
      const answer = await ask(world, 'GET', `/users/${id}/identities`);
      expect(wire(answer)).toStrictEqual(
        ok({
          data: [
            {
              identity_provider: PROVIDER,
              subject: 'linked',
              status: 'active',
              default: true,
              scopes: ['openid', 'profile', 'email'],
              obtained_at: '<time>',
              expires_at: '<time>',
              created_at: '<time>',
            },
          ],
          revocations: [],
          meta: { pagination: { limit: 20, offset: 0, total_count: 1 } },
        }),
      );
      expectDocumented('GET', '/users/{id}/identities', answer);
      expect(wire(await ask(world, 'DELETE', `/users/${id}/identities/elsewhere`))).toStrictEqual(NOT_FOUND);
      expect(wire(await ask(world, 'DELETE', `/users/${id}/identities/${PROVIDER}`))).toStrictEqual(NO_CONTENT);
      const after = await ask(world, 'GET', `/users/${id}/identities`);
      expectDocumented('GET', '/users/{id}/identities', after);
      // The only account that the user signs in with stays known.
      expect(after.json()).toMatchObject({
        data: [{ subject: 'linked', status: 'sign-in-only', default: false, scopes: [] }],
        revocations: [{ identity_provider: PROVIDER, subject: 'linked' }],
      });
      expect(wire(await ask(world, 'DELETE', `/users/${id}/identities/${PROVIDER}`))).toStrictEqual(NOT_FOUND);
    });
  });

  describe('imports', () => {
    const account = { username: 'ada', identity_provider: PROVIDER, subject: 'ada', refresh_token: 'a-refresh-token' };

    it('are answered as they are documented, one and many', async () => {
      world.ledger.add(account.refresh_token, 'an imported refresh token');
      const one = await ask(world, 'POST', '/linked-accounts', { json: account });
      const imported = { status: 'imported', user_id: '<id>', identity_provider: PROVIDER, subject: 'ada' };
      expect(wire(one)).toStrictEqual(ok(imported));
      expectDocumented('POST', '/linked-accounts', one);
      expect(wire(await ask(world, 'POST', '/linked-accounts', { json: account }))).toStrictEqual(
        ok({ ...imported, status: 'exists' }),
      );
      const dead = await ask(world, 'POST', '/linked-accounts?verify=true', { json: account });
      expectDocumented('POST', '/linked-accounts', dead);
      expect(dead.json()).toMatchObject({ status: 'reauthentication-required', reason: 'invalid_grant' });

      const many = await ask(world, 'POST', '/linked-accounts/import', {
        body: `${JSON.stringify({ ...account, subject: 'ada-again' })}\nnothing\n`,
        headers: { 'content-type': 'application/x-ndjson' },
      });
      expectDocumentedLines('POST', '/linked-accounts/import', many, 4);
    });

    it('name the issuer where the provider has several', async () => {
      const [one, two] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
      const issuer = 'https://tenants.example/{tenantid}/v2.0';
      const provider = { id: 'tenants', issuer, tenants: [one, two], client_id: 'us', client_secret: 'x'.repeat(40) };
      expect(
        (await ask(world, 'POST', '/identity-providers', { json: { ...provider, offline_access: true } })).status,
      ).toBe(201);
      const there = { ...account, identity_provider: 'tenants' };
      const before = await stored();
      expect(wire(await ask(world, 'POST', '/linked-accounts', { json: there }))).toStrictEqual(
        invalid(['issuer', 'is needed: the provider has several']),
      );
      expect(wire(await ask(world, 'POST', '/linked-accounts', { json: { ...there, issuer } }))).toStrictEqual(
        invalid(['issuer', "is not the provider's"]),
      );
      expect(await stored()).toEqual(before);
      const ofTwo = { ...there, issuer: issuer.replace('{tenantid}', two) };
      expect((await ask(world, 'POST', '/linked-accounts', { json: ofTwo })).json()).toMatchObject({
        status: 'imported',
      });
      const ofOne = { ...there, issuer: issuer.replace('{tenantid}', one) };
      expect(wire(await ask(world, 'POST', '/linked-accounts', { json: ofOne }))).toStrictEqual(
        problem(409, 'The account is known under another issuer.'),
      );
      expect((await ask(world, 'DELETE', '/identity-providers/tenants')).status).toBe(204);
    });
  });

  describe('identity providers', () => {
    const entry = {
      id: 'corp',
      name: 'The Corporation',
      issuer: 'https://idp.example',
      client_id: 'us',
      client_secret: 'a client secret that nobody reads back',
    };
    const answered = {
      id: 'corp',
      type: 'oidc',
      name: 'The Corporation',
      issuer: 'https://idp.example',
      client_id: 'us',
      client_secret_set: true,
      private_key_set: false,
      token_endpoint_auth_method: 'client_secret_basic',
      client_assertion_audience: 'issuer',
      scope: 'openid profile email offline_access',
      offline_access: false,
      sign_up: false,
      trust_verified_email: false,
      authorization_parameters: {},
      response_mode: 'query',
      endpoints: {},
      claims: {},
    };

    it('are made, read, replaced and deleted', async () => {
      const answer = await ask(world, 'POST', '/identity-providers', { json: entry });
      expect(wire(answer)).toStrictEqual(created(answered));
      expectDocumented('POST', '/identity-providers', answer);
      expect(answer.headers.get('location')).toBe(`${world.service.url}/admin/identity-providers/corp`);
      expect(wire(await ask(world, 'POST', '/identity-providers', { json: entry }))).toStrictEqual(
        problem(409, 'It exists already.', {}, [{ parameter: 'id', detail: 'is taken' }]),
      );
      const read = await ask(world, 'GET', '/identity-providers/corp');
      expect(wire(read)).toStrictEqual(ok(answered));
      expectDocumented('GET', '/identity-providers/{id}', read);

      const limits = { refresh_token_idle_lifetime: 604_800, retention: { idle: 7_776_000, absolute: 31_536_000 } };
      const change = { ...read.json(), sign_up: ['corp.example'], access_token_lifetime: 'none', ...limits };
      const replaced = await ask(world, 'PUT', '/identity-providers/corp', { json: change });
      expect(wire(replaced)).toStrictEqual(
        ok({ ...answered, sign_up: ['corp.example'], access_token_lifetime: 'none', ...limits }),
      );
      expectDocumented('PUT', '/identity-providers/{id}', replaced);
      const elsewhere = { ...change, issuer: 'https://other.example' };
      expect((await ask(world, 'PUT', '/identity-providers/corp', { json: elsewhere })).json()).toMatchObject({
        status: 400,
        errors: [{ parameter: 'client_secret' }],
      });

      const gone = await ask(world, 'DELETE', '/identity-providers/corp');
      expect(wire(gone)).toStrictEqual(NO_CONTENT);
      expectDocumented('DELETE', '/identity-providers/{id}', gone);
      expect(wire(await ask(world, 'GET', '/identity-providers/corp'))).toStrictEqual(NOT_FOUND);
      expect(wire(await ask(world, 'DELETE', '/identity-providers/corp'))).toStrictEqual(NOT_FOUND);
      expect((await ask(world, 'POST', '/identity-providers', { json: entry })).status).toBe(201);
      const { data } = (await ask(world, 'GET', '/audit?identity_provider=corp')).json<{
        data: Record<string, string>[];
      }>();
      expect(data.map(({ event, actor }) => [event, actor])).toEqual([
        ['identity-provider.created', 'admin-api-key'],
        ['identity-provider.deleted', 'admin-api-key'],
        ['identity-provider.updated', 'admin-api-key'],
        ['identity-provider.created', 'admin-api-key'],
      ]);
    });

    it('are replaced by one administrator at a time, and stay deleted', async () => {
      await ask(world, 'POST', '/identity-providers', { json: { ...entry, id: 'raced' } });
      const put = () => ask(world, 'PUT', '/identity-providers/raced', { json: { ...entry, id: 'raced' } });
      const puts = await Promise.all(Array.from({ length: 10 }, put));
      const lost = puts.filter(({ status }) => status !== 200);
      expect(lost.length).toBeLessThan(puts.length);
      for (const answer of lost) {
        expect(wire(answer)).toStrictEqual(problem(409, 'It has been changed meanwhile.'));
        expectDocumented('PUT', '/identity-providers/{id}', answer);
      }
      const deletion = ask(world, 'DELETE', '/identity-providers/raced');
      const late = await Promise.all(Array.from({ length: 10 }, put));
      expect((await deletion).status).toBe(204);
      for (const { status } of late) expect([200, 404, 409]).toContain(status);
      expect((await ask(world, 'GET', '/identity-providers/raced')).status).toBe(404);
    });

    it('are listed by id, in parts', async () => {
      const answer = await ask(world, 'GET', '/identity-providers?limit=1&offset=1');
      expect(answer.json()).toMatchObject({
        data: [{ id: 'members-only', client_id: UPSTREAM_CLIENT.client_id, client_secret_set: true }],
        meta: { pagination: { limit: 1, offset: 1, total_count: 4 } },
      });
      expectDocumented('GET', '/identity-providers', answer);
    });

    it('are tested', async () => {
      const answer = await ask(world, 'POST', `/identity-providers/${PROVIDER}/test`);
      expect(answer.status).toBe(200);
      expectDocumented('POST', '/identity-providers/{id}/test', answer);
      expect(answer.json()).toMatchObject({
        identity_provider: PROVIDER,
        redirect_uri: `${world.service.url}/login/${PROVIDER}/callback`,
      });
      const { data } = (await ask(world, 'GET', '/audit?event=identity-provider.tested')).json<{ data: object[] }>();
      expect(data).toMatchObject([{ outcome: 'success', identity_provider: PROVIDER, actor: 'admin-api-key' }]);
    });
  });

  describe('clients', () => {
    const entry = { redirect_uris: ['https://app.example/callback'], scope: 'openid profile' };
    const answered = {
      client_id: 'new-client',
      client_name: 'new-client',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      ...entry,
      access_token_format: 'jwt',
      upstream_providers: [],
      upstream_refresh_token: false,
      consent: 'explicit',
      require_pkce: true,
      profile: 'openid',
      introspection: 'own',
      id_token_signed_response_alg: 'RS256',
      enabled: true,
      created_at: '<time>',
      updated_at: '<time>',
    };
    const everything = {
      client_id: 'full-client',
      client_name: 'Full',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks_uri: 'https://app.example/jwks',
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      redirect_uris: ['https://app.example/callback', 'http://127.0.0.1/'],
      scope: 'openid accounts:read',
      access_token_format: 'opaque',
      access_token_lifetime: 60,
      refresh_token_lifetime: 120,
      upstream_providers: [PROVIDER],
      upstream_refresh_token: true,
      consent: 'implicit',
      require_pkce: false,
      profile: 'openid',
      introspection: 'any',
      id_token_signed_response_alg: 'ES256',
      client_uri: 'https://app.example',
      logo_uri: 'https://app.example/logo.png',
      tos_uri: 'https://app.example/terms',
      policy_uri: 'https://app.example/privacy',
      contacts: ['ops@app.example'],
      software_id: 'full',
      software_version: '1.0.0',
    };

    it('are made, read, replaced and deleted; the secret is shown once, and never read back', async () => {
      const answer = await ask(world, 'POST', '/clients', { json: { client_id: 'new-client', ...entry } });
      expect(withoutGiven(answer, 'client_secret')).toStrictEqual(created(answered));
      expectDocumented('POST', '/clients', answer);
      expect(answer.headers.get('location')).toBe(`${world.service.url}/admin/clients/new-client`);
      const read = await ask(world, 'GET', '/clients/new-client');
      expect(wire(read)).toStrictEqual(ok(answered));
      expectDocumented('GET', '/clients/{id}', read);
      // What was read can be written again, and changes nothing.
      const again = await ask(world, 'PUT', '/clients/new-client', { json: read.json() });
      expect(wire(again)).toStrictEqual(ok(answered));
      expectDocumented('PUT', '/clients/{id}', again);
      const gone = await ask(world, 'DELETE', '/clients/new-client');
      expect(wire(gone)).toStrictEqual(NO_CONTENT);
      expectDocumented('DELETE', '/clients/{id}', gone);
      expect(wire(await ask(world, 'GET', '/clients/new-client'))).toStrictEqual(NOT_FOUND);
      const { data } = (await ask(world, 'GET', '/audit?client_id=new-client')).json<{
        data: Record<string, string>[];
      }>();
      expect(data.map(({ event, actor }) => [event, actor])).toEqual([
        ['client.deleted', 'admin-api-key'],
        ['client.updated', 'admin-api-key'],
        ['client.created', 'admin-api-key'],
      ]);
    });

    it('keep everything that they are registered with; what is left out of a replacement has its default again', async () => {
      const answer = await ask(world, 'POST', '/clients', { json: everything });
      const full = {
        ...everything,
        response_types: ['code'],
        enabled: true,
        created_at: '<time>',
        updated_at: '<time>',
      };
      expect(wire(answer)).toStrictEqual(created(full));
      expectDocumented('POST', '/clients', answer);
      expect(wire(await ask(world, 'GET', '/clients/full-client'))).toStrictEqual(ok(full));
      const jwks = {
        keys: [
          { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: 'one' },
        ],
      };
      const withKeys = { ...entry, token_endpoint_auth_method: 'private_key_jwt', jwks };
      const replaced = await ask(world, 'PUT', '/clients/full-client', { json: withKeys });
      const bare = { ...answered, client_id: 'full-client', client_name: 'full-client', ...withKeys };
      expect(wire(replaced)).toStrictEqual(ok(bare));
      expectDocumented('PUT', '/clients/{id}', replaced);
      await ask(world, 'DELETE', '/clients/full-client');
    });

    it('are given an id that can never be the one of a user, and a secret where their method needs one', async () => {
      const answer = await ask(world, 'POST', '/clients', { json: entry });
      const { client_id: id } = answer.json<{ client_id: string }>();
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(withoutGiven(answer, 'client_secret').body).toMatchObject({ client_id: id, client_name: id });
      const open = await ask(world, 'PUT', `/clients/${id}`, {
        json: { ...entry, token_endpoint_auth_method: 'none' },
      });
      expect(wire(open).body).not.toHaveProperty('client_secret');
      const closed = await ask(world, 'PUT', `/clients/${id}`, { json: entry });
      withoutGiven(closed, 'client_secret');
      expectDocumented('PUT', '/clients/{id}', closed);
      await ask(world, 'DELETE', `/clients/${id}`);
    });

    it('take no id that is taken, by a client or by a user (RFC 9700 section 4.15)', async () => {
      const taken = problem(409, 'It exists already.', {}, [{ parameter: 'client_id', detail: 'is taken' }]);
      const id = await createUser(world, 'no-client');
      for (const client_id of ['reader', id]) {
        const answer = await ask(world, 'POST', '/clients', { json: { ...entry, client_id } });
        expect(wire(answer)).toStrictEqual(taken);
        expectDocumented('POST', '/clients', answer);
      }
      await ask(world, 'DELETE', `/users/${id}`);
    });

    it('are disabled and enabled, and say so', async () => {
      for (const [action, enabled] of [
        ['disable', false],
        ['disable', false],
        ['enable', true],
      ] as const) {
        const answer = await ask(world, 'POST', `/clients/stranger/${action}`);
        expect(answer.status).toBe(200);
        expect(answer.json()).toMatchObject({ client_id: 'stranger', enabled });
        expectDocumented('POST', `/clients/{id}/${action}`, answer);
      }
      const { data } = (await ask(world, 'GET', '/audit?client_id=stranger')).json<{ data: { event: string }[] }>();
      expect(data.map(({ event }) => event)).toEqual(['client.enabled', 'client.disabled']);
    });

    it('are given new secrets, with or without a body, and take one that was chosen', async () => {
      const answer = await ask(world, 'POST', '/clients', { json: { ...entry, client_id: 'rotated' } });
      withoutGiven(answer, 'client_secret');
      const rotate = (options: object) => ask(world, 'POST', '/clients/rotated/rotate-secret', options);
      const rotated = await rotate({});
      const same = { ...answered, client_id: 'rotated', client_name: 'rotated' };
      expect(withoutGiven(rotated, 'client_secret')).toStrictEqual(ok(same));
      expectDocumented('POST', '/clients/{id}/rotate-secret', rotated);
      const chosen = 'a secret that a person made up';
      const taken = await rotate({ json: { previous_valid_for: 0, client_secret: chosen } });
      expect(wire(taken)).toStrictEqual(ok({ ...same, client_secret: chosen }));
      await ask(world, 'DELETE', '/clients/rotated');
      const none = await ask(world, 'POST', '/clients/asker/rotate-secret');
      expect(wire(none)).toStrictEqual(problem(400, 'The client authenticates without a secret.'));
      expectDocumented('POST', '/clients/{id}/rotate-secret', none);
    });

    it('are listed in the order in which they were made, in parts', async () => {
      const answer = await ask(world, 'GET', '/clients?limit=2&offset=1');
      expectDocumented('GET', '/clients', answer);
      const whole = (await ask(world, 'GET', '/clients')).json<{ data: object[]; meta: object }>();
      expect(whole.meta).toEqual({ pagination: { limit: 20, offset: 0, total_count: whole.data.length } });
      expect(whole.data).toContainEqual(expect.objectContaining({ client_id: 'reader' }));
      expect(whole.data).toContainEqual(expect.objectContaining({ client_id: 'swagger-ui' }));
      expect(answer.json()).toEqual({
        data: whole.data.slice(1, 3),
        meta: { pagination: { limit: 2, offset: 1, total_count: whole.data.length } },
      });
    });
  });

  describe('API keys', () => {
    const key = { name: 'deployment', scopes: ['admin'], expires_at: '2100-01-01T00:00:00Z' };
    const answered = { id: '<id>', ...key, created_at: '<time>', expires_at: '<time>' };

    it('are made, listed and deleted; the key is shown once', async () => {
      const answer = await ask(world, 'POST', '/api-keys', { json: key });
      expectDocumented('POST', '/api-keys', answer);
      expect(withoutGiven(answer, 'api_key', /^symbolon_key_[A-Za-z0-9_-]{43}$/)).toStrictEqual(created(answered));
      const again = await ask(world, 'POST', '/api-keys', { json: key });
      expect(wire(again)).toStrictEqual(
        problem(409, 'It exists already.', {}, [{ parameter: 'name', detail: "is another key's" }]),
      );
      const other = { name: 'refresher', scopes: ['upstream-tokens:refresh'] };
      withoutGiven(await ask(world, 'POST', '/api-keys', { json: other }), 'api_key', /^symbolon_key_/);
      const listed = await ask(world, 'GET', '/api-keys');
      expect(wire(listed)).toStrictEqual(list([answered, { id: '<id>', ...other, created_at: '<time>' }]));
      expectDocumented('GET', '/api-keys', listed);
      const part = await ask(world, 'GET', '/api-keys?limit=1');
      expect(wire(part)).toStrictEqual(list([answered], { limit: 1, offset: 0, total_count: 2 }));
      for (const { id } of listed.json<{ data: { id: string }[] }>().data) {
        const gone = await ask(world, 'DELETE', `/api-keys/${id}`);
        expect(wire(gone)).toStrictEqual(NO_CONTENT);
        expectDocumented('DELETE', '/api-keys/{id}', gone);
      }
      expect(wire(await ask(world, 'GET', '/api-keys'))).toStrictEqual(list([]));
    });
  });

  describe('webhooks', () => {
    const settings = {
      url: 'https://receiver.example/hook',
      description: 'The billing service',
      events: ['identity.linked', 'identity.recovered'],
    };
    const answered = { id: '<id>', ...settings, enabled: true, created_at: '<time>', updated_at: '<time>' };
    const make = async (json: object = settings): Promise<string> => {
      const answer = await ask(world, 'POST', '/webhooks', { json });
      withoutSecret(answer);
      return answer.json<{ id: string }>().id;
    };

    it('are made, read, changed and deleted; the secret is shown once', async () => {
      const answer = await ask(world, 'POST', '/webhooks', { json: settings });
      expect(withoutSecret(answer)).toEqual(created(answered));
      expectDocumented('POST', '/webhooks', answer);
      const { id } = answer.json<{ id: string }>();
      expect(answer.headers.get('location')).toBe(`${world.service.url}/admin/webhooks/${id}`);
      const read = await ask(world, 'GET', `/webhooks/${id}`);
      expect(wire(read)).toStrictEqual(ok(answered));
      expectDocumented('GET', '/webhooks/{id}', read);

      const change = { url: 'https://other.example/', description: null, events: null, enabled: false };
      const changed = await ask(world, 'PATCH', `/webhooks/${id}`, { json: change });
      const { description: _, events: __, ...bare } = answered;
      const disabled = { ...bare, url: change.url, enabled: false, disabled_at: '<time>' };
      expect(wire(changed)).toStrictEqual(ok(disabled));
      expectDocumented('PATCH', '/webhooks/{id}', changed);
      expect(wire(await ask(world, 'PATCH', `/webhooks/${id}`, { json: {} }))).toStrictEqual(ok(disabled));
      const test = await ask(world, 'POST', `/webhooks/${id}/test`);
      expect(wire(test)).toStrictEqual(problem(409, 'The webhook is disabled.'));
      expectDocumented('POST', '/webhooks/{id}/test', test);

      const gone = await ask(world, 'DELETE', `/webhooks/${id}`);
      expect(wire(gone)).toStrictEqual(NO_CONTENT);
      expectDocumented('DELETE', '/webhooks/{id}', gone);
      expect(wire(await ask(world, 'GET', `/webhooks/${id}`))).toStrictEqual(NOT_FOUND);
      expect(wire(await ask(world, 'DELETE', `/webhooks/${id}`))).toStrictEqual(NOT_FOUND);
      const { data } = (await ask(world, 'GET', '/audit?limit=100')).json<{ data: Record<string, string>[] }>();
      const about = data.filter(({ reason = '' }) => reason.startsWith(id));
      expect(about.map(({ event, reason, actor }) => [event, reason, actor])).toEqual([
        ['webhook.deleted', id, 'admin-api-key'],
        ['webhook.updated', id, 'admin-api-key'],
        ['webhook.updated', `${id} disabled description events url`, 'admin-api-key'],
        ['webhook.created', id, 'admin-api-key'],
      ]);
    });

    it('are listed in the order in which they were made, in parts', async () => {
      const ids = [await make(), await make(), await make()];
      const answer = await ask(world, 'GET', '/webhooks?limit=2&offset=1');
      expect(wire(answer)).toStrictEqual(list([answered, answered], { limit: 2, offset: 1, total_count: 3 }));
      expect(answer.json<{ data: { id: string }[] }>().data.map(({ id }) => id)).toEqual(ids.slice(1));
      expectDocumented('GET', '/webhooks', answer);
      for (const id of ids) await ask(world, 'DELETE', `/webhooks/${id}`);
    });

    it('are given new secrets, with or without a body, and take one that was chosen', async () => {
      const chosen = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
      const answer = await ask(world, 'POST', '/webhooks', { json: { ...settings, secret: chosen } });
      expect(answer.json()).toMatchObject({ secret: chosen });
      withoutSecret(answer);
      const { id } = answer.json<{ id: string }>();
      const rotate = (options: object) => ask(world, 'POST', `/webhooks/${id}/rotate-secret`, options);
      const rotated = await rotate({});
      expect(withoutSecret(rotated)).toEqual(ok({ ...answered, previous_secret_expires_at: '<time>' }));
      expectDocumented('POST', '/webhooks/{id}/rotate-secret', rotated);
      const { previous_secret_expires_at: at } = rotated.json<{ previous_secret_expires_at: string }>();
      expect(Date.parse(at) - Date.parse(rotated.json<{ updated_at: string }>().updated_at)).toBe(86_400_000);
      const atOnce = await rotate({ json: { previous_valid_for: 0, secret: chosen } });
      expect(atOnce.json()).toMatchObject({ secret: chosen });
      expect(withoutSecret(atOnce)).toEqual(ok(answered));
      await ask(world, 'DELETE', `/webhooks/${id}`);
    });

    it('show what is on its way to them, and what is not sent again', async () => {
      // Nobody listens there.
      const id = await make({ ...settings, url: 'http://127.0.0.1:1/hook' });
      const answer = await ask(world, 'POST', `/webhooks/${id}/test`);
      const pending = { event: 'webhook.test', state: 'pending', created_at: '<time>', next_attempt_at: '<time>' };
      expect(wire(answer)).toStrictEqual({ ...ok({ id: '<id>', ...pending, attempts: 0 }), status: 202 });
      expectDocumented('POST', '/webhooks/{id}/test', answer);
      const { id: delivery } = answer.json<{ id: string }>();
      const deliveries = (query = '') => ask(world, 'GET', `/webhooks/${id}/deliveries${query}`);
      let listed = await deliveries();
      const until = Date.now() + 10_000;
      while (!listed.text().includes('last_error') && Date.now() < until) listed = await deliveries();
      expect(wire(listed)).toStrictEqual(list([{ id: '<id>', ...pending, attempts: 1, last_error: 'network' }]));
      expectDocumented('GET', '/webhooks/{id}/deliveries', listed);
      expect(wire(await deliveries('?state=pending'))).toStrictEqual(wire(listed));
      expect(wire(await deliveries('?state=failed'))).toStrictEqual(list([]));
      const again = await ask(world, 'POST', `/webhooks/${id}/deliveries/${delivery}/redeliver`);
      expect(wire(again)).toStrictEqual(problem(409, 'It is under way, or has been delivered.'));
      expectDocumented('POST', '/webhooks/{id}/deliveries/{delivery}/redeliver', again);
      const unknownOne = await ask(world, 'POST', `/webhooks/${id}/deliveries/nothing/redeliver`);
      expect(wire(unknownOne)).toStrictEqual(NOT_FOUND);

      await world.database.query("UPDATE outbox_messages SET outcome = 'failed', next_attempt_at = NULL");
      const failed = await ask(world, 'POST', `/webhooks/${id}/deliveries/${delivery}/redeliver`);
      expect(wire(failed)).toStrictEqual({ ...ok({ id: '<id>', ...pending, attempts: 0 }), status: 202 });
      expectDocumented('POST', '/webhooks/{id}/deliveries/{delivery}/redeliver', failed);
      await ask(world, 'DELETE', `/webhooks/${id}`);
    });
  });

  describe('the audit log', () => {
    it('is read from the newest, in parts, and by what is asked for', async () => {
      await world.signIn({ login: 'audited' });
      const [row] = await world.database.query('SELECT user_id FROM linked_accounts WHERE subject = ?', ['audited']);
      const id = String(row?.['user_id']);
      const audit = async (query: string) => {
        const answer = await ask(world, 'GET', `/audit?user_id=${id}&${query}`);
        expectDocumented('GET', '/audit', answer);
        return answer.json<{ data: Record<string, string>[]; meta: { pagination: { total_count: number } } }>();
      };
      const { data } = await audit('');
      expect(data.map(({ at }) => at)).toEqual(
        data
          .map(({ at }) => at)
          .toSorted()
          .toReversed(),
      );
      expect(new Set(data.map(({ event }) => event))).toEqual(
        new Set(['user.created', 'identity.linked', 'user.signed-in', 'client.authorized', 'token.issued']),
      );
      const [issued] = data.filter(({ event }) => event === 'token.issued');
      expect(issued).toMatchObject({ outcome: 'success', client_id: 'reader', user_id: id, address: '127.0.0.1' });
      expect((await audit('event=token.issued')).data).toEqual([issued]);
      expect((await audit('client_id=nobody')).data).toEqual([]);
      expect((await audit(`identity_provider=${PROVIDER}&event=identity.linked`)).data).toHaveLength(1);
      expect((await audit('to=2020-01-01')).data).toEqual([]);
      expect((await audit(`from=${encodeURIComponent(issued?.['at'] ?? '')}`)).data).toContainEqual(issued);
      const part = await audit('limit=1&offset=1');
      expect(part.data).toEqual([data[1]]);
      expect(part.meta.pagination.total_count).toBe(data.length);
      expectDocumentedLines(
        'GET',
        '/audit/export',
        await ask(world, 'GET', `/audit/export?user_id=${id}`),
        data.length,
      );
    });
  });

  describe('signing keys', () => {
    const key = { kid: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/), created_at: '<time>', changes_at: '<time>' };
    const current = (algorithm: string) => ({ ...key, algorithm, status: 'current', activated_at: '<time>' });
    const next = (algorithm: string) => ({ ...key, algorithm, status: 'next' });
    it('are listed, and rotated at once where that is said', async () => {
      const listed = await ask(world, 'GET', '/signing-keys');
      expectDocumented('GET', '/signing-keys', listed);
      const both = [current('ES256'), current('RS256'), next('ES256'), next('RS256')];
      expect(inOrder(listed)).toStrictEqual(ok({ keys: both }));
      const json = { algorithm: 'ES256', immediately: true };
      const rotated = await ask(world, 'POST', '/signing-keys/rotate', { json });
      expectDocumented('POST', '/signing-keys/rotate', rotated);
      const retired = { ...current('ES256'), status: 'retired', retired_at: '<time>' };
      expect(inOrder(rotated)).toStrictEqual(ok({ keys: [...both, retired] }));
      const tooNew = await ask(world, 'POST', '/signing-keys/rotate', { json: { algorithm: 'ES256' } });
      expectDocumented('POST', '/signing-keys/rotate', tooNew);
      expect(wire(tooNew)).toStrictEqual(TOO_NEW);
      const { data } = (await ask(world, 'GET', '/audit?event=signing-keys.rotated')).json<{ data: object[] }>();
      expect(data).toMatchObject([{ outcome: 'success', actor: 'admin-api-key', reason: 'immediate ES256' }]);
    });
  });

  it('documents every operation, and each of its refusals', () => {
    const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = OPERATIONS.map(
      ([method, path]) =>
        `${method} /admin${path
          .replace(/\/no(where|body)/, '/{id}')
          .replace(/mobypay$/, '{idp}')
          .replace('nothing', '{delivery}')}`,
    );
    expect(documented.toSorted()).toEqual(served.toSorted());
    for (const operation of Object.values(document.paths).flatMap((each) => Object.values(each))) {
      expect(operation.security).toEqual([{ 'admin-key': [] }, { 'SlashID-API-Key': [] }]);
      for (const [status, { content }] of Object.entries(operation.responses)) {
        if (Number(status) >= 400) expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
      }
    }
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
