import { decodeJwt, decodeProtectedHeader, createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Upstream, startUpstream } from '../../../scripts/upstream-provider.mjs';
import { Browser } from '../../support/http-browser.js';
import { CALLBACK, CLIENT, logIn, postToken, redeem } from './upstream-client.js';

const stopBefore = ({ href }: URL) => href.startsWith(CALLBACK);

describe('upstream provider: signing in', () => {
  const warn = vi.spyOn(console, 'warn');
  const info = vi.spyOn(console, 'info');
  let upstream: Upstream;

  beforeAll(async () => {
    upstream = await startUpstream({ clients: [CLIENT], accessTokenTtlSeconds: 20 });
  });
  afterAll(async () => {
    expect(upstream.serverErrors).toEqual([]);
    await upstream.stop();
    expect(warn).not.toHaveBeenCalled();
    expect(info).not.toHaveBeenCalled();
  });

  it('signs in the user of login_hint and issues all three tokens', async () => {
    const browser = new Browser();
    const login = await logIn(browser, upstream, { login_hint: 'alice' });
    expect(login.response.location?.searchParams.get('state')).toBe('the-state');
    expect(login.response.location?.searchParams.get('iss')).toBe(upstream.issuer);

    const tokens = await redeem(upstream, login);
    expect(tokens.expires_in).toBe(20);
    expect(tokens.refresh_token).toEqual(expect.any(String));
    const { payload } = await jwtVerify(tokens.id_token, createRemoteJWKSet(new URL(`${upstream.issuer}/jwks`)), {
      issuer: upstream.issuer,
      audience: CLIENT.client_id,
    });
    expect(payload).toMatchObject({
      sub: 'alice',
      nonce: 'the-nonce',
      email: 'alice@example.com',
      email_verified: true,
      name: 'Alice Archer',
      preferred_username: 'alice',
    });
    const userinfo = await browser.get(`${upstream.issuer}/me`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    expect(userinfo.json()).toMatchObject({ sub: 'alice', name: 'Alice Archer' });
  });

  it('shows a page without login_hint, where one button per user signs in by POST', async () => {
    const browser = new Browser();
    const { response: page, verifier } = await logIn(browser, upstream);
    expect(page.status).toBe(200);
    expect(page.text()).toContain('Carol Cooper (carol@example.com)');
    const again = await browser.get(page.url);
    expect(again.status).toBe(200);
    const response = await browser.submit(page, { login: 'carol' }, { stopBefore });
    const tokens = await redeem(upstream, { response, verifier });
    expect(decodeJwt(tokens.id_token).sub).toBe('carol');
  });

  it('answers access_denied for "deny", by hint and by button', async () => {
    const hinted = await logIn(new Browser(), upstream, { login_hint: 'deny' });
    expect(hinted.response.location?.searchParams.get('error')).toBe('access_denied');
    const browser = new Browser();
    const { response: page } = await logIn(browser, upstream);
    const refused = await browser.submit(page, { login: 'deny' }, { stopBefore });
    expect(refused.location?.searchParams.get('error')).toBe('access_denied');
  });

  it('keeps many browsers apart that sign in at once', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `person${index}`);
    const subjects = await Promise.all(
      names.map(async (name) => {
        const tokens = await redeem(upstream, await logIn(new Browser(), upstream, { login_hint: name }));
        return decodeJwt(tokens.id_token).sub;
      }),
    );
    expect(subjects).toEqual(names);
  });

  it('keeps the signed-in user without a hint, and changes it for another hint or prompt=login', async () => {
    const browser = new Browser();
    const subject = async (extra: Record<string, string>) =>
      decodeJwt((await redeem(upstream, await logIn(browser, upstream, extra))).id_token).sub;
    expect(await subject({ login_hint: 'alice' })).toBe('alice');
    expect(await subject({})).toBe('alice');
    expect(await subject({ login_hint: 'bob' })).toBe('bob');
    expect(await subject({ login_hint: 'carol', prompt: 'login consent' })).toBe('carol');
  });

  it('finishes two logins of one browser in any order', async () => {
    const browser = new Browser();
    const [first, second] = [await logIn(browser, upstream), await logIn(browser, upstream)];
    const responses = [
      await browser.submit(second.response, { login: 'bob' }, { stopBefore }),
      await browser.submit(first.response, { login: 'bob' }, { stopBefore }),
    ];
    expect(responses.map(({ location }) => location?.searchParams.has('code'))).toEqual([true, true]);
  });

  it('answers 400 for a stale interaction and for another browser', async () => {
    const browser = new Browser();
    const { response: page } = await logIn(browser, upstream);
    expect((await new Browser().get(page.url)).status).toBe(400);
    expect((await new Browser().submit(page, { login: 'alice' })).status).toBe(400);
    await browser.submit(page, { login: 'alice' }, { stopBefore });
    expect((await browser.submit(page, { login: 'alice' })).status).toBe(400);
  });

  it('requires PKCE and checks the verifier', async () => {
    const without = await logIn(new Browser(), upstream, { code_challenge: '', login_hint: 'alice' });
    expect(without.response.location?.searchParams.get('error')).toBe('invalid_request');
    const login = await logIn(new Browser(), upstream, { login_hint: 'alice' });
    const tokens = await redeem(upstream, { ...login, verifier: 'x'.repeat(43) });
    expect(tokens.error).toBe('invalid_grant');
  });

  it('signs with RS256 for a client that says so, and takes clients while running', async () => {
    const client = { ...CLIENT, id_token_alg: 'RS256' as const, grant_types: ['authorization_code'] };
    await upstream.addClient(client);
    const tokens = await redeem(upstream, await logIn(new Browser(), upstream, { login_hint: 'alice' }));
    expect(decodeProtectedHeader(tokens.id_token).alg).toBe('RS256');
    expect(tokens.refresh_token).toBeUndefined();
    await upstream.addClient(CLIENT);
    const back = await redeem(upstream, await logIn(new Browser(), upstream, { login_hint: 'alice' }));
    expect(decodeProtectedHeader(back.id_token).alg).toBe('ES256');
  });

  it('accepts client_secret_post for a client that says so', async () => {
    await upstream.addClient({ ...CLIENT, client_id: 'poster', auth_method: 'client_secret_post' });
    const browser = new Browser();
    const answer = await browser.request(`${upstream.issuer}/token`, {
      form: {
        grant_type: 'refresh_token',
        refresh_token: 'x',
        client_id: 'poster',
        client_secret: CLIENT.client_secret,
      },
    });
    expect(answer.json()).toMatchObject({ error: 'invalid_grant' });
    const wrong = await postToken(upstream, { grant_type: 'refresh_token', refresh_token: 'x', client_id: 'poster' });
    expect(wrong.status).toBe(400);
  });

  it('refuses a port that is taken', async () => {
    await expect(startUpstream({ clients: [], port: upstream.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
