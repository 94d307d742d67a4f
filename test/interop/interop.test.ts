import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { AuthorizationCode, ClientCredentials, type ModuleOptions } from 'simple-oauth2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import { atClient, toldClient } from '../support/journeys.js';
import { createWorld, pkce, PROVIDER, REDIRECT_URI, type World } from '../support/world.js';
import { oauth4webapi } from './oauth4webapi.js';
import { openidClient } from './openid-client.js';
import { openidClient5 } from './openid-client-5.js';
import type { Library, Registration, RelyingParty } from './relying-party.js';

const LIBRARIES: Library[] = [openidClient, openidClient5, oauth4webapi];
const SCOPE = 'openid profile email offline_access reports:read';
const KEY_ALGORITHMS = ['ES256', 'PS256', 'RS256', 'EdDSA'] as const;
/** Basic credentials are form-encoded first (RFC 6749 section 2.3.1): libraries encode `-`, `_`, `.` and more of these. */
const ODD_SECRET = 'a-b_c.d~e+f/g=h%20i:j&k*(l)!0123456789abcdef';
const SECRET = 'a-b_c.d~e+f-0123456789abcdef0123456789abcdef';

type Credentials = Registration['credentials'];
type SigningKey = JWK & { alg: string; kid: string };

/** The wire is the same on every database; who stores what is tested elsewhere. */
const [kind] = databases;

async function signingKey(alg: string): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, kid: `key-${alg}`, use: 'sig' };
}

function publicKey({ kty, crv, x, y, n, e, kid, alg, use }: SigningKey): JWK {
  return JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, kid, alg, use })) as JWK;
}

describe.skipIf(kind === undefined)('clients that others wrote, unmodified', () => {
  let world: World;
  const registrations = new Map<string, Registration>();
  const register = (id: string, credentials: Credentials): void => {
    registrations.set(id, { client_id: id, redirect_uri: REDIRECT_URI, scope: SCOPE, credentials });
  };
  /** The sign-in at the provider, and back to the client. */
  const visit = async (url: URL): Promise<URL> => {
    url.searchParams.set('identity_provider', PROVIDER);
    url.searchParams.set('login_hint', 'alice');
    const answer = await world.browser().get(url, { stopBefore: atClient });
    toldClient(answer);
    return answer.location ?? url;
  };
  const party = (library: Library, id: string): Promise<RelyingParty> => {
    const registration = registrations.get(id);
    if (!registration) throw new Error(`no client ${id}`);
    return library.connect(world.service.url, registration);
  };

  beforeAll(async () => {
    register('basic', { method: 'client_secret_basic', secret: ODD_SECRET });
    register('post', { method: 'client_secret_post', secret: ODD_SECRET });
    register('hmac', { method: 'client_secret_jwt', secret: SECRET });
    register('public', { method: 'none' });
    for (const alg of KEY_ALGORITHMS) register(alg, { method: 'private_key_jwt', key: await signingKey(alg) });
    if (!kind) return;
    world = await createWorld(kind, {
      configure: (configuration) => ({
        ...configuration,
        scopes: [{ name: 'reports:read', description: 'Read your reports' }],
        clients: [...registrations.values()].map(({ client_id, redirect_uri, scope, credentials }) => ({
          client_id,
          redirect_uris: [redirect_uri],
          scope,
          consent: 'implicit',
          token_endpoint_auth_method: credentials.method,
          grant_types: [
            'authorization_code',
            'refresh_token',
            ...(credentials.method === 'none' ? [] : ['client_credentials']),
          ],
          ...('secret' in credentials && { client_secret: credentials.secret }),
          ...('key' in credentials && {
            jwks: { keys: [publicKey(credentials.key)] },
            token_endpoint_auth_signing_alg: credentials.key.alg,
          }),
        })),
      }),
    });
    for (const { credentials } of registrations.values()) {
      if ('secret' in credentials) world.ledger.add(credentials.secret, 'configured secret');
      if ('key' in credentials) world.ledger.add(credentials.key.d ?? '', 'private key of a client');
    }
  });
  afterAll(() => world.stop());

  const learn = ({ accessToken, refreshToken }: { accessToken: string; refreshToken: string | undefined }): void => {
    world.ledger.add(accessToken, 'access token');
    world.ledger.add(refreshToken ?? '', 'refresh token');
  };

  describe.each(LIBRARIES)('$name', (library) => {
    const METHODS = ['basic', 'post', 'hmac', 'private_key_jwt'] as const;
    const clientOf = (method: (typeof METHODS)[number]): string => (method === 'private_key_jwt' ? 'ES256' : method);

    it('signs a user in: code, PKCE, state, nonce, iss, and an id_token that it validates; refreshes, asks, revokes', async () => {
      const client = await party(library, 'basic');
      const first = await client.signIn(visit);
      learn(first);
      expect(first.subject).toMatch(/\S/);
      expect(new Set(first.scope?.split(' '))).toEqual(new Set(SCOPE.split(' ')));
      expect(await client.isActive(first.accessToken)).toBe(true);

      const second = await client.refresh(first.refreshToken ?? '');
      learn(second);
      expect(second.refreshToken).toMatch(/\S/);
      expect(second.refreshToken).not.toBe(first.refreshToken);
      expect([undefined, first.subject]).toContain(second.subject);
      const narrowed = await client.refresh(second.refreshToken ?? '', 'openid profile');
      learn(narrowed);
      expect(narrowed.scope).toBe('openid profile');
      expect(await client.isActive(narrowed.refreshToken ?? '')).toBe(true);

      await client.revoke(narrowed.refreshToken ?? '');
      for (const token of [narrowed.refreshToken, narrowed.accessToken, second.accessToken, first.accessToken]) {
        expect(await client.isActive(token ?? '')).toBe(false);
      }
      await expect(client.refresh(narrowed.refreshToken ?? '')).rejects.toThrow();
    });

    it('revokes an access token and nothing else', async () => {
      const client = await party(library, 'basic');
      const given = await client.signIn(visit);
      learn(given);
      await client.revoke(given.accessToken);
      expect(await client.isActive(given.accessToken)).toBe(false);
      const next = await client.refresh(given.refreshToken ?? '');
      learn(next);
      expect(await client.isActive(next.accessToken)).toBe(true);
    });

    it('signs in without a secret: a public client', async () => {
      const client = await party(library, 'public');
      const given = await client.signIn(visit);
      learn(given);
      const next = await client.refresh(given.refreshToken ?? '');
      learn(next);
      expect(next.refreshToken).not.toBe(given.refreshToken);
      await client.revoke(next.refreshToken ?? '');
      await expect(client.refresh(next.refreshToken ?? '')).rejects.toThrow();
    });

    it.each(METHODS)('%s: client credentials, introspection, revocation', async (method) => {
      const client = await party(library, clientOf(method));
      const given = await client.clientCredentials('reports:read');
      learn(given);
      expect(given).toMatchObject({ scope: 'reports:read', refreshToken: undefined, subject: undefined });
      expect((await client.clientCredentials()).scope).toBe('reports:read');
      expect(await client.isActive(given.accessToken)).toBe(true);
      await client.revoke(given.accessToken);
      expect(await client.isActive(given.accessToken)).toBe(false);
    });

    it.each(KEY_ALGORITHMS)('private_key_jwt with %s: a sign-in and a refresh', async (alg) => {
      const client = await party(library, alg);
      const given = await client.signIn(visit);
      learn(given);
      learn(await client.refresh(given.refreshToken ?? ''));
    });

    it('tells a wrong secret from a right one', async () => {
      const registration = registrations.get('basic');
      if (!registration) throw new Error('no client');
      const credentials = { method: 'client_secret_basic' as const, secret: `${ODD_SECRET}-wrong` };
      world.ledger.add(credentials.secret, 'wrong secret');
      const client = await library.connect(world.service.url, { ...registration, credentials });
      await expect(client.clientCredentials()).rejects.toThrow();
    });
  });

  describe.each([
    { face: 'raidiam', tokenPath: '/token', revokePath: '/revoke' },
    { face: 'slashid', tokenPath: '/oauth2/tokens', revokePath: '/oauth2/tokens/revoke' },
  ])('simple-oauth2 5 at $tokenPath', ({ tokenPath, revokePath }) => {
    const options = (id: 'basic' | 'post'): ModuleOptions => ({
      client: { id, secret: ODD_SECRET },
      auth: { tokenHost: world.service.url, tokenPath, revokePath },
      options: { authorizationMethod: id === 'basic' ? 'header' : 'body' },
    });

    it.each(['basic', 'post'] as const)('client credentials with %s', async (id) => {
      const { token } = await new ClientCredentials(options(id)).getToken({ scope: 'reports:read' });
      world.ledger.add(String(token['access_token']), 'access token');
      expect(token).toMatchObject({ access_token: expect.any(String) as string, scope: 'reports:read' });
    });

    it('code, refresh, revocation', async () => {
      const client = new AuthorizationCode({
        ...options('basic'),
        auth: { tokenHost: world.service.url, tokenPath, revokePath, authorizePath: '/auth' },
      });
      const { verifier, challenge } = pkce();
      const url = client.authorizeURL({ redirect_uri: REDIRECT_URI, scope: SCOPE, state: 'state-of-simple-oauth2' });
      const request = new URL(url);
      request.searchParams.set('code_challenge', challenge);
      request.searchParams.set('code_challenge_method', 'S256');
      const answer = await visit(request);
      const given = await client.getToken({
        code: answer.searchParams.get('code') ?? '',
        redirect_uri: REDIRECT_URI,
        code_verifier: verifier,
        client_id: 'basic',
      } as Parameters<typeof client.getToken>[0]);
      for (const name of ['access_token', 'refresh_token', 'id_token']) {
        expect(given.token[name]).toEqual(expect.any(String));
        world.ledger.add(String(given.token[name]), name);
      }
      const next = await given.refresh();
      world.ledger.add(String(next.token['refresh_token']), 'refresh token');
      world.ledger.add(String(next.token['access_token']), 'access token');
      expect(next.token['refresh_token']).not.toBe(given.token['refresh_token']);
      // Its default takes no answer without JSON, not even an empty one (RFC 7009 section 2.2).
      await next.revoke('refresh_token', { json: true });
      await expect(next.refresh()).rejects.toMatchObject({ output: { statusCode: 400 } });
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
