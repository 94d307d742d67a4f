import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import { sendRaw } from '../support/raw-http.js';
import { stored } from '../support/wire.js';
import { createWorld, PROVIDER } from '../support/world.js';
import { empty } from './token/answers.js';
import { INVALID_REFRESH_TOKEN, invalidScope } from './raidiam/answers.js';
import * as credentials from './raidiam/credentials.rows.js';
import * as introspection from './raidiam/introspection.rows.js';
import * as refresh from './raidiam/refresh.rows.js';
import * as revocation from './raidiam/revocation.rows.js';
import {
  APP,
  FORGETTER,
  KEEPER,
  KEPT,
  MACHINE,
  OPAQUE_KEEPER,
  OPAQUE_MACHINE,
  OTHER,
  Scene,
  checkRow,
  claimsOf,
  configured,
  makeKey,
  type SceneRow,
} from './raidiam/scene.js';

describe.each(databases)("Raidiam's face on $name", (kind) => {
  let scene: Scene;
  const check = (row: SceneRow): Promise<void> => checkRow(scene, row);

  beforeAll(async () => {
    const key = await makeKey();
    scene = new Scene(await createWorld(kind, { configure: configured(key) }), key);
  });
  afterAll(async () => {
    await scene.world.stop();
  });

  describe('client_credentials', () => {
    it.each(credentials.grantedRows)('200: $name', check);
    it.each(credentials.refusedRows)('refused: $name', check);
    it.each(credentials.assertionRows)('an assertion: $name', check);
    it.each(credentials.refusedAssertionRows)('refused: $name', check);

    it('answers a token of its own: no user, no grant, no refresh token', async () => {
      const answer = await scene.own();
      const issuer = scene.world.service.url;
      expect(decodeProtectedHeader(answer.access_token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
      expect(claimsOf(answer.access_token)).toStrictEqual({
        iss: issuer,
        aud: issuer,
        sub: 'machine',
        client_id: 'machine',
        scope: 'accounts:read',
        jti: expect.any(String),
        iat: expect.any(Number),
        exp: expect.any(Number),
      });
    });

    it('is worth nothing where a user is wanted', async () => {
      const { access_token: token } = await scene.own();
      expect((await scene.world.pace(token)).status).toBe(401);
      expect((await scene.world.onezone(token)).status).toBe(401);
    });
  });

  describe('refresh_token', () => {
    it.each(refresh.grantedRows)('200: $name', check);
    it.each(refresh.refusedRows)('refused: $name', check);

    it.each([
      ['"Issued when the client has the grant and the request is non-OpenID"', KEEPER, 'accounts:read', true],
      ['"or `offline_access` was consented"', KEEPER, KEPT, true],
      ['not with openid alone', KEEPER, 'openid accounts:read', false],
      ['not to a client without the grant', FORGETTER, KEPT, false],
    ])('%s', async (_, client, scope, expected) => {
      expect((await scene.allowed(client, scope)).refresh_token !== '').toBe(expected);
    });

    it('"the same client … gets the byte-identical answer again", and "never more than one successor"', async () => {
      const { refresh_token: token } = await scene.allowed();
      const first = await scene.refresh(KEEPER, token);
      const before = await stored(scene.world);
      const again = await scene.refresh(KEEPER, token);
      expect(again.text()).toBe(first.text());
      expect(await stored(scene.world)).toEqual(before);
    });

    it.each([
      ['more than was given', 'accounts:read accounts:write'],
      ['less than was given', 'accounts:write'],
    ])('"the byte-identical answer" is to the same request: not where the scope is %s', async (_, scope) => {
      const { refresh_token: token } = await scene.allowed(KEEPER, 'accounts:read accounts:write');
      const asking = scope === 'accounts:write' ? {} : { scope: 'accounts:read' };
      const first = await scene.refresh(KEEPER, token, asking);
      const before = await stored(scene.world);
      expect(scene.wire(await scene.refresh(KEEPER, token, { scope }))).toStrictEqual(
        invalidScope('scope is not that of the answer that was given.'),
      );
      expect(await stored(scene.world)).toEqual(before);
      expect((await scene.refresh(KEEPER, token, asking)).text()).toBe(first.text());
    });

    it('"while the successor is unused": once it is used, a replay kills the family', async () => {
      const { refresh_token: first } = await scene.allowed();
      const second = await scene.refreshed(KEEPER, first);
      const third = await scene.refreshed(KEEPER, second.refresh_token);
      expect(scene.wire(await scene.refresh(KEEPER, first))).toStrictEqual(INVALID_REFRESH_TOKEN);
      expect(await scene.isActive(third.access_token)).toBe(false);
      expect(scene.wire(await scene.refresh(KEEPER, third.refresh_token))).toStrictEqual(INVALID_REFRESH_TOKEN);
    });

    it('"for 10 s … beyond that a replay kills the family"', async () => {
      const { refresh_token: first } = await scene.allowed();
      const second = await scene.refreshed(KEEPER, first);
      await scene.world.database.query(
        'UPDATE refresh_tokens SET consumed_at = consumed_at - 10001 WHERE consumed_at IS NOT NULL',
      );
      expect(scene.wire(await scene.refresh(KEEPER, first))).toStrictEqual(INVALID_REFRESH_TOKEN);
      expect(await scene.isActive(second.access_token)).toBe(false);
      expect(await scene.isActive(second.refresh_token)).toBe(false);
    });

    it('"Unbound public clients: rotation with no grace, a replay kills the family at once"', async () => {
      const { refresh_token: first } = await scene.allowed(APP);
      const second = await scene.refreshed(APP, first);
      expect(scene.wire(await scene.refresh(APP, first))).toStrictEqual(INVALID_REFRESH_TOKEN);
      expect(await scene.isActive(second.access_token)).toBe(false);
      expect(scene.wire(await scene.refresh(APP, second.refresh_token))).toStrictEqual(INVALID_REFRESH_TOKEN);
    });

    it('an exchanged token in the hands of another client revokes nothing', async () => {
      const { refresh_token: first } = await scene.allowed();
      const second = await scene.refreshed(KEEPER, first);
      expect(scene.wire(await scene.refresh(OTHER, first))).toStrictEqual(INVALID_REFRESH_TOKEN);
      expect(await scene.isActive(second.access_token)).toBe(true);
    });

    it.each([
      ['default RS256', 'RS256', KEEPER],
      ['by client metadata', 'ES256', OPAQUE_KEEPER],
    ])('"id_tokens by client metadata, default RS256": %s', async (_, alg, client) => {
      const first = await scene.allowed(client);
      for (const { id_token: token = '' } of [first, await scene.refreshed(client, first.refresh_token)]) {
        expect(decodeProtectedHeader(token)).toMatchObject({ alg, typ: 'JWT' });
      }
    });

    it('the id_token says the same person, session and sign-in as before, and no nonce', async () => {
      const first = await scene.allowed();
      const { nonce, ...before } = claimsOf(first.id_token ?? '');
      const after = claimsOf((await scene.refreshed(KEEPER, first.refresh_token)).id_token ?? '');
      expect(nonce).toEqual(expect.any(String));
      expect(after).toStrictEqual({ ...before, iat: expect.any(Number), exp: expect.any(Number) });
    });
  });

  describe('introspection', () => {
    it.each(introspection.activeRows)('active: $name', check);
    it.each(introspection.inactiveRows)('inactive: $name', check);
    it.each(introspection.refusedRows)('refused: $name', check);

    it('says what the token itself says', async () => {
      const { access_token: token } = await scene.allowed();
      const { client_id, exp, iat, iss, jti, scope, sub, aud } = claimsOf(token);
      expect((await scene.introspect(KEEPER, token)).json()).toStrictEqual({
        active: true,
        client_id,
        exp,
        iat,
        iss,
        jti,
        scope,
        sub,
        aud,
        token_type: 'Bearer',
      });
    });

    it('is no more active for a client that was disabled, at once', async () => {
      const { access_token: token } = await scene.own(OTHER);
      const { database } = scene.world;
      await database.query(`UPDATE clients SET disabled_at = 1, version = 'x' WHERE client_id = 'other'`);
      expect(await scene.isActive(token)).toBe(false);
      await database.query(`UPDATE clients SET disabled_at = NULL, version = 'y' WHERE client_id = 'other'`);
      expect(await scene.isActive(token)).toBe(true);
    });
  });

  describe('revocation', () => {
    it.each(revocation.revokedRows)('$name', check);
    it.each(revocation.unknownRows)('nothing to revoke: $name', check);
    it.each(revocation.refusedRows)('refused: $name', check);

    it.each([
      ['JWT', KEEPER],
      ['opaque', OPAQUE_KEEPER],
    ])('of an access token ends that one only: %s', async (_, client) => {
      const first = await scene.allowed(client);
      const second = await scene.refreshed(client, first.refresh_token);
      await scene.revoke(client, first.access_token);
      expect(await scene.isActive(first.access_token)).toBe(false);
      expect(await scene.areActive(second)).toStrictEqual([true, true]);
    });

    it.each([
      ['JWT', KEEPER],
      ['opaque', OPAQUE_KEEPER],
    ])('of a refresh token ends all of its family, and every access token: %s', async (_, client) => {
      const first = await scene.allowed(client);
      const second = await scene.refreshed(client, first.refresh_token);
      const elsewhere = await scene.allowed(client);
      await scene.revoke(client, second.refresh_token);
      expect(await scene.areActive(first)).toStrictEqual([false, false]);
      expect(await scene.areActive(second)).toStrictEqual([false, false]);
      expect(await scene.areActive(elsewhere)).toStrictEqual([true, true]);
      expect(scene.wire(await scene.refresh(client, second.refresh_token))).toStrictEqual(INVALID_REFRESH_TOKEN);
    });

    it.each([MACHINE, OPAQUE_MACHINE])("of a machine's own token: $client_id", async (client) => {
      const { access_token: token } = await scene.own(client);
      expect(await scene.isActive(token)).toBe(true);
      await scene.revoke(client, token);
      expect(await scene.isActive(token)).toBe(false);
    });

    it('is recorded once, with whose token it was', async () => {
      const { refresh_token: token, access_token: access } = await scene.allowed();
      const { sub, iat } = claimsOf(access);
      await scene.revoke(KEEPER, token);
      await scene.revoke(KEEPER, token);
      const rows = await scene.world.database.query(
        `SELECT client_id, user_id, reason, outcome FROM audit_events WHERE event = 'token.revoked' AND at >= ?
         AND client_id = 'keeper' ORDER BY at DESC`,
        [Number(iat) * 1000],
      );
      const [last] = rows;
      expect(last).toStrictEqual({ client_id: 'keeper', user_id: sub, reason: 'refresh_token', outcome: 'success' });
    });
  });

  describe('every answer', () => {
    const ID = 'c770aef3-6784-41f7-8e0e-ff5f97bddb3a';
    const preflight = { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' };
    type Sent = (headers: Record<string, string>) => Promise<BrowserResponse>;
    const ANSWERS: [status: number, name: string, Sent][] = [
      [200, 'tokens', (headers) => scene.token(MACHINE, {}, headers)],
      [
        200,
        'introspection',
        (headers) => scene.ask('/token/introspection', MACHINE, { form: { token: 'x' }, headers }),
      ],
      [200, 'revocation', (headers) => scene.ask('/revoke', MACHINE, { form: { token: 'x' }, headers })],
      [204, 'revocation', (headers) => scene.ask('/token/revocation', MACHINE, { form: { token: 'x' }, headers })],
      [200, 'keys', (headers) => scene.world.request('/jwks', { headers })],
      [200, 'metadata', (headers) => scene.world.request('/.well-known/openid-configuration', { headers })],
      [
        204,
        'a preflight',
        (headers) => scene.world.request('/token', { method: 'OPTIONS', headers: { ...preflight, ...headers } }),
      ],
      [400, 'a refusal', (headers) => scene.token(MACHINE, { scope: 'unheard-of' }, headers)],
      [
        401,
        'no client',
        (headers) => scene.ask('/token/introspection', { client_id: 'nobody' }, { headers, form: { token: 'x' } }),
      ],
      [404, 'an unknown route', (headers) => scene.world.request('/nowhere', { headers })],
      [405, 'a wrong method', (headers) => scene.world.request('/token', { headers })],
      [406, 'an unwanted answer', (headers) => scene.token(MACHINE, {}, { ...headers, accept: 'image/png' })],
      [413, 'a giant', (headers) => scene.token(MACHINE, { padding: 'x'.repeat(65_536) }, headers)],
    ];

    it.each(ANSWERS)(
      '%i, %s: carries `x-fapi-interaction-id`, the one received or a new one',
      async (status, _, send) => {
        const answers = [await send({ 'x-fapi-interaction-id': ID }), await send({ 'x-fapi-interaction-id': '-' })];
        expect(answers.map((answer) => answer.status)).toStrictEqual([status, status]);
        const [echoed, fresh] = answers.map(({ headers }) => headers.get('x-fapi-interaction-id'));
        expect(echoed).toBe(ID);
        expect(fresh).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      },
    );

    it('an expectation that nobody here knows is no reason to answer without it', async () => {
      const answer = await sendRaw(scene.world.service.url, {
        target: '/token',
        headers: { Expect: 'the-unexpected', 'x-fapi-interaction-id': ID },
      });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('x-fapi-interaction-id')).toBe(ID);
    });

    it('500 is the header only, and carries it, too', async () => {
      const { database } = scene.world;
      await database.query('ALTER TABLE audit_events RENAME TO audit_events_away');
      const answer = await scene.token(MACHINE, {}, { 'x-fapi-interaction-id': ID });
      await database.query('ALTER TABLE audit_events_away RENAME TO audit_events');
      expect(scene.wire(answer)).toStrictEqual(empty(500));
      expect(answer.headers.get('x-fapi-interaction-id')).toBe(ID);
    });

    it.each([
      ['/token', '*'],
      ['/token/revocation', '*'],
      ['/revoke', '*'],
      ['/jwks', '*'],
      ['/.well-known/jwks.json', '*'],
      ['/.well-known/oauth-authorization-server', '*'],
      ['/token/introspection', null],
    ])('of %s is for scripts of other origins: %s', async (path, allowed) => {
      const answer = await scene.world.request(path, { method: 'OPTIONS', headers: preflight });
      expect(answer.headers.get('access-control-allow-origin')).toBe(allowed);
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    });
  });

  describe('metadata', () => {
    it.each(['token', 'introspection', 'revocation'])('names a %s endpoint that is there', async (name) => {
      const endpoint = new URL((await scene.metadata())[`${name}_endpoint`] ?? '');
      const answer = await scene.ask(endpoint.pathname, MACHINE, { form: { token: 'x', scope: 'accounts:read' } });
      expect(answer.status).toBe(200);
    });

    it('names the grants that are served, the algorithms that sign, and the scopes that can be asked for', async () => {
      const body = await scene.metadata();
      expect(body).toMatchObject({
        grant_types_supported: expect.arrayContaining(['authorization_code', 'client_credentials', 'refresh_token']),
        id_token_signing_alg_values_supported: ['ES256', 'RS256'],
        scopes_supported: expect.arrayContaining(['offline_access', 'accounts:read']),
      });
      expect(body['grant_types_supported']).toHaveLength(3);
      expect(body['scopes_supported']).not.toContain('admin');
    });

    it('lets every client in by the methods that it names, and no public one introspect', async () => {
      const methods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'];
      const algorithms = ['ES256', 'PS256', 'RS256', 'EdDSA', 'HS256'];
      expect(await scene.metadata()).toMatchObject({
        token_endpoint_auth_methods_supported: [...methods, 'none'],
        token_endpoint_auth_signing_alg_values_supported: algorithms,
        introspection_endpoint_auth_methods_supported: methods,
        introspection_endpoint_auth_signing_alg_values_supported: algorithms,
        revocation_endpoint_auth_methods_supported: [...methods, 'none'],
        revocation_endpoint_auth_signing_alg_values_supported: algorithms,
      });
    });
  });

  it('answers at PACE and Onezone for an opaque token as for a JWT', async () => {
    const scope = 'accounts:read';
    const { access_token: token } = await scene.allowed(OPAQUE_KEEPER, scope);
    const jwt = await scene.allowed(KEEPER, scope);
    const [opaque, usual] = await Promise.all(
      [token, jwt.access_token].map((each) => scene.world.pace(each, PROVIDER)),
    );
    expect(opaque?.status).toBe(usual?.status);
    expect(Object.keys(opaque?.json() ?? {})).toStrictEqual(Object.keys(usual?.json() ?? {}));
  });

  it('leaves no secret in any output or in the database', async () => {
    await scene.world.assertNoLeaks();
  });
});
