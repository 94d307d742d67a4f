import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { Browser } from '../support/http-browser.js';
import { Normaliser, stored } from '../support/wire.js';
import { CLIENTS, createWorld, pkce, type TokenAnswer, type World } from '../support/world.js';
import { INVALID_GRANT } from './token/answers.js';
import { clientRows, grantedRows } from './token/client.rows.js';
import { grantRows, requestRows, routeRows } from './token/request.rows.js';
import { MORE_CLIENTS, redeeming, type Exchange, type TokenRow } from './token/requests.js';

describe.each(databases)('POST /token with an authorization code, on $name', (kind) => {
  let world: World;
  const browsers = new Map<string, Browser>();
  const normaliser = new Normaliser();

  beforeAll(async () => {
    world = await createWorld(kind, {
      configure: ({ clients = [], ...rest }) => ({ ...rest, clients: [...clients, ...MORE_CLIENTS] }),
    });
    for (const { client_secret: secret } of MORE_CLIENTS) world.ledger.add(secret, 'configured secret');
  });
  afterAll(async () => {
    await world.stop();
  });

  const exchange = async (row: Pick<TokenRow, 'client' | 'login' | 'scope'> = {}): Promise<Exchange> => {
    const { client = CLIENTS.reader, login = 'alice', scope } = row;
    const browser = browsers.get(login) ?? world.browser();
    browsers.set(login, browser);
    const { verifier, challenge } = pkce();
    const location = await world.authorize({
      client,
      login,
      browser,
      parameters: { code_challenge: challenge, nonce: 'the-nonce', ...(scope !== undefined && { scope }) },
    });
    return { world, client, verifier, challenge, code: location.searchParams.get('code') ?? '' };
  };
  const check = async (row: TokenRow): Promise<void> => {
    const ready = await exchange(row);
    await row.given?.(ready);
    const before = await stored(world);
    expect(normaliser.wire(await row.send(ready))).toStrictEqual(row.answer);
    const after = await stored(world);
    if (row.answer.status === 200) expect(after).not.toEqual(before);
    else expect(after).toEqual(before);
  };
  const interactionId = async (id: string, ready?: Exchange): Promise<string | null> => {
    const headers = { 'x-fapi-interaction-id': id };
    const answer = ready
      ? await redeeming({}, () => headers)(ready)
      : await world.request('/token', { method: 'POST', headers });
    expect(answer.status).toBe(ready ? 200 : 400);
    return answer.headers.get('x-fapi-interaction-id');
  };
  const kidOfNewToken = async (): Promise<unknown> =>
    decodeProtectedHeader((await redeeming()(await exchange())).json<TokenAnswer>().access_token).kid;

  describe('200', () => {
    it.each(grantedRows)('$name', check);
  });
  describe('the client is not authenticated', () => {
    it.each(clientRows)('$name', check);
  });
  describe('the request is refused', () => {
    it.each(requestRows)('$name', check);
  });
  describe('the code is refused', () => {
    it.each(grantRows)('$name', check);
  });
  describe('routes, methods and sizes', () => {
    it.each(routeRows)('$name', check);
  });

  it('"code single-use …; reuse revokes what it gave"', async () => {
    const ready = await exchange();
    const { access_token: token } = (await redeeming()(ready)).json<TokenAnswer>();
    expect((await world.pace(token)).status).toBe(200);
    expect(normaliser.wire(await redeeming()(ready))).toStrictEqual(INVALID_GRANT);
    expect((await world.pace(token)).status).toBe(401);
    expect((await world.onezone(token)).json()).toMatchObject({
      error: { details: { authError: { id: 'tokenRevoked' } } },
    });
  });

  it('"code single-use", however many ask at the same moment', async () => {
    const ready = await exchange();
    const answers = await Promise.all(Array.from({ length: 10 }, () => redeeming()(ready)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(9);
  });

  it('does not revoke anything when another client brings the spent code', async () => {
    const ready = await exchange();
    const { access_token: token } = (await redeeming()(ready)).json<TokenAnswer>();
    const answer = await redeeming()({ ...ready, client: CLIENTS.trusted });
    expect(normaliser.wire(answer)).toStrictEqual(INVALID_GRANT);
    expect((await world.pace(token)).status).toBe(200);
  });

  describe('x-fapi-interaction-id', () => {
    it('comes back with tokens and with errors', async () => {
      const id = 'c770aef3-6784-41f7-8e0e-ff5f97bddb3a';
      expect(await interactionId(id, await exchange())).toBe(id);
      expect(await interactionId('Anything-that-1s-valid')).toBe('Anything-that-1s-valid');
    });

    it.each(['-x', 'a b', 'x'.repeat(101), '{}', ''])('never fails the request: "%s" is replaced', async (id) => {
      expect(await interactionId(id, await exchange())).toMatch(/^[0-9a-f-]{14}4[0-9a-f-]{21}$/);
    });
  });

  describe('the tokens', () => {
    it('"Access tokens ES256 (RFC 9068, `at+jwt`)", "access tokens without `resource` have `aud` = ISSUER", "audience-restricted", signed by published keys', async () => {
      const ready = await exchange();
      const answer = (await redeeming()(ready)).json<TokenAnswer>();
      const keys = createLocalJWKSet((await world.request('/jwks')).json<JSONWebKeySet>());
      const issuer = world.service.url;
      const access = await jwtVerify(answer.access_token, keys, { issuer, audience: issuer });
      const id = await jwtVerify(answer.id_token ?? '', keys, { issuer, audience: 'reader' });
      expect(access.protectedHeader).toStrictEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
      expect(id.protectedHeader).toStrictEqual({ alg: 'RS256', typ: 'JWT', kid: expect.any(String) });
      const common = {
        iss: issuer,
        sub: expect.any(String),
        iat: expect.any(Number),
        exp: expect.any(Number),
        auth_time: expect.any(Number),
        sid: expect.any(String),
      };
      expect(access.payload).toStrictEqual({
        ...common,
        aud: issuer,
        jti: expect.any(String),
        client_id: 'reader',
        scope: answer.scope,
        grant_id: expect.any(String),
      });
      expect(id.payload).toMatchObject({ ...common, aud: 'reader', nonce: 'the-nonce', email: 'alice@example.com' });
      expect(id.payload.sub).toBe(access.payload.sub);
      expect((access.payload.exp ?? 0) - (access.payload.iat ?? 0)).toBe(answer.expires_in);
    });

    it('have the same subject and another id for another code', async () => {
      const [first, second] = await Promise.all(
        [await exchange(), await exchange()].map(async (ready) =>
          decodeJwt((await redeeming()(ready)).json<TokenAnswer>().access_token),
        ),
      );
      expect(first?.sub).toBe(second?.sub);
      expect(first?.jti).not.toBe(second?.jti);
    });

    it('name keys that stay the same after a restart', async () => {
      const before = await kidOfNewToken();
      await world.restart();
      expect(await kidOfNewToken()).toBe(before);
    });
  });

  describe('publishes', () => {
    const published = {
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=300',
      'content-type': 'application/json; charset=utf-8',
      'x-fapi-interaction-id': '<uuid>',
    };

    it.each(['openid-configuration', 'oauth-authorization-server'])(
      '"metadata published": /.well-known/%s',
      async (name) => {
        const { status, headers, body } = normaliser.wire(await world.request(`/.well-known/${name}`));
        expect(status).toBe(200);
        expect(headers).toStrictEqual(published);
        const methods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'];
        const algorithms = ['ES256', 'PS256', 'RS256', 'EdDSA', 'HS256'];
        expect(body).toStrictEqual({
          issuer: '<issuer>',
          authorization_endpoint: '<issuer>/auth',
          token_endpoint: '<issuer>/token',
          introspection_endpoint: '<issuer>/token/introspection',
          revocation_endpoint: '<issuer>/revoke',
          jwks_uri: '<issuer>/jwks',
          scopes_supported: [
            'openid',
            'profile',
            'email',
            'offline_access',
            'federated-identity:token',
            'user:federated-identity:set',
            'user:federated-identity:delete',
            'onezone:tokens',
          ],
          response_types_supported: ['code'],
          response_modes_supported: ['query'],
          grant_types_supported: ['client_credentials', 'refresh_token', 'authorization_code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['ES256', 'RS256'],
          token_endpoint_auth_methods_supported: [...methods, 'none'],
          token_endpoint_auth_signing_alg_values_supported: algorithms,
          introspection_endpoint_auth_methods_supported: methods,
          introspection_endpoint_auth_signing_alg_values_supported: algorithms,
          revocation_endpoint_auth_methods_supported: [...methods, 'none'],
          revocation_endpoint_auth_signing_alg_values_supported: algorithms,
          code_challenge_methods_supported: ['S256'],
          authorization_response_iss_parameter_supported: true,
          claims_supported: [
            'sub',
            'iss',
            'aud',
            'exp',
            'iat',
            'auth_time',
            'nonce',
            'sid',
            'name',
            'preferred_username',
            'email',
            'email_verified',
          ],
          claims_parameter_supported: false,
          request_parameter_supported: false,
          request_uri_parameter_supported: false,
        });
      },
    );

    it.each(['/jwks', '/.well-known/jwks.json'])(
      '%s: the public halves of its keys, and nothing else of them',
      async (path) => {
        const { status, headers, body } = normaliser.wire(await world.request(path));
        expect(status).toBe(200);
        expect(headers).toStrictEqual(published);
        const text = expect.any(String);
        const ec = { kty: 'EC', crv: 'P-256', x: text, y: text, kid: text, alg: 'ES256', use: 'sig' };
        const rsa = { kty: 'RSA', n: text, e: 'AQAB', kid: text, alg: 'RS256', use: 'sig' };
        const { keys } = body as { keys: { alg: string }[] };
        // Of each algorithm the one that signs, and the one that will.
        expect(keys.toSorted((one, other) => one.alg.localeCompare(other.alg))).toStrictEqual([ec, ec, rsa, rsa]);
      },
    );

    it.each(['/jwks', '/.well-known/openid-configuration'])('%s for GET and HEAD only', async (path) => {
      const answer = await world.request(path, { method: 'POST' });
      expect([answer.status, answer.headers.get('allow'), answer.text()]).toStrictEqual([405, 'GET, HEAD', '']);
      expect((await world.request(path, { method: 'HEAD' })).status).toBe(200);
    });
  });

  it.each(['/API/V3/Onezone/user/idp_access_token/mobypay', '/Federated-Identities/mobypay/token', '/TOKEN', '/Login'])(
    '%s is another path than the one in its usual spelling, and nobody has it',
    async (path) => {
      const answer = await world.request(path, { method: 'POST' });
      expect([answer.status, answer.json()]).toStrictEqual([404, { errors: ['Not Found'] }]);
    },
  );

  describe('scripts of other origins', () => {
    it('"CORS on token …, never with credentials"', async () => {
      const answer = await world.request('/token', {
        method: 'OPTIONS',
        headers: {
          origin: 'https://elsewhere.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        },
      });
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.headers.get('access-control-allow-headers')).toBe('authorization');
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    });

    it('"no CORS on the authorization endpoint"', async () => {
      const answer = await world.request('/auth', { headers: { origin: 'https://elsewhere.example' } });
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
