import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import {
  differences,
  problems,
  readDocument,
  resolve,
  type DocumentedOperation,
  type OpenApiDocument,
  type Schema,
} from '../support/openapi.js';
import { removeTemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.js';
import { CLIENTS, createWorld, type World } from '../support/world.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACE = '/federated-identities/{identityProvider}/token';
const PACE_VERSIONED = `/user/{version}${PACE}`;
const PACE_IDENTITY = '/federated-identities/{identityProvider}';
const PACE_IDENTITY_VERSIONED = `/user/{version}${PACE_IDENTITY}`;
const ONEZONE = '/api/v3/onezone/user/idp_access_token/{idp}';

function operation(document: OpenApiDocument, path: string, method = 'post'): DocumentedOperation {
  const found = document.paths[path]?.[method];
  if (found === undefined) throw new Error(`${method} ${path} is not documented`);
  return found;
}

/** Statuses with their content types; null where there is no body. */
const answersOf = ({ responses }: DocumentedOperation): Record<string, string[] | null> =>
  Object.fromEntries(
    Object.entries(responses).map(([status, { content }]) => [status, content ? Object.keys(content) : null]),
  );

/** A schema as the dialects write it: names with types, a question mark where it may be left out. */
function shape(document: OpenApiDocument, given: Schema): unknown {
  const schema = resolve(document, given);
  if (schema.type === 'array') return [shape(document, schema.items ?? {})];
  if (schema.properties === undefined) return schema.type;
  return Object.fromEntries(
    Object.entries(schema.properties).map(([name, property]) => [
      schema.required?.includes(name) === true ? name : `${name}?`,
      shape(document, property),
    ]),
  );
}

function bodyShape(document: OpenApiDocument, { responses }: DocumentedOperation, status: number): unknown {
  const [content] = Object.values(responses[status]?.content ?? {});
  return shape(document, content?.schema ?? {});
}

describe('the committed documents', () => {
  const names = ['symbolon', 'pace', 'onezone', 'raidiam', 'slashid', 'admin'] as const;

  it('are what the code generates', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/openapi.mjs'), '--check'], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('cannot fall behind unseen: the check names the file and says what to run', () => {
    const copy = temporaryDirectory();
    try {
      const unchanged = { recursive: true, preserveTimestamps: true };
      for (const name of ['scripts', 'openapi']) cpSync(join(ROOT, name), join(copy, name), unchanged);
      for (const name of ['dist', 'node_modules']) symlinkSync(join(ROOT, name), join(copy, name));
      const file = join(copy, 'openapi/pace.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace('"integer"', '"number"'));
      const { status, stderr } = spawnSync(process.execPath, [join(copy, 'scripts/openapi.mjs'), '--check'], {
        encoding: 'utf8',
      });
      expect(stderr).toBe('openapi/pace.json does not match the code: run `npm run openapi` and commit it\n');
      expect(status).toBe(1);
    } finally {
      removeTemporaryDirectory(copy);
    }
  });

  it('lint clean', () => {
    const redocly = join(ROOT, 'node_modules/@redocly/cli/bin/cli.js');
    const { status, stdout } = spawnSync(process.execPath, [redocly, 'lint', '--format', 'json'], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    });
    // One JSON object per document; a warning alone would leave the status at 0.
    expect(stdout.match(/"totals"/g)).toHaveLength(names.length);
    expect({ status, rules: stdout.match(/"ruleId": "[^"]+"/g) }).toEqual({ status: 0, rules: null });
  });

  it.each(names)('%s.json names no machine, and nothing of another face', (name) => {
    const document = readDocument(name);
    expect(document.servers).toEqual([{ url: '/' }]);
    const text = JSON.stringify(document);
    expect(text).not.toMatch(/\/(home|root|tmp|Users|work)\//);
    const referenced = [...text.matchAll(/#\/components\/schemas\/([A-Za-z]+)/g)].map(([, schema]) => schema);
    expect(Object.keys(document.components.schemas).toSorted()).toEqual([...new Set(referenced)].toSorted());
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    if (name !== 'symbolon') expect(document.tags.map((tag) => tag.name.toLowerCase())).toEqual([name]);
  });

  it.each(names)('%s.json has examples that fit their schemas', (name) => {
    const document = readDocument(name);
    for (const methods of Object.values(document.paths)) {
      for (const { responses } of Object.values(methods)) {
        for (const { content = {} } of Object.values(responses)) {
          for (const { schema, examples = {} } of Object.values(content)) {
            for (const { value } of Object.values(examples)) expect(problems(document, schema, value)).toEqual([]);
          }
        }
      }
    }
  });
});

describe("PACE's operation", () => {
  const document = readDocument('pace');

  it('is documented at both addresses, and the version only where there is one', () => {
    expect(Object.keys(document.paths).toSorted()).toEqual([
      PACE_IDENTITY,
      PACE,
      PACE_IDENTITY_VERSIONED,
      PACE_VERSIONED,
    ]);
    const provider = { name: 'identityProvider', in: 'path', required: true, schema: { type: 'string' } };
    const version = {
      name: 'version',
      in: 'path',
      required: true,
      schema: { type: 'string', pattern: '^\\d{4}-\\d$' },
    };
    expect(operation(document, PACE).parameters).toMatchObject([provider]);
    expect(operation(document, PACE).parameters).toHaveLength(1);
    expect(operation(document, PACE_VERSIONED).parameters).toMatchObject([version, provider]);
    expect(operation(document, PACE_VERSIONED).parameters).toHaveLength(2);
  });

  it.each([
    ['put', PACE_IDENTITY, 'Define federated identity'],
    ['put', PACE_IDENTITY_VERSIONED, 'Define federated identity'],
    ['delete', PACE_IDENTITY, 'Delete federated identity'],
    ['delete', PACE_IDENTITY_VERSIONED, 'Delete federated identity'],
  ])('%s %s takes and gives no body', (method, path, summary) => {
    const documented = operation(document, path, method);
    expect(documented.summary).toBe(summary);
    expect(documented.requestBody).toBeUndefined();
    expect(answersOf(documented)).toEqual({
      204: null,
      401: ['application/vnd.api+json'],
      404: ['application/vnd.api+json'],
      500: ['application/vnd.api+json'],
    });
  });

  it.each([PACE, PACE_VERSIONED])('%s answers as the dialect says', (path) => {
    const documented = operation(document, path);
    expect(documented.summary).toBe('Provide a token for a federated identity provider');
    expect(documented.requestBody).toBeUndefined();
    expect(answersOf(documented)).toEqual({
      200: ['application/json'],
      401: ['application/vnd.api+json'],
      404: ['application/vnd.api+json'],
      500: ['application/vnd.api+json'],
    });
    expect(bodyShape(document, documented, 200)).toEqual({
      access_token: 'string',
      token_type: 'string',
      'refresh_token?': 'string',
      expires_in: 'integer',
      scope: 'string',
    });
    for (const status of [401, 404, 500]) {
      expect(bodyShape(document, documented, status)).toEqual({
        errors: [
          {
            'id?': 'string',
            'links?': { 'about?': 'string' },
            'status?': 'string',
            'code?': 'string',
            'title?': 'string',
            'detail?': 'string',
            'source?': { 'pointer?': 'string', 'parameter?': 'string' },
            'meta?': 'object',
          },
        ],
      });
    }
    expect(documented.responses[401]?.content?.['application/vnd.api+json']?.examples).toMatchObject({
      missingLinkedIdentity: {
        value: {
          errors: [
            {
              id: 'cbgmhslmp1o9or9kh1p0',
              title: 'Missing linked identity for authorized access',
              detail:
                'Linked identity is needed to access this resource, please check why the user does not have a linked identity',
              status: '401',
              code: 'missing-linked-identity',
            },
          ],
        },
      },
    });
    expect(documented.security).toEqual([{ oauth2: ['federated-identity:token'] }, { bearer: [] }]);
  });
});

describe("Onezone's operation", () => {
  const document = readDocument('onezone');
  const documented = operation(document, ONEZONE);

  it('answers as the dialect says', () => {
    expect(Object.keys(document.paths).map((path) => path.replace('/api/v3/onezone', ''))).toEqual([
      '/configuration',
      '/user',
      '/user/idp_access_token/{idp}',
      '/tokens/named/{id}',
      '/tokens/verify_access_token',
      '/user/tokens/named',
      '/user/tokens/temporary',
    ]);
    expect(documented).toMatchObject({ summary: 'Acquire IdP access token', operationId: 'acquireIdpAccessToken' });
    expect(documented.parameters).toMatchObject([
      { name: 'idp', in: 'path', required: true, schema: { type: 'string' } },
    ]);
    expect(documented.parameters).toHaveLength(1);
    expect(documented.requestBody).toMatchObject({ required: false, content: { 'application/json': {} } });
    expect(Object.keys(documented.requestBody?.content ?? {})).toEqual(['application/json']);
    const json = ['application/json'];
    expect(answersOf(documented)).toEqual({
      200: json,
      400: json,
      401: json,
      403: json,
      404: json,
      415: json,
      500: json,
      503: json,
    });
    expect(bodyShape(document, documented, 200)).toEqual({ token: 'string', ttl: 'integer' });
    for (const status of [400, 401, 403, 404, 415, 500, 503]) {
      expect(bodyShape(document, documented, status)).toEqual({
        error: { id: 'string', 'details?': 'object', description: 'string' },
      });
    }
  });

  it('takes each of the four credentials, and our own OAuth beside them', () => {
    expect(documented.security).toEqual([
      { oauth2: ['federated-identity:token'] },
      { bearer: [] },
      { 'x-auth-token': [] },
      { macaroon: [] },
      { user: [] },
    ]);
    expect(document.components.securitySchemes).toMatchObject({
      'x-auth-token': { type: 'apiKey', in: 'header', name: 'X-Auth-Token' },
      macaroon: { type: 'apiKey', in: 'header', name: 'Macaroon' },
      bearer: { type: 'http', scheme: 'bearer' },
      user: { type: 'http', scheme: 'basic' },
      oauth2: { type: 'oauth2' },
    });
  });
});

describe("Raidiam's token operation", () => {
  it('answers as the dialect says', () => {
    const document = readDocument('raidiam');
    const documented = operation(document, '/token');
    const json = ['application/json'];
    expect(answersOf(documented)).toEqual({
      200: json,
      400: json,
      401: json,
      404: json,
      406: null,
      413: null,
      429: null,
      500: null,
      502: null,
      503: null,
      504: null,
    });
    expect(bodyShape(document, documented, 200)).toMatchObject({
      access_token: 'string',
      expires_in: 'integer',
      token_type: 'string',
      scope: 'string',
    });
    expect(bodyShape(document, documented, 404)).toEqual({ errors: ['string'] });
    for (const { headers } of Object.values(documented.responses)) {
      expect(headers).toHaveProperty('x-fapi-interaction-id');
    }
  });
});

describe('what the dialects mark with *', () => {
  it.each([
    ['slashid', 'SlashidTokenForm', ['grant_type']],
    ['slashid', 'SlashidIntrospectionForm', ['token']],
    ['slashid', 'SlashidRevocationForm', ['token']],
    ['slashid', 'SlashidRevokeAllForm', ['person_id']],
    ['slashid', 'NewOAuthClient', ['client_name', 'scopes', 'grant_types']],
    ['raidiam', 'PresentedTokenForm', ['token']],
    // "client credentials where it is left out"
    ['raidiam', 'TokenForm', undefined],
  ] as const)('is required, and nothing else, by %s: %s', (name, schema, required) => {
    expect(readDocument(name).components.schemas[schema]?.required).toEqual(required);
  });

  it("has the vendor's types and defaults", () => {
    const { properties } = readDocument('slashid').components.schemas['NewOAuthClient'] ?? {};
    expect(properties).toMatchObject({
      access_token_duration: { type: 'integer', default: 86_400 },
      refresh_token_duration: { type: 'integer', default: 864_000 },
      redirect_uris: { type: 'array', items: { type: 'string' } },
      public: { type: 'boolean', default: false },
    });
  });
});

describe('real answers', () => {
  const document = readDocument('symbolon');
  const seen = new Map<string, Set<number>>();
  const [kind] = databases;
  let world: World;
  let token: string;
  beforeAll(async () => {
    if (kind === undefined) throw new Error('TEST_DATABASES names no database');
    world = await createWorld(kind);
    token = (await world.signIn({ login: 'alice' })).access_token;
  });
  afterAll(async () => {
    await world.stop();
  });

  function expectDocumented(path: string, answer: BrowserResponse, status: number, method = 'post'): void {
    expect({
      status: answer.status,
      differences: differences(document, operation(document, path, method), answer),
    }).toEqual({ status, differences: [] });
    seen.set(path, (seen.get(path) ?? new Set()).add(status));
  }

  it('of PACE are the documented ones', async () => {
    expectDocumented(PACE, await world.pace(token), 200);
    const trusted = await world.signIn({ login: 'alice', client: CLIENTS.trusted });
    const withRefreshToken = await world.pace(trusted.access_token);
    expect(withRefreshToken.json()).toHaveProperty('refresh_token');
    expectDocumented(PACE, withRefreshToken, 200);
    expectDocumented(PACE, await world.pace('not-a-token'), 401);
    const notLinked = await world.pace(token, 'online-only');
    expect(notLinked.text()).toContain('connect_url');
    expectDocumented(PACE, notLinked, 401);
    expectDocumented(PACE, await world.pace(token, 'unknown'), 404);
    await world.expire();
    world.upstream.failNext(1, { status: 503 });
    const failed = await world.pace(token);
    expect(failed.headers.get('retry-after')).not.toBeNull();
    expectDocumented(PACE, failed, 500);
    expect([...(seen.get(PACE) ?? [])].toSorted((one, other) => one - other).map(String)).toEqual(
      Object.keys(operation(document, PACE).responses),
    );
  });

  it('of Onezone are the documented ones', async () => {
    const bob = (await world.signIn({ login: 'bob' })).access_token;
    const withoutScope = (await world.signIn({ login: 'bob', scope: 'openid' })).access_token;
    expectDocumented(ONEZONE, await world.onezone(bob), 200);
    expectDocumented(ONEZONE, await world.onezone(bob, 'unknown'), 400);
    const path = ONEZONE.replace('{idp}', 'mobypay');
    expectDocumented(ONEZONE, await world.request(path, { method: 'POST' }), 401);
    expectDocumented(ONEZONE, await world.onezone('not-a-token'), 401);
    expectDocumented(ONEZONE, await world.onezone(withoutScope), 403);
    // Ada is known by her subject at the provider, and has never signed in there.
    const authorization = `Basic ${Buffer.from('ada:correct horse battery staple').toString('base64')}`;
    expectDocumented(ONEZONE, await world.request(path, { method: 'POST', headers: { authorization } }), 404);
    const text = { 'x-auth-token': bob, 'content-type': 'text/plain' };
    expectDocumented(ONEZONE, await world.request(path, { method: 'POST', headers: text, body: 'hello' }), 415);
    await world.expire();
    world.upstream.failNext(1, { status: 503 });
    expectDocumented(ONEZONE, await world.onezone(bob), 503);
    await world.expire();
    world.upstream.failNext(1, { status: 401, body: { error: 'invalid_client' } });
    expectDocumented(ONEZONE, await world.onezone(bob), 500);
    expect([...(seen.get(ONEZONE) ?? [])].toSorted((one, other) => one - other).map(String)).toEqual(
      Object.keys(operation(document, ONEZONE).responses),
    );
  });

  it("of Onezone's siblings are the documented ones", async () => {
    const expectSibling = async (
      path: string,
      status: number,
      {
        method = 'get',
        id = '',
        headers = basic,
        json,
      }: Partial<Record<'method' | 'id', string>> & {
        headers?: Record<string, string>;
        json?: unknown;
      } = {},
    ): Promise<BrowserResponse> => {
      const answer = await world.request(`/api/v3/onezone${path.replace('{id}', id)}`, {
        method: method.toUpperCase(),
        headers,
        json,
      });
      expectDocumented(`/api/v3/onezone${path}`, answer, status, method);
      return answer;
    };
    const basic: Record<string, string> = {
      authorization: `Basic ${Buffer.from('ada:correct horse battery staple').toString('base64')}`,
    };
    const client = { 'x-auth-token': token };
    const caveats = [{ type: 'time', validUntil: Math.floor(Date.now() / 1000) + 60 }];
    const json = { name: 'documented', caveats, customMetadata: { note: [1] } };
    const creation = await expectSibling('/user/tokens/named', 201, { method: 'post', json });
    const { tokenId: id, token: made } = creation.json<{ tokenId: string; token: string }>();
    await expectSibling('/user/tokens/named', 400, { method: 'post', json });
    await expectSibling('/user/tokens/named', 200);
    await expectSibling('/tokens/named/{id}', 200, { id });
    await expectSibling('/tokens/named/{id}', 204, { id, method: 'patch', json: { name: 'renamed' } });
    await expectSibling('/user/tokens/temporary', 201, { method: 'post', json: { caveats } });
    await expectSibling('/user/tokens/temporary', 400, { method: 'post', json: {} });
    for (const headers of [{ 'x-auth-token': made }, client, basic]) await expectSibling('/user', 200, { headers });
    for (const each of [made, token]) {
      await expectSibling('/tokens/verify_access_token', 200, { method: 'post', headers: {}, json: { token: each } });
    }
    await expectSibling('/tokens/verify_access_token', 400, { method: 'post', headers: {}, json: { token: 'x' } });
    await expectSibling('/tokens/named/{id}', 401, { id, headers: {} });
    await expectSibling('/tokens/named/{id}', 403, { id, headers: client });
    await expectSibling('/tokens/named/{id}', 204, { id, method: 'delete' });
    await expectSibling('/tokens/named/{id}', 404, { id });
    await expectSibling('/user/tokens/named', 204, { method: 'delete' });
  });

  it('of the token endpoint, discovery, keys and probes are the documented ones', async () => {
    const form = { grant_type: 'authorization_code', code: 'wrong' };
    const asPublic = { ...form, client_id: CLIENTS.asker.client_id };
    expectDocumented('/token', await world.request('/token', { form: asPublic }), 400);
    const authorization = `Basic ${Buffer.from('reader:wrong').toString('base64')}`;
    expectDocumented('/token', await world.request('/token', { form, headers: { authorization } }), 401);
    for (const path of Object.keys(document.paths)) {
      const { get } = document.paths[path] ?? {};
      if (get === undefined || get.security !== undefined || path === '/metrics') continue;
      expectDocumented(path, await world.request(path), 200, 'get');
    }
    const metrics = await world.request('/metrics');
    expect([metrics.status, metrics.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^text\/plain;/),
    ]);
    expect(Object.keys(document.paths['/metrics']?.['get']?.responses['200']?.content ?? {})).toEqual(['text/plain']);
  });
});
