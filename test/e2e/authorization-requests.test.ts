import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { Browser, BrowserResponse } from '../support/http-browser.js';
import {
  authorizationUrl,
  expectErrorPage,
  expectNothingStored,
  login,
  open,
  toldClient,
} from '../support/journeys.js';
import { CLIENTS, createWorld, READ_SCOPE, REDIRECT_URI, tokenRequest, type World } from '../support/world.js';

const NATIVE = [
  'http://127.0.0.1/cb',
  'http://[::1]:8000/cb?a=b%20c&flag',
  'http://localhost/cb',
  'com.example.app:/cb',
];
const PLAIN = { code_challenge: 'v'.repeat(43), code_challenge_method: 'plain' };

type Changes = Record<string, string | null>;

/** Shown to the user, never redirected. */
const PAGES: [string, Changes][] = [
  ['an unknown client', { client_id: 'nobody' }],
  ['no client', { client_id: null }],
  ['an empty client', { client_id: '' }],
  ['a client in other letters', { client_id: 'READER' }],
  ['a NUL in the client', { client_id: 'reader\0' }],
  ['no redirect_uri', { redirect_uri: null }],
  ['an empty redirect_uri', { redirect_uri: '' }],
  ['another host', { redirect_uri: 'https://evil.example/callback' }],
  ['a subdomain', { redirect_uri: 'https://x.app.example/callback' }],
  ['a longer host', { redirect_uri: 'https://app.example.evil.example/callback' }],
  ['user information', { redirect_uri: 'https://app.example@evil.example/callback' }],
  ['another path', { redirect_uri: 'https://app.example/other' }],
  ['a slash more', { redirect_uri: `${REDIRECT_URI}/` }],
  ['a query more', { redirect_uri: `${REDIRECT_URI}?x=y` }],
  ['a fragment', { redirect_uri: `${REDIRECT_URI}#x` }],
  ['a path that would normalise to it', { redirect_uri: 'https://app.example/x/../callback' }],
  ['other letters', { redirect_uri: 'https://APP.example/callback' }],
  ['the default port spelled out', { redirect_uri: 'https://app.example:443/callback' }],
  ['another port off loopback', { redirect_uri: 'https://app.example:8443/callback' }],
  ['http', { redirect_uri: 'http://app.example/callback' }],
  ["another client's redirect_uri", { redirect_uri: 'http://127.0.0.1/cb' }],
  ['another path on loopback', { client_id: 'native', redirect_uri: 'http://127.0.0.1:1/other' }],
  ['another loopback host', { client_id: 'native', redirect_uri: 'http://127.0.0.2:1/cb' }],
  ['a host that begins like loopback', { client_id: 'native', redirect_uri: 'http://127.0.0.1.evil.example/cb' }],
  ['loopback as user information', { client_id: 'native', redirect_uri: 'http://127.0.0.1:80@evil.example/cb' }],
  ['https on loopback', { client_id: 'native', redirect_uri: 'https://127.0.0.1:1/cb' }],
  ['a port that is none', { client_id: 'native', redirect_uri: 'http://127.0.0.1:99999/cb' }],
  ['another query on loopback', { client_id: 'native', redirect_uri: 'http://[::1]:1/cb?a=c' }],
  ['a disabled client', { client_id: 'retired' }],
];

/** Told to the client. */
const ERRORS: [string, Changes, string][] = [
  ['no response_type', { response_type: null }, 'invalid_request'],
  ['"Code flow only": the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
  ['the implicit id_token', { response_type: 'id_token' }, 'unsupported_response_type'],
  ['the hybrid flow', { response_type: 'code id_token' }, 'unsupported_response_type'],
  ['the fragment', { response_mode: 'fragment' }, 'invalid_request'],
  ['no scope', { scope: null }, 'invalid_scope'],
  ['an unregistered scope', { scope: 'openid admin' }, 'invalid_scope'],
  ['a request object', { request: 'eyJ.e30.' }, 'request_not_supported'],
  ['a request_uri', { request_uri: 'https://evil.example/r' }, 'request_uri_not_supported'],
  [
    'RFC 9700 2.1.1: "PKCE S256 required by default": none',
    { code_challenge: null, code_challenge_method: null },
    'invalid_request',
  ],
  ['RFC 9700 2.1.1: "`plain` … refused"', PLAIN, 'invalid_request'],
  ['RFC 9700 2.1.1: "a challenge without method, refused"', { code_challenge_method: null }, 'invalid_request'],
  ['a method without challenge', { code_challenge: null }, 'invalid_request'],
  ['a challenge that is no SHA-256', { code_challenge: 'short' }, 'invalid_request'],
  ['PKCE plain of a client that may go without', { client_id: 'lax', ...PLAIN }, 'invalid_request'],
  ['an unknown prompt', { prompt: 'create' }, 'invalid_request'],
  ['prompt none beside another', { prompt: 'none login' }, 'invalid_request'],
  ['a max_age that is no number', { max_age: '-1' }, 'invalid_request'],
  ['a client without the grant', { client_id: 'machine' }, 'unauthorized_client'],
];

/** What the provider was asked for since the browser had made so many requests. */
function wentUpstream(world: World, browser: Browser, from: number): URLSearchParams | undefined {
  const found = browser.visited.slice(from).find((each) => each.startsWith(`${world.upstream.issuer}/auth?`));
  return found === undefined ? undefined : new URL(found).searchParams;
}

async function signedIn(world: World, person: string): Promise<Browser> {
  const browser = world.browser();
  await login(world, browser, { login: person });
  return browser;
}

/** Takes the provider's word for when the user signed in away, or changes it. */
function alterAuthTime(world: World, authTime: number | undefined): void {
  world.upstream.alterNext(1, async (body) => {
    const claims = decodeJwt(String(body['id_token']));
    return { ...body, id_token: await world.upstream.signIdToken({ ...claims, auth_time: authTime }) };
  });
}

/** A session that began so long ago that nobody remembers. */
async function age({ database }: World): Promise<void> {
  await database.query('UPDATE sessions SET auth_time = auth_time - 4000000, created_at = created_at - 4000000');
}

describe.each(databases)('authorization requests on $name', (kind) => {
  let world: World;
  let alice: Browser;
  beforeAll(async () => {
    const common = { redirect_uris: [REDIRECT_URI], scope: READ_SCOPE, consent: 'implicit' };
    world = await createWorld(kind, {
      configure: (configuration) => ({
        ...configuration,
        clients: [
          ...(configuration['clients'] ?? []),
          { ...common, client_id: 'native', token_endpoint_auth_method: 'none', redirect_uris: NATIVE },
          {
            ...common,
            client_id: 'lax',
            client_secret: 'lax-secret-0123456789abcdef-0123456789abcdef',
            require_pkce: false,
          },
          { ...common, client_id: 'retired', token_endpoint_auth_method: 'none' },
          {
            ...common,
            client_id: 'machine',
            client_secret: 'machine-secret-0123456789abcdef-0123456789',
            grant_types: ['client_credentials'],
          },
        ],
      }),
    });
    await world.database.query("UPDATE clients SET disabled_at = 1 WHERE client_id = 'retired'");
    alice = world.browser();
    await login(world, alice);
  });
  afterAll(async () => {
    await world.stop();
  });

  /** With a browser that is signed in, so that nothing but the request can stand in the way. */
  const ask = (changes: Changes): Promise<BrowserResponse> => open(alice, authorizationUrl(world, changes).url);

  it.each(PAGES)('RFC 9700 4.11: %s gets an error page, never a redirect', async (_, changes) => {
    await expectNothingStored(world, alice, async () => {
      expectErrorPage(await ask(changes), 400);
      expectErrorPage(await ask({ ...changes, response_type: 'token' }), 400);
      expectErrorPage(await ask({ ...changes, prompt: 'none' }), 400);
    });
  });

  it.each(ERRORS)('%s: the client is told, with state and iss (RFC 9207)', async (_, changes, error) => {
    const { url, state } = authorizationUrl(world, changes);
    await expectNothingStored(world, alice, async () => {
      const answer = await open(alice, url);
      expect(answer.status).toBe(303);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(Object.fromEntries(toldClient(answer))).toEqual({
        error,
        error_description: expect.any(String) as string,
        state,
        iss: world.service.url,
      });
    });
  });

  it('a good request is answered with code, state and iss, and nothing else', async () => {
    const { url, state } = authorizationUrl(world);
    const told = Object.fromEntries(toldClient(await open(alice, url)));
    expect(told).toEqual({ code: expect.stringMatching(/^[\w-]{43}$/) as string, state, iss: world.service.url });
  });

  it('a request without state is answered without', async () => {
    expect([...toldClient(await ask({ state: null })).keys()]).toEqual(['code', 'iss']);
  });

  it.each([
    ['http://127.0.0.1:50001/cb', 'http://127.0.0.1:50001/cb?'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1/cb?'],
    ['http://[::1]:50002/cb?a=b%20c&flag', 'http://[::1]:50002/cb?a=b%20c&flag&'],
    ['http://localhost:50003/cb', 'http://localhost:50003/cb?'],
    ['com.example.app:/cb', 'com.example.app:/cb?'],
  ])('RFC 8252 7.3: a native app is answered at %s', async (uri, expected) => {
    const answer = await alice.request(authorizationUrl(world, { client_id: 'native', redirect_uri: uri }).url, {});
    const resumed = answer.headers.get('location') ?? '';
    expect(resumed.startsWith(`${expected}code=`)).toBe(true);
  });

  it.each(['client_id', 'redirect_uri', 'state', 'scope', 'code_challenge', 'prompt', 'unknown'])(
    'RFC 6749 3.1: %s twice is refused on a page',
    async (name) => {
      const { url } = authorizationUrl(world, { [name]: 'openid' });
      await expectNothingStored(world, alice, async () => {
        expectErrorPage(await open(alice, `${url}&${name}=openid`), 400);
      });
    },
  );

  it.each(['resource', 'audience'])('RFC 8707 2: %s may be repeated', async (name) => {
    const { url } = authorizationUrl(world, { [name]: 'https://a.example' });
    expect(toldClient(await open(alice, `${url}&${name}=https://b.example`)).get('code')).not.toBeNull();
  });

  it('RFC 6749 3.1: unknown parameters are ignored and an empty value counts as absent', async () => {
    const changes = { prompt: '', max_age: '', request: '', request_uri: '', response_mode: '', frobnicate: '1' };
    expect(toldClient(await ask(changes)).get('code')).not.toBeNull();
    expect(toldClient(await ask({ response_type: '' })).get('error')).toBe('invalid_request');
    expect(toldClient(await ask({ code_challenge: '' })).get('error')).toBe('invalid_request');
  });

  it('a parameter of more than 8 KiB is refused, one of 8 KiB is carried', async () => {
    expectErrorPage(await ask({ state: 's'.repeat(8193) }), 400);
    expect(toldClient(await ask({ state: 's'.repeat(8192) })).get('state')).toHaveLength(8192);
  });

  it('RFC 9700 2.1.1: PKCE can be waived for a confidential client', async () => {
    const told = toldClient(await ask({ client_id: 'lax', code_challenge: null, code_challenge_method: null }));
    expect(told.get('code')).not.toBeNull();
  });

  it('is bound to the browser that brought it', async () => {
    const victim = world.browser();
    const { url } = authorizationUrl(world, { prompt: 'login' });
    const signIn = await victim.request(url);
    const resume = new URL(signIn.location?.searchParams.get('return_to') ?? '', world.service.url);
    await expectNothingStored(world, alice, async () => {
      expectErrorPage(await alice.request(resume), 400);
      expectErrorPage(await world.browser().request(resume), 400);
      expectErrorPage(await alice.request(`${world.service.url}/auth/resume`), 400);
      expectErrorPage(await alice.request(`${world.service.url}/auth/resume?id=x`), 400);
    });
    expect((await victim.request(resume)).status).toBe(303);
  });

  it('is finished once', async () => {
    const browser = world.browser();
    await open(browser, authorizationUrl(world).url);
    const resume = browser.visited.find((each) => each.includes('/auth/resume')) ?? '';
    await expectNothingStored(world, browser, async () => {
      expectErrorPage(await browser.request(resume), 400);
    });
  });

  describe('prompt and max_age', () => {
    it('none: login_required for who is not signed in, at once and without a page', async () => {
      const browser = world.browser();
      const answer = await open(browser, authorizationUrl(world, { prompt: 'none' }).url);
      expect(toldClient(answer).get('error')).toBe('login_required');
      expect(toldClient(answer).get('iss')).toBe(world.service.url);
      expect(browser.visited).toHaveLength(1);
    });

    it('none: consent_required where the user was never asked, a code where nothing is in the way', async () => {
      const { url } = authorizationUrl(world, { client_id: 'asker', prompt: 'none' });
      expect(toldClient(await open(alice, url)).get('error')).toBe('consent_required');
      expect(toldClient(await ask({ prompt: 'none' })).get('code')).not.toBeNull();
    });

    it('none: login_required where max_age has passed', async () => {
      const browser = await signedIn(world, 'none-max-age');
      await age(world);
      const { url } = authorizationUrl(world, { prompt: 'none', max_age: '60' });
      expect(toldClient(await open(browser, url)).get('error')).toBe('login_required');
    });

    it('login: makes a signed-in user sign in again, proven by the provider', async () => {
      const browser = await signedIn(world, 'again');
      await age(world);
      const from = browser.visited.length;
      const startedAt = Math.floor(Date.now() / 1000);
      const { url, verifier } = authorizationUrl(world, { prompt: 'login', login_hint: 'again' });
      const code = toldClient(await open(browser, url)).get('code') ?? '';
      expect(wentUpstream(world, browser, from)?.get('prompt')).toBe('login');
      expect(wentUpstream(world, browser, from)?.get('max_age')).toBe('0');
      const { id_token: idToken } = (await world.request('/token', tokenRequest(CLIENTS.reader, code, verifier))).json<{
        id_token: string;
      }>();
      expect(decodeJwt(idToken)['auth_time']).toBeGreaterThanOrEqual(startedAt);
    });

    it.each([
      ['does not say when', undefined],
      ['says it was long ago', Math.floor(Date.now() / 1000) - 3600],
    ])('login: login_required where the provider %s the user signed in', async (_, authTime) => {
      const browser = await signedIn(world, 'unproven');
      alterAuthTime(world, authTime);
      const { url } = authorizationUrl(world, { prompt: 'login', login_hint: 'unproven' });
      expect(toldClient(await open(browser, url)).get('error')).toBe('login_required');
    });

    it('max_age: renews a sign-in that is too old or not proven, and leaves a recent one alone', async () => {
      const browser = await signedIn(world, 'aging');
      const asksUpstream = async (): Promise<URLSearchParams | undefined> => {
        const from = browser.visited.length;
        const { url } = authorizationUrl(world, { max_age: '3600', login_hint: 'aging' });
        expect(toldClient(await open(browser, url)).get('code')).not.toBeNull();
        return wentUpstream(world, browser, from);
      };
      // The provider was not asked when the user had signed in, so it did not say.
      expect((await asksUpstream())?.get('max_age')).toBe('3600');
      expect(await asksUpstream()).toBeUndefined();
      await age(world);
      // The provider has a session of its own; it has to be told how old that may be.
      expect((await asksUpstream())?.get('max_age')).toBe('3600');
    });

    it('max_age: login_required where the provider cannot tell', async () => {
      const browser = world.browser();
      alterAuthTime(world, undefined);
      const { url } = authorizationUrl(world, { max_age: '3600' });
      expect(toldClient(await open(browser, url)).get('error')).toBe('login_required');
    });
  });

  it('RFC 9700 2.6: no other origin may read /auth; /token, keys and metadata, any, without credentials', async () => {
    const headers = { origin: 'https://app.example' };
    const preflight = { ...headers, 'access-control-request-method': 'POST', 'access-control-request-headers': 'dpop' };
    for (const path of ['/auth', '/auth/consent', '/auth/resume', '/login', '/login/mobypay', '/connect/mobypay']) {
      for (const answer of [
        await world.request(path, { headers }),
        await world.request(path, { method: 'OPTIONS', headers: preflight }),
      ]) {
        for (const name of answer.headers.keys()) expect(name).not.toMatch(/^access-control-/);
      }
    }
    for (const path of [
      '/token',
      '/jwks',
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
    ]) {
      for (const answer of [
        await world.request(path, { headers, ...(path === '/token' && { form: {} }) }),
        await world.request(path, { method: 'OPTIONS', headers: preflight }),
      ]) {
        expect(answer.headers.get('access-control-allow-origin')).toBe('*');
        expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
        expect(answer.headers.get('access-control-expose-headers')).toMatch(/DPoP-Nonce.*WWW-Authenticate/);
      }
    }
  });

  it('the metadata promises what the endpoint does', async () => {
    expect((await world.request('/.well-known/openid-configuration')).json()).toMatchObject({
      issuer: world.service.url,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
