import { decodeJwt, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UpstreamFailure } from '../../scripts/upstream-provider.mjs';
import { databases } from '../support/databases.js';
import {
  bringBackCallback,
  count,
  expectErrorPage,
  expectNothingStored,
  login,
  sessionCookie,
} from '../support/journeys.js';
import { createWorld, UPSTREAM_CLIENT, type World } from '../support/world.js';

type Claims = JWTPayload & { iss: string; aud: string; exp: number; iat: number };
type Forge = (claims: Claims, world: World) => Promise<unknown>;

const now = (): number => Math.floor(Date.now() / 1000);
const withClaims =
  (change: (claims: Claims) => object): Forge =>
  (claims, world) =>
    world.upstream.signIdToken(change(claims) as JWTPayload);

/** Signed by a key that the provider never had, under a `kid` it does have where `kid` says so. */
async function foreign(claims: JWTPayload, kid: string): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256');
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);
}

async function firstKid(world: World): Promise<string> {
  const answer = await world.browser().request(`${world.upstream.issuer}/jwks`);
  return answer.json<{ keys: { kid: string }[] }>().keys[0]?.kid ?? '';
}

const DEFECTS: [string, Forge][] = [
  ['another nonce', withClaims((claims) => ({ ...claims, nonce: 'another' }))],
  ['no nonce', withClaims((claims) => ({ ...claims, nonce: undefined }))],
  ['another audience', withClaims((claims) => ({ ...claims, aud: 'somebody-else' }))],
  ['a further audience without azp', withClaims((claims) => ({ ...claims, aud: [UPSTREAM_CLIENT.client_id, 'else'] }))],
  ['another azp', withClaims((claims) => ({ ...claims, azp: 'somebody-else' }))],
  ['another issuer', withClaims((claims) => ({ ...claims, iss: 'https://evil.example' }))],
  ['no issuer', withClaims((claims) => ({ ...claims, iss: undefined }))],
  ['an exp in the past', withClaims((claims) => ({ ...claims, iat: now() - 7200, exp: now() - 3600 }))],
  ['no exp', withClaims((claims) => ({ ...claims, exp: undefined }))],
  ['an nbf in the future', withClaims((claims) => ({ ...claims, nbf: now() + 3600 }))],
  ['an iat in the future', withClaims((claims) => ({ ...claims, iat: now() + 3600, exp: now() + 7200 }))],
  ['no sub', withClaims((claims) => ({ ...claims, sub: undefined }))],
  ['an empty sub', withClaims((claims) => ({ ...claims, sub: '' }))],
  ['a sub that is no string', withClaims((claims) => ({ ...claims, sub: 5 }))],
  ['the at_hash of another access token', withClaims((claims) => ({ ...claims, at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }))],
  ['the signature of a foreign key', async (claims) => foreign(claims, 'unknown-key')],
  ["a foreign key under the provider's kid", async (claims, world) => foreign(claims, await firstKid(world))],
  ['no signature (alg none)', async (claims) => new UnsecuredJWT(claims).encode()],
  [
    'an HS256 signature made with the client secret',
    async (claims) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256' })
        .sign(new TextEncoder().encode(UPSTREAM_CLIENT.client_secret)),
  ],
  [
    'a key of its own in the header (jwk)',
    async (claims) => {
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', jwk: await exportJWK(publicKey) }).sign(privateKey);
    },
  ],
  ['something that is no JWT', async () => 'no.jwt'],
  ['nothing at all', async () => undefined],
];

const FAILURES: [string, UpstreamFailure, number][] = [
  ['breaks down', { status: 503, headers: { 'retry-after': '7' } }, 503],
  ['hangs up', { reset: true }, 503],
  ['talks nonsense', { status: 200, body: 'not json' }, 503],
  ['does not know us', { status: 401, body: { error: 'invalid_client' } }, 500],
  ['refuses the code', { status: 400, body: { error: 'invalid_grant' } }, 403],
];

describe.each(databases)("the provider's answer to a sign-in on $name", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind, {
      configure: (configuration) => ({
        ...configuration,
        identity_providers: (configuration['identity_providers'] ?? []).map((provider) => {
          const entry = provider as { id: string };
          // Takes the place of a provider whose redirect URI the world has registered.
          return entry.id === 'online-only' ? { ...entry, sign_up: ['example.com', 'Partner.Example'] } : entry;
        }),
      }),
    });
  });
  afterAll(async () => {
    await world.stop();
  });

  it('is taken at once after the provider has rotated its keys', async () => {
    const browser = world.browser();
    const callback = await bringBackCallback(world, browser);
    await world.upstream.rotateSigningKeys();
    expect((await browser.request(callback)).status).toBe(303);
  });

  it.each(DEFECTS)('is refused with an id_token that has %s, and nothing is stored', async (_, forge) => {
    const browser = world.browser();
    const callback = await bringBackCallback(world, browser, { login: 'never-seen' });
    world.upstream.alterNext(1, async (body) => {
      const claims = decodeJwt<Claims>(String(body['id_token']));
      return { ...body, id_token: await forge(claims, world) };
    });
    await expectNothingStored(world, browser, async () => {
      const page = await browser.request(callback);
      expectErrorPage(page, 403);
      expect(page.text()).toContain('could not be accepted');
      expectErrorPage(await browser.request(callback), 400);
    });
  });

  it('is refused when an id_token of another sign-in, genuine as it is, comes with it (replay)', async () => {
    const idTokens: unknown[] = [];
    world.upstream.alterNext(1, (body) => {
      idTokens.push(body['id_token']);
      return body;
    });
    await login(world, world.browser(), { login: 'victim' });
    const attacker = world.browser();
    const callback = await bringBackCallback(world, attacker, { login: 'mallory' });
    world.upstream.alterNext(1, (body) => ({ ...body, id_token: idTokens[0] }));
    await expectNothingStored(world, attacker, async () => {
      expectErrorPage(await attacker.request(callback), 403);
    });
  });

  it.each(FAILURES)('is a page when the provider %s, and nothing is stored', async (_, failure, status) => {
    const browser = world.browser();
    const callback = await bringBackCallback(world, browser, { login: 'never-seen' });
    world.upstream.failNext(1, failure);
    await expectNothingStored(world, browser, async () => {
      const page = await browser.request(callback);
      expect(page.status).toBe(status);
      expect(page.headers.get('content-type')).toContain('text/html');
      if (status === 503) expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0);
    });
  });

  it('is a page that says so when the provider is off the network', async () => {
    const browser = world.browser();
    const callback = await bringBackCallback(world, browser);
    await world.upstream.disconnect();
    try {
      await expectNothingStored(world, browser, async () => {
        expect((await browser.request(callback)).status).toBe(503);
      });
    } finally {
      await world.upstream.reconnect();
    }
    expect((await login(world, world.browser())).status).toBe(303);
  });

  describe('admits users', () => {
    it('unknown ones not at all without sign_up', async () => {
      const browser = world.browser();
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await login(world, browser, { provider: 'members-only', login: 'carol' }), 403);
      });
      expect(sessionCookie(browser, world)).toBeUndefined();
    });

    it('declared ones as the user who was declared, not as a new one', async () => {
      const users = await count(world, 'users');
      const browser = world.browser();
      expect((await login(world, browser, { login: 'ada' })).status).toBe(303);
      expect(await count(world, 'users')).toBe(users);
      expect((await browser.get(`${world.service.url}/login`)).text()).toContain('<strong>Ada</strong>');
    });

    it('never by e-mail: the same person at another provider is somebody else', async () => {
      const browser = world.browser();
      await login(world, browser, { login: 'ada', provider: 'online-only' });
      const [declared] = await world.database.query("SELECT id FROM users WHERE username = 'ada'");
      const [other] = await world.database.query(
        "SELECT user_id FROM linked_accounts WHERE subject = 'ada' AND identity_provider = 'online-only'",
      );
      expect(other?.['user_id']).toBeDefined();
      expect(other?.['user_id']).not.toBe(declared?.['id']);
    });

    it.each([
      ['an address that the provider did not verify', { email_verified: false }, false],
      ['a domain that only ends alike', { email: 'x@evil-example.com' }, false],
      ['a subdomain', { email: 'x@sub.example.com' }, false],
      ['the domain in the local part', { email: 'example.com@evil.example' }, false],
      ['no address', { email: '' }, false],
      ['a verified address of the domain in other letters', { email: 'x@EXAMPLE.com' }, true],
      ['a verified address of a domain declared in other letters', { email: 'x@partner.example' }, true],
    ])('by e-mail domain with %s', async (name, claims, admitted) => {
      const subject = `domain-${name.replaceAll(' ', '-')}`;
      world.upstream.users.set(subject, {
        sub: subject,
        preferred_username: subject,
        name: subject,
        email: `${subject}@example.com`,
        email_verified: true,
        groups: [],
        ...claims,
      });
      const answer = await login(world, world.browser(), { provider: 'online-only', login: subject });
      if (admitted) expect(answer.status).toBe(303);
      else expectErrorPage(answer, 403);
      expect(await count(world, 'linked_accounts', 'WHERE subject = ?', [subject])).toBe(admitted ? 1 : 0);
    });

    it('by the address of userinfo where the id_token has none, verified only if it says so itself', async () => {
      const withoutEmail = (verified: boolean | undefined): void => {
        world.upstream.alterNext(1, async (body) => {
          const claims = decodeJwt<Claims>(String(body['id_token']));
          const forged = { ...claims, email: undefined, email_verified: verified };
          return { ...body, id_token: await world.upstream.signIdToken(forged) };
        });
      };
      withoutEmail(undefined);
      expect((await login(world, world.browser(), { provider: 'online-only', login: 'info-user' })).status).toBe(303);
      const [row] = await world.database.query(
        "SELECT email FROM users WHERE id = (SELECT user_id FROM linked_accounts WHERE subject = 'info-user')",
      );
      expect(row?.['email']).toBe('info-user@example.com');
      withoutEmail(true);
      // bob's userinfo says that his address is not verified, whatever the id_token says of one it does not name.
      expectErrorPage(await login(world, world.browser(), { provider: 'online-only', login: 'bob' }), 403);
    });

    it('blocked ones never, and their open sessions are worth nothing', async () => {
      const browser = world.browser();
      const { access_token: token } = await world.signIn({ login: 'blocked-one', browser });
      const userId = decodeJwt(token).sub;
      await world.database.query('UPDATE users SET blocked_at = 1 WHERE id = ?', [userId]);
      const fresh = world.browser();
      await expectNothingStored(world, fresh, async () => {
        const page = await login(world, fresh, { login: 'blocked-one' });
        expectErrorPage(page, 403);
        expect(page.text()).toContain('blocked');
      });
      expect((await world.pace(token)).status).toBe(401);
      const [client] = await Promise.allSettled([world.signIn({ login: 'blocked-one', browser })]);
      expect(client.status).toBe('rejected');
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
