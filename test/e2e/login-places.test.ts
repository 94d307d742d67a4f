import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.mjs';
import { databases } from '../support/databases.js';
import { decodeEntities, form } from '../support/http-browser.js';
import {
  authorizationUrl,
  bringBackCallback,
  expectPageHeaders,
  login,
  open,
  toldClient,
} from '../support/journeys.js';
import { startService, type Service } from '../support/service.js';
import { createWorld, PROVIDER, tokenRequest, UPSTREAM_CLIENT, CLIENTS, type World } from '../support/world.js';

const METADATA = '/.well-known/oauth-authorization-server';

/** Cookies, addresses and where a sign-in leads: what depends on how the service is reached. */
describe.each(databases)('where a sign-in happens and leads, on $name', (kind) => {
  let world: World;
  const others: Service[] = [];
  beforeAll(async () => {
    world = await createWorld(kind);
  });
  afterAll(async () => {
    for (const other of others) await other.kill();
    await world.stop();
  });

  /** The same service under another public address. */
  async function underIssuer(issuer: (port: number) => string): Promise<Service & { issuer: string }> {
    const port = await freePort();
    const { settings } = world.service;
    const other = await startService({ ...settings, port, env: { ...settings.env, ISSUER: issuer(port) } });
    others.push(other);
    return { ...other, issuer: issuer(port) };
  }

  async function cookiesOf(url: string): Promise<string[]> {
    return (await world.browser().request(`${url}/login/${PROVIDER}`)).headers.getSetCookie();
  }

  it('sets cookies that scripts and other sites do not get', async () => {
    const browser = world.browser();
    const callback = await bringBackCallback(world, browser);
    const answer = await browser.request(callback);
    const cookies = [...(await cookiesOf(world.service.url)), ...answer.headers.getSetCookie()];
    expect(cookies.some((cookie) => cookie.startsWith('symbolon-session-'))).toBe(true);
    expect(cookies.some((cookie) => cookie.startsWith('symbolon-browser-'))).toBe(true);
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^symbolon-(session|browser)-[0-9a-f]{8}=[A-Za-z0-9_-]{43};/);
      const attributes = cookie.split('; ').slice(1);
      expect(attributes).toEqual(expect.arrayContaining(['HttpOnly', 'SameSite=Lax', 'Path=/']));
      expect(attributes).not.toContain('Secure');
      expect(cookie).not.toMatch(/domain=/i);
    }
  });

  it('answers the callback with a redirect that is not kept and tells nobody where it came from', async () => {
    const { headers, status } = await login(world, world.browser());
    expect(status).toBe(303);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  it.each([
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'https://evil.example',
    'https:evil.example',
    'http:/evil.example',
    'javascript:alert(1)',
    'evil.example',
    '@evil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    '/%2e//evil.example',
    '/%2e%2e//evil.example',
    '/./\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/login\r\nSet-Cookie: x=y',
    '/\u0000/evil.example',
    '/\u200b/evil.example',
    '/%2f%2fevil.example',
    '/%5cevil.example',
    '//evil.example%2f..',
    '?return_to=//evil.example',
    '#//evil.example',
    '',
  ])('never leads to another site: return_to=%j', async (returnTo) => {
    const answer = await login(world, world.browser(), { returnTo });
    expect(answer.status).toBe(303);
    const location = answer.headers.get('location') ?? '';
    expect(location).toMatch(/^\/(?![/\\])/);
    expect(answer.location?.origin).toBe(world.service.url);
    expect(answer.headers.getSetCookie().join()).not.toContain('x=y');
  });

  it('leads back to where it was asked for, query and all', async () => {
    const returnTo = '/login?login_hint=a%26b&prompt=login';
    expect((await login(world, world.browser(), { returnTo })).headers.get('location')).toBe(returnTo);
  });

  it('passes the return address on through the page of choices, escaped', async () => {
    const attack = '/login?x="><script>alert(1)</script>';
    const url = `${world.service.url}/login?return_to=${encodeURIComponent(attack)}&login_hint=%22%3E`;
    const page = await world.browser().get(url);
    expect(page.text()).not.toContain('<script');
    const href = /href="([^"]*\/login\/mobypay[^"]*)"/.exec(page.text())?.[1] ?? '';
    expect(new URL(decodeEntities(href), world.service.url).searchParams.get('return_to')).toBe(attack);
  });

  it('never believes the Host header', async () => {
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    const started = await world.browser().request(`${world.service.url}/login/${PROVIDER}`, { headers });
    expect(started.location?.searchParams.get('redirect_uri')).toBe(`${world.service.url}/login/${PROVIDER}/callback`);
    expect(started.headers.getSetCookie().join()).not.toMatch(/__Host-|Secure/);
    for (const path of [METADATA, '/.well-known/openid-configuration', '/jwks', '/login']) {
      expect((await world.request(path, { headers })).text()).not.toContain('evil.example');
    }
    const resumed = await world.browser().request(authorizationUrl(world).url, { headers });
    expect(resumed.headers.get('location')).toMatch(/^\/login\//);
  });

  it('uses __Host- cookies, Secure, where the issuer is https', async () => {
    const secure = await underIssuer(() => 'https://login.example');
    for (const url of [
      `${secure.url}/login/${PROVIDER}`,
      authorizationUrl(world).url.replace(world.service.url, secure.url),
    ]) {
      const cookies = (await world.browser().request(url)).headers.getSetCookie();
      expect(cookies).toHaveLength(1);
      expect(cookies[0]).toMatch(/^__Host-symbolon-browser-[0-9a-f]{8}=[A-Za-z0-9_-]{43}; /);
      expect(cookies[0]?.split('; ')).toEqual(expect.arrayContaining(['Secure', 'HttpOnly', 'Path=/', 'SameSite=Lax']));
    }
    const started = await world.browser().request(`${secure.url}/login/${PROVIDER}`);
    expect(started.location?.searchParams.get('redirect_uri')).toBe(`https://login.example/login/${PROVIDER}/callback`);
    const metadata = (await world.browser().request(`${secure.url}${METADATA}`)).json();
    expect(metadata).toMatchObject({ issuer: 'https://login.example', token_endpoint: 'https://login.example/token' });
  });

  describe('under an issuer with a path', () => {
    let tenant: Service & { issuer: string };
    beforeAll(async () => {
      tenant = await underIssuer((port) => `http://127.0.0.1:${port}/tenant/one`);
      await world.upstream.addClient({
        ...UPSTREAM_CLIENT,
        redirect_uris: [tenant.issuer, world.service.url].map((base) => `${base}/login/${PROVIDER}/callback`),
      });
    });

    it('names its cookies otherwise than its neighbour on the same host', async () => {
      const [own] = await cookiesOf(tenant.issuer);
      const [neighbours] = await cookiesOf(world.service.url);
      expect(own?.split('=')[0]).toMatch(/^symbolon-browser-/);
      expect(own?.split('=')[0]).not.toBe(neighbours?.split('=')[0]);
    });

    it('answers with and without the path', async () => {
      for (const base of [tenant.issuer, tenant.url]) {
        for (const path of ['/healthz', '/jwks', '/.well-known/openid-configuration', METADATA, '/login']) {
          expect([path, (await world.browser().request(base + path)).status]).toEqual([path, 200]);
        }
      }
      const stray = await world.browser().request(`${tenant.url}/tenant/onetoken`, { form: {} });
      expect(stray.status).toBe(404);
    });

    it('serves its metadata where RFC 8414 looks for it, and all of it derives from the issuer', async () => {
      const expected = {
        issuer: tenant.issuer,
        authorization_endpoint: `${tenant.issuer}/auth`,
        token_endpoint: `${tenant.issuer}/token`,
        jwks_uri: `${tenant.issuer}/jwks`,
      };
      for (const url of [`${tenant.url}${METADATA}/tenant/one`, `${tenant.issuer}/.well-known/openid-configuration`]) {
        const answer = await world.browser().request(url);
        expect(answer.json()).toMatchObject(expected);
        expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      }
      expect((await world.browser().request(`${tenant.url}${METADATA}/other`)).status).toBe(404);
    });

    it.each(['with', 'without'])('carries the path through sign-in and consent, reached %s it', async (how) => {
      const base = how === 'with' ? tenant.issuer : tenant.url;
      const browser = world.browser();
      const { url, verifier, state } = authorizationUrl(world, {
        client_id: 'asker',
        login_hint: `tenant-${how}`,
        prompt: 'consent',
      });
      const page = await open(browser, url.replace(world.service.url, base));
      expect(page.status).toBe(200);
      expectPageHeaders(page);
      expect(form(page.text()).action).toBe('/tenant/one/auth/consent');
      const hops = browser.visited.filter((each) => each.startsWith(tenant.url)).slice(1);
      expect(hops.every((each) => each.startsWith(`${tenant.issuer}/`))).toBe(true);
      const answer = await browser.submit(page, { decision: 'allow' }, { redirect: 'manual' });
      const told = toldClient(answer);
      expect(told.get('iss')).toBe(tenant.issuer);
      expect(told.get('state')).toBe(state);
      const tokens = await browser.request(
        `${base}/token`,
        tokenRequest(CLIENTS.asker, told.get('code') ?? '', verifier),
      );
      const { access_token: token } = tokens.json<{ access_token: string }>();
      for (const prefix of [tenant.issuer, tenant.url]) {
        const pace = await browser.request(`${prefix}/federated-identities/${PROVIDER}/token`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
        });
        expect(pace.status).toBe(200);
      }
      // Another issuer on the same database and keys is another audience.
      expect((await world.pace(token)).status).toBe(401);
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    world.ledger.assertNoLeaks({ 'output of the others': others.map((other) => other.output()).join('\n') });
    await world.assertNoLeaks();
  });
});
