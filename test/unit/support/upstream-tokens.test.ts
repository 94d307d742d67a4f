import { decodeProtectedHeader, createRemoteJWKSet, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Upstream, startUpstream } from '../../../scripts/upstream-provider.mjs';
import { Browser } from '../../support/http-browser.js';
import { CLIENT, type TokenAnswer, logIn, postToken, redeem, refresh } from './upstream-client.js';

const kid = ({ id_token }: TokenAnswer) => decodeProtectedHeader(id_token).kid;

describe('upstream provider: tokens', () => {
  let upstream: Upstream;
  let tokens: TokenAnswer;

  beforeEach(async () => {
    upstream = await startUpstream({ clients: [CLIENT] });
    tokens = await redeem(upstream, await logIn(new Browser(), upstream, { login_hint: 'alice' }));
  });
  afterEach(async () => {
    await upstream.stop();
    expect(upstream.serverErrors).toEqual([]);
  });

  it('rotates the refresh token; using the old one again kills the whole family', async () => {
    const rotated = (await refresh(upstream, tokens.refresh_token)).json<TokenAnswer>();
    expect(rotated.refresh_token).not.toBe(tokens.refresh_token);
    expect(rotated.access_token).not.toBe(tokens.access_token);
    const reused = await refresh(upstream, tokens.refresh_token);
    expect([reused.status, reused.json<TokenAnswer>().error]).toEqual([400, 'invalid_grant']);
    expect((await refresh(upstream, rotated.refresh_token)).status).toBe(400);
    const userinfo = await new Browser().get(`${upstream.issuer}/me`, {
      headers: { authorization: `Bearer ${rotated.access_token}` },
    });
    expect(userinfo.status).toBe(401);
    expect(upstream.refreshTokensSeen).toEqual([tokens.refresh_token, tokens.refresh_token, rotated.refresh_token]);
  });

  it('keeps the refresh token with rotate: false', async () => {
    const lenient = await startUpstream({ clients: [CLIENT], rotate: false });
    const first = await redeem(lenient, await logIn(new Browser(), lenient, { login_hint: 'alice' }));
    const second = (await refresh(lenient, first.refresh_token)).json<TokenAnswer>();
    expect(second.refresh_token).toBe(first.refresh_token);
    expect((await refresh(lenient, first.refresh_token)).status).toBe(200);
    await lenient.stop();
  });

  it('counts attempts and successes by grant type', async () => {
    await refresh(upstream, tokens.refresh_token);
    await refresh(upstream, 'never issued');
    await postToken(upstream, { grant_type: 'client_credentials' });
    expect(upstream.counts).toEqual({
      authorizationCode: { attempted: 1, succeeded: 1 },
      refresh: { attempted: 2, succeeded: 1 },
      other: { attempted: 1, succeeded: 0 },
    });
    upstream.resetCounts();
    expect(upstream.counts.refresh).toEqual({ attempted: 0, succeeded: 0 });
  });

  it('withholds answers that were already processed, until released', async () => {
    upstream.withhold();
    const answers: number[] = [];
    const pending = refresh(upstream, tokens.refresh_token).then(({ status }) => answers.push(status));
    await upstream.waitForTokenRequest();
    expect(upstream.counts.refresh).toEqual({ attempted: 1, succeeded: 1 });
    expect((await new Browser().get(`${upstream.issuer}/jwks`)).status).toBe(200);
    expect(answers).toEqual([]);
    upstream.release();
    await pending;
    expect(answers).toEqual([200]);
  });

  it('withholds requests before they are processed, several at once', async () => {
    upstream.withhold('request');
    const pending = [refresh(upstream, 'one'), refresh(upstream, 'two')];
    await upstream.waitForTokenRequest(2);
    expect(upstream.counts.refresh).toEqual({ attempted: 2, succeeded: 0 });
    upstream.release();
    expect((await Promise.all(pending)).map(({ status }) => status)).toEqual([400, 400]);
    expect((await refresh(upstream, tokens.refresh_token)).status).toBe(200);
  });

  it('survives a client that hangs up while its answer is withheld', async () => {
    upstream.withhold();
    const impatient = new AbortController();
    const pending = fetch(`${upstream.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams(),
      signal: impatient.signal,
    });
    await upstream.waitForTokenRequest();
    impatient.abort();
    await expect(pending).rejects.toThrow('aborted');
    upstream.release();
    expect((await refresh(upstream, tokens.refresh_token)).status).toBe(200);
  });

  it('fails as often as told, with status, headers and body', async () => {
    upstream.failNext(2, { status: 429, headers: { 'retry-after': '7' }, body: { error: 'slow_down' } });
    upstream.failNext(1, { status: 502, body: '<html>' });
    const answers = [];
    for (let index = 0; index < 4; index += 1) answers.push(await refresh(upstream, tokens.refresh_token));
    expect(answers.map(({ status }) => status)).toEqual([429, 429, 502, 200]);
    expect(answers[0]?.headers.get('retry-after')).toBe('7');
    expect(answers[0]?.json()).toEqual({ error: 'slow_down' });
    expect(answers[2]?.text()).toBe('<html>');
    expect(upstream.counts.refresh).toEqual({ attempted: 4, succeeded: 1 });
  });

  it('loses an answer after processing, by status or by a cut connection', async () => {
    upstream.failNext(1, { reset: true });
    await expect(refresh(upstream, tokens.refresh_token)).rejects.toThrow();
    upstream.failNext(1, { afterProcessing: true, status: 503 });
    expect((await refresh(upstream, tokens.refresh_token)).status).toBe(503);
    expect((await refresh(upstream, tokens.refresh_token)).json<TokenAnswer>().error).toBe('invalid_grant');
  });

  it('neither answers nor hangs up when told to hang, and has not processed anything', async () => {
    upstream.failNext(1, { hang: true });
    const caller = new AbortController();
    const unanswered = fetch(`${upstream.issuer}/token`, { method: 'POST', signal: caller.signal, body: 'x=y' });
    await expect.poll(() => upstream.counts.other.attempted).toBe(1);
    caller.abort();
    await expect(unanswered).rejects.toThrow('aborted');
    expect((await refresh(upstream, tokens.refresh_token)).status).toBe(200);
  });

  it('fails and alters at the userinfo endpoint, apart from the token endpoint', async () => {
    upstream.failNext(1, { status: 502 }, 'userinfo');
    upstream.alterNext(1, (body) => ({ ...body, sub: 7 }), 'userinfo');
    const { access_token: token } = (await refresh(upstream, tokens.refresh_token)).json<TokenAnswer>();
    const userinfo = () =>
      new Browser().get(`${upstream.issuer}/me`, { headers: { authorization: `Bearer ${token}` } });
    expect((await userinfo()).status).toBe(502);
    expect((await userinfo()).json()).toMatchObject({ sub: 7, email: 'alice@example.com' });
    expect((await userinfo()).json()).toMatchObject({ sub: 'alice' });
  });

  it('gives no id_token to a client that is to see an OAuth 2.0 provider', async () => {
    await upstream.addClient({ ...CLIENT, id_token: false });
    const given = (await refresh(upstream, tokens.refresh_token)).json<TokenAnswer>();
    expect(given).not.toHaveProperty('id_token');
    expect(given.access_token).toEqual(expect.any(String));
  });

  it('alters answers, for instance with an ID token that is signed well and says something wrong', async () => {
    const wrong = await upstream.signIdToken({ iss: upstream.issuer, sub: 'mallory', aud: CLIENT.client_id });
    upstream.alterNext(1, ({ refresh_token: _dropped, ...rest }) => ({ ...rest, id_token: wrong }));
    const altered = (await refresh(upstream, tokens.refresh_token)).json<TokenAnswer>();
    expect(altered).not.toHaveProperty('refresh_token');
    const keys = createRemoteJWKSet(new URL(`${upstream.issuer}/jwks`));
    expect((await jwtVerify(altered.id_token, keys)).payload.sub).toBe('mallory');
  });

  it('signs with new keys after a rotation, and forgets neither sessions nor tokens', async () => {
    await upstream.rotateSigningKeys();
    const after = (await refresh(upstream, tokens.refresh_token)).json<TokenAnswer>();
    expect(kid(after)).not.toBe(kid(tokens));
    const keys = createRemoteJWKSet(new URL(`${upstream.issuer}/jwks`));
    await jwtVerify(tokens.id_token, keys);
    await jwtVerify(after.id_token, keys);
    await upstream.rotateSigningKeys({ keepOld: false });
    const fresh = createRemoteJWKSet(new URL(`${upstream.issuer}/jwks`));
    await expect(jwtVerify(after.id_token, fresh)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  it('goes off the network and comes back on the same port with everything', async () => {
    await upstream.disconnect();
    await expect(refresh(upstream, tokens.refresh_token)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await upstream.reconnect();
    expect((await refresh(upstream, tokens.refresh_token)).status).toBe(200);
  });

  it('revokes a token with its family, and says which was presented', async () => {
    const credentials = Buffer.from(`${CLIENT.client_id}:${CLIENT.client_secret}`).toString('base64');
    const answer = await new Browser().request(`${upstream.issuer}/token/revocation`, {
      form: { token: tokens.refresh_token },
      headers: { authorization: `Basic ${credentials}` },
    });
    expect(answer.status).toBe(200);
    expect(upstream.revocationsSeen).toEqual([tokens.refresh_token]);
    expect((await refresh(upstream, tokens.refresh_token)).status).toBe(400);
  });

  it('remembers every secret that passed', async () => {
    const login = await logIn(new Browser(), upstream, { login_hint: 'bob' });
    const bobs = await redeem(upstream, login);
    const expected = [
      CLIENT.client_secret,
      login.verifier,
      login.response.location?.searchParams.get('code'),
      bobs.access_token,
      bobs.refresh_token,
      bobs.id_token,
    ];
    expect(expected.filter((secret) => !upstream.secrets.has(secret ?? ''))).toEqual([]);
  });
});
