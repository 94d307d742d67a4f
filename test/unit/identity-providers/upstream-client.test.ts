import { createHash } from 'node:crypto';
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/common/secret.js';
import type { IdentityProvider } from '../../../src/identity-providers/identity-provider.js';
import { OutboundClient } from '../../../src/identity-providers/outbound-client.js';
import type { IdTokenClaims } from '../../../src/identity-providers/claims.js';
import { UpstreamClient } from '../../../src/identity-providers/upstream-client.js';
import type { UpstreamError } from '../../../src/identity-providers/upstream-error.js';
import type { Changes, SigningKey } from './provider-server.js';
import {
  directoryEntry,
  NOW,
  oauth2Entry,
  ProviderServer,
  sendJson,
  signingKey,
  SteppedClock,
  upstreamFailure as failureOf,
} from './provider-server.js';

const DISCOVERY = '/.well-known/openid-configuration';
const NOW_SECONDS = NOW / 1000;

let key: SigningKey;
let server: ProviderServer;
let outbound: OutboundClient;
let clock: SteppedClock;

beforeAll(async () => {
  key = await signingKey('k1');
});

beforeEach(async () => {
  server = await ProviderServer.start(key);
  outbound = new OutboundClient({ allow: ['127.0.0.1'] });
  clock = new SteppedClock();
});

afterEach(async () => {
  await outbound.close();
  await server.close();
});

function client(changes: Partial<IdentityProvider> = {}, timeouts = {}, entry = directoryEntry): UpstreamClient {
  return new UpstreamClient(entry(server.issuer, changes), outbound, clock, {
    tokenTimeoutMs: 5000,
    ...timeouts,
  });
}

async function verify(token: Promise<string> | string, expected = {}): Promise<IdTokenClaims> {
  return client().verifyIdToken(new Secret(await token), expected);
}

function reject(token: Promise<string> | string, expected = {}): Promise<UpstreamError> {
  return failureOf(verify(token, expected));
}

describe('metadata', () => {
  it('is discovered once by concurrent readers and kept for an hour', async () => {
    const upstream = client();
    await Promise.all([upstream.metadata(), upstream.authorizationEndpoint(), upstream.issParameterSupported()]);
    clock.time += 59 * 60 * 1000;
    expect(await upstream.metadata()).toMatchObject({ tokenEndpoint: `${server.issuer}/token` });
    expect(server.countOf(DISCOVERY)).toBe(1);
    clock.time += 60 * 1000;
    await upstream.metadata();
    expect(server.countOf(DISCOVERY)).toBe(2);
  });

  it('tells whether the issuer is named in authorization responses', async () => {
    expect(await client().issParameterSupported()).toBe(false);
    server.metadata['authorization_response_iss_parameter_supported'] = true;
    expect(await client().issParameterSupported()).toBe(true);
  });

  it('is found below an issuer that ends in a slash', async () => {
    server.metadata['issuer'] = `${server.issuer}/`;
    expect(await client({ issuer: `${server.issuer}/` }).metadata()).toMatchObject({ issuer: `${server.issuer}/` });
  });

  it.each([
    ['another issuer', { issuer: 'https://attacker.example' }],
    ['the issuer with a slash more', { issuer: 'SLASH' }],
    ['no token_endpoint', { token_endpoint: undefined }],
    ['no jwks_uri', { jwks_uri: undefined }],
    ['a jwks_uri that is no URL', { jwks_uri: '/keys' }],
    ['a script for an authorization_endpoint', { authorization_endpoint: 'javascript:alert(1)' }],
    ['a token_endpoint over http elsewhere', { token_endpoint: 'http://10.9.9.9/token' }],
    ['a jwks_uri on the metadata service', { jwks_uri: 'https://169.254.169.254/keys' }],
    ['a private userinfo_endpoint', { userinfo_endpoint: 'https://10.9.9.9/me' }],
  ])('is refused with %s', async (_what, changes) => {
    Object.assign(server.metadata, changes);
    if (server.metadata['issuer'] === 'SLASH') server.metadata['issuer'] = `${server.issuer}/`;
    expect((await failureOf(client().metadata())).kind).toBe('misconfigured');
  });

  it('is unavailable when there is no usable answer, and a failure is not remembered', async () => {
    const upstream = client();
    const { [DISCOVERY]: good } = server.answers;
    server.answers[DISCOVERY] = (response) => response.writeHead(503, { 'retry-after': '7' }).end();
    expect(await failureOf(upstream.metadata())).toMatchObject({ kind: 'unavailable', retryAfterMs: 7000 });
    server.answers[DISCOVERY] = (response) => response.end('<html>');
    expect((await failureOf(upstream.metadata())).kind).toBe('unavailable');
    server.answers[DISCOVERY] = (response) => sendJson(response, [server.metadata]);
    expect((await failureOf(upstream.metadata())).kind).toBe('unavailable');
    server.answers[DISCOVERY] = (response) => response.writeHead(302, { location: '/moved' }).end();
    expect((await failureOf(upstream.metadata())).kind).toBe('unavailable');
    server.answers[DISCOVERY] = (response) => sendJson(response, { ...server.metadata, pad: 'x'.repeat(1024 * 1024) });
    expect((await failureOf(upstream.metadata())).kind).toBe('unavailable');
    server.answers[DISCOVERY] = () => undefined;
    expect((await failureOf(client({}, { metadataTimeoutMs: 50 }).metadata())).kind).toBe('unavailable');
    server.answers[DISCOVERY] = good!;
    expect((await upstream.metadata()).issuer).toBe(server.issuer);
    expect(server.countOf('/moved')).toBe(0);
  });

  it('is misconfigured when the policy refuses the issuer, since waiting does not help', async () => {
    const strict = new OutboundClient({ allow: [] });
    const upstream = new UpstreamClient(directoryEntry(server.issuer), strict, clock, { tokenTimeoutMs: 5000 });
    expect((await failureOf(upstream.metadata())).kind).toBe('misconfigured');
    expect(server.received).toEqual([]);
    await strict.close();
  });
});

describe.each([
  ['oidc', directoryEntry],
  ['oauth2', oauth2Entry],
])('tokens of an %s provider', (type, entry) => {
  const made = (changes: Partial<IdentityProvider> = {}, timeouts = {}) => client(changes, timeouts, entry);
  const refreshToken = new Secret('rt-SECRET');

  it('redeems a code with its verifier', async () => {
    server.answers['/token'] = (response) => sendJson(response, { access_token: 'at', expires_in: 300 });
    await made().redeemCode({ code: 'c', redirectUri: 'https://us.example/cb', codeVerifier: 'v' });
    expect(Object.fromEntries(server.received.at(-1)!.form)).toEqual({
      grant_type: 'authorization_code',
      code: 'c',
      redirect_uri: 'https://us.example/cb',
      code_verifier: 'v',
    });
  });

  it('refreshes and gives all that the provider gave', async () => {
    server.answers['/token'] = (response) => {
      // The answer takes 5 s: the lifetime is counted from the question.
      clock.time += 5000;
      sendJson(response, {
        access_token: 'at2',
        token_type: 'bearer',
        expires_in: '300',
        refresh_token: 'rt2',
        id_token: 'idt',
        scope: 'openid mail',
      });
    };
    const tokens = await made().refresh({ refreshToken });
    expect(Object.fromEntries(server.received.at(-1)!.form)).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt-SECRET',
    });
    expect(tokens).toMatchObject({ tokenType: 'bearer', expiresInSeconds: 300, scope: 'openid mail', receivedAt: NOW });
    expect(tokens.accessToken.reveal()).toBe('at2');
    expect(tokens.refreshToken?.reveal()).toBe('rt2');
    expect(tokens.idToken?.reveal()).toBe(type === 'oidc' ? 'idt' : undefined);
    expect(JSON.stringify(tokens)).not.toMatch(/at2|rt2|idt/);
  });

  it('leaves out what the provider left out', async () => {
    server.answers['/token'] = (response) =>
      sendJson(response, { access_token: 'at', refresh_token: '', id_token: null });
    expect(await made().refresh({ refreshToken })).toMatchObject({
      tokenType: 'Bearer',
      expiresInSeconds: undefined,
      refreshToken: undefined,
      idToken: undefined,
      scope: undefined,
    });
  });

  it.each([
    [60, 60],
    [59.5, 59.5],
    [0, 0],
    ['3599', 3599],
    [-1, undefined],
    ['-1', undefined],
    ['', undefined],
    ['1e9', undefined],
    ['soon', undefined],
    [null, undefined],
    [{}, undefined],
  ])('reads expires_in %j', async (sent, expected) => {
    server.answers['/token'] = (response) => sendJson(response, { access_token: 'at', expires_in: sent });
    expect((await made().refresh({ refreshToken })).expiresInSeconds).toBe(expected);
  });

  it.each<[unknown, IdentityProvider['accessTokenLifetime'], number | 'none' | undefined]>([
    [60, 'none', 60],
    [60, 7200, 60],
    [undefined, 'none', 'none'],
    [undefined, 7200, 7200],
    [0, 'none', 'none'],
    ['0', 7200, 7200],
    ['soon', 'none', 'none'],
    [-1, 7200, 7200],
    [null, undefined, undefined],
  ])('with expires_in %j and a configured lifetime of %s is good for %s', async (sent, configured, expected) => {
    server.answers['/token'] = (response) => sendJson(response, { access_token: 'at', expires_in: sent });
    const tokens = await made({ accessTokenLifetime: configured }).refresh({ refreshToken });
    expect(tokens.expiresInSeconds).toBe(expected);
  });

  it.each<[Record<string, unknown>, number | undefined]>([
    [{ refresh_token_expires_in: 15_897_600 }, 15_897_600],
    [{ refresh_token_expires_in: '60' }, 60],
    [{ refresh_expires_in: 1800 }, 1800],
    [{ refresh_expires_in: 0 }, undefined],
    [{ refresh_token_expires_in: 'soon' }, undefined],
    [{ refresh_token_expires_in: -1 }, undefined],
    [{}, undefined],
  ])('reads from %j how long the refresh token lives', async (said, expected) => {
    server.answers['/token'] = (response) => sendJson(response, { access_token: 'at', refresh_token: 'rt', ...said });
    expect((await made().refresh({ refreshToken })).refreshExpiresInSeconds).toBe(expected);
  });

  it.each<[string, unknown, string | undefined]>([
    ['separated by commas', 'repo,gist', type === 'oidc' ? 'repo,gist' : 'repo gist'],
    ['separated by both', 'repo, gist', type === 'oidc' ? 'repo, gist' : 'repo gist'],
    ['in a list', ['repo', 1, 'gist'], 'repo gist'],
    ['in an empty list', [], ''],
    ['that are empty', '', ''],
    ['with a control character', 'openid\u0000mail', undefined],
    ['in a list with one', ['openid', 'ma\u0007il'], undefined],
    ['that are none', {}, undefined],
  ])('may have scopes %s', async (_what, sent, expected) => {
    server.answers['/token'] = (response) => sendJson(response, { access_token: 'at', scope: sent });
    expect((await made().refresh({ refreshToken })).scope).toBe(expected);
  });

  it('never loses tokens over what is said beside them', async () => {
    const odd = { access_token: 'at\u0000', refresh_token: 'rt\n', token_type: 'Be\u0000arer', scope: 'a\u0000' };
    server.answers['/token'] = (response) => sendJson(response, odd);
    const tokens = await made().refresh({ refreshToken });
    expect(tokens).toMatchObject({ tokenType: 'Bearer', scope: undefined });
    expect([tokens.accessToken.reveal(), tokens.refreshToken?.reveal()]).toEqual(['at\u0000', 'rt\n']);
  });

  it.each([
    ['invalid_grant', 'invalid_grant'],
    ['bad_refresh_token', 'invalid_grant'],
    ['interaction_required', 'invalid_grant'],
    ['incorrect_client_credentials', 'misconfigured'],
    ['temporarily_unavailable', 'unavailable'],
  ])('are refused by an answer 200 that says %s', async (error, kind) => {
    server.answers['/token'] = (response) => sendJson(response, { error, error_description: 'rt-SECRET' });
    const failure = await failureOf(made().refresh({ refreshToken }));
    expect(failure).toMatchObject({ kind, oauthError: error });
    expect(failure.message).not.toContain('SECRET');
  });

  it.each<[IdentityProvider['tokenEndpointAuthMethod'], string | undefined, Record<string, string>]>([
    ['client_secret_basic', `Basic ${btoa('broker:correcthorse')}`, {}],
    ['client_secret_post', undefined, { client_id: 'broker', client_secret: 'correcthorse' }],
    ['none', undefined, { client_id: 'broker' }],
  ])('authenticates by %s', async (method, authorization, parameters) => {
    server.answers['/token'] = (response) => sendJson(response, { access_token: 'at' });
    await made({ tokenEndpointAuthMethod: method }).refresh({ refreshToken });
    const { headers, form } = server.received.at(-1)!;
    expect(headers.authorization).toBe(authorization);
    expect(headers['content-type']).toContain('application/x-www-form-urlencoded');
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt-SECRET',
      ...parameters,
    });
  });

  it('is misconfigured without the secret that the method needs, and sends nothing', async () => {
    expect((await failureOf(made({ clientSecret: undefined }).refresh({ refreshToken }))).kind).toBe('misconfigured');
    expect(server.countOf('/token')).toBe(0);
  });

  it('classifies what the token endpoint says', async () => {
    const upstream = made();
    const grant = { code: 'c-SECRET', redirectUri: 'https://us.example/cb', codeVerifier: 'v-SECRET' };
    server.answers['/token'] = (response) => sendJson(response, { error: 'invalid_grant' }, 400);
    expect(await failureOf(upstream.refresh({ refreshToken }))).toMatchObject({
      kind: 'invalid_grant',
      oauthError: 'invalid_grant',
    });
    server.answers['/token'] = (response) => sendJson(response, { error: 'invalid_client' }, 401);
    expect((await failureOf(upstream.refresh({ refreshToken }))).kind).toBe('misconfigured');
    server.answers['/token'] = (response) => sendJson(response, { error: 'invalid_request' }, 400);
    expect((await failureOf(upstream.refresh({ refreshToken }))).kind).toBe('misconfigured');
    expect((await failureOf(upstream.redeemCode(grant))).kind).toBe('rejected');
    server.answers['/token'] = (response) => sendJson(response, {}, 429, { 'retry-after': '30' });
    expect(await failureOf(upstream.refresh({ refreshToken }))).toMatchObject({
      kind: 'unavailable',
      retryAfterMs: 30_000,
    });
  });

  it.each<[string, ProviderServer['answers'][string]]>([
    ['HTML with 400', (response) => response.writeHead(400).end('<html>rt-SECRET</html>')],
    ['HTML with 200', (response) => response.end('<html>')],
    ['an array', (response) => sendJson(response, [{ access_token: 'at' }])],
    ['no access_token', (response) => sendJson(response, { refresh_token: 'rt' })],
    ['an empty access_token', (response) => sendJson(response, { access_token: '' })],
    ['an access_token that is no string', (response) => sendJson(response, { access_token: 1 })],
    ['a token with the wrong status', (response) => sendJson(response, { access_token: 'at' }, 404)],
    ['a redirect', (response) => response.writeHead(307, { location: '/elsewhere' }).end()],
    ['more than 64 KiB', (response) => sendJson(response, { access_token: 'at', pad: 'x'.repeat(64 * 1024) })],
    ['nothing and hangs up', (response) => response.socket?.destroy()],
    ['nothing at all', () => undefined],
  ])('is unavailable when the token endpoint answers %s', async (_what, answer) => {
    server.answers['/token'] = answer;
    const upstream = made({}, _what === 'nothing at all' ? { tokenTimeoutMs: 500 } : {});
    const error = await failureOf(upstream.refresh({ refreshToken }));
    expect(error.kind).toBe('unavailable');
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('SECRET');
    expect(server.countOf('/token')).toBe(1);
    expect(server.countOf('/elsewhere')).toBe(0);
  });
});

describe('verifyIdToken', () => {
  it('accepts what the provider signed for us', async () => {
    const token = server.idToken(key, { nonce: 'n', email: 'a@x.example', email_verified: true, groups: ['dev'] });
    expect(await verify(token, { nonce: 'n', subject: 'alice' })).toMatchObject({
      sub: 'alice',
      email: 'a@x.example',
      email_verified: true,
      groups: ['dev'],
    });
  });

  it.each(['RS256', 'PS256', 'PS512', 'ES384', 'ES512', 'EdDSA'])('accepts %s', async (alg) => {
    const other = await signingKey('k-other', alg);
    server.keys = [key, other];
    expect((await verify(server.idToken(other))).sub).toBe('alice');
  });

  it('accepts several audiences when the token is for us', async () => {
    expect((await verify(server.idToken(key, { aud: ['broker', 'api'], azp: 'broker' }))).sub).toBe('alice');
  });

  it.each<[string, Changes, object]>([
    ['another issuer', { iss: 'https://attacker.example' }, {}],
    ['another audience', { aud: 'other' }, {}],
    ['several audiences without azp', { aud: ['broker', 'api'] }, {}],
    ['a token for another party', { azp: 'other' }, {}],
    ['an azp that is no string', { azp: ['broker'] }, {}],
    ['another nonce', { nonce: 'other' }, { nonce: 'n' }],
    ['no nonce where one was sent', {}, { nonce: 'n' }],
    ['another subject', { sub: 'mallory' }, { subject: 'alice' }],
    ['no subject', { sub: undefined }, {}],
    ['an empty subject', { sub: '' }, {}],
    ['no issuer', { iss: undefined }, {}],
    ['no exp', { exp: undefined }, {}],
    ['no iat', { iat: undefined }, {}],
    ['expired beyond tolerance', { exp: NOW_SECONDS - 11 }, {}],
    ['issued too far in the future', { iat: NOW_SECONDS + 61 }, {}],
    ['not valid yet', { nbf: NOW_SECONDS + 11 }, {}],
    ['the hash of another access token', { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }, { accessToken: new Secret('at') }],
    ['an at_hash that is no string', { at_hash: 1 }, { accessToken: new Secret('at') }],
  ])('rejects %s', async (_what, changes, expected) => {
    expect((await reject(server.idToken(key, changes), expected)).kind).toBe('rejected');
  });

  it('takes the time from the clock, with a little tolerance', async () => {
    expect((await verify(server.idToken(key, { exp: NOW_SECONDS - 9 }))).sub).toBe('alice');
    expect((await verify(server.idToken(key, { nbf: NOW_SECONDS + 9 }))).sub).toBe('alice');
    expect((await verify(server.idToken(key, { iat: NOW_SECONDS + 60 }))).sub).toBe('alice');
    const token = await server.idToken(key);
    clock.time += 311_000;
    expect(await reject(token)).toMatchObject({ kind: 'rejected', message: 'id_token: exp' });
  });

  it('says whose it is at any time, where it is asked only for that', async () => {
    for (const times of [{ exp: NOW_SECONDS - 86_400 }, { iat: NOW_SECONDS + 3600 }, { nbf: NOW_SECONDS + 3600 }]) {
      expect((await reject(server.idToken(key, times))).kind).toBe('rejected');
      expect((await verify(server.idToken(key, times), { atAnyTime: true })).sub).toBe('alice');
    }
    const expired = await server.idToken(key, { sub: 'bob', exp: 1 });
    expect(await reject(expired, { atAnyTime: true, subject: 'alice' })).toMatchObject({ message: 'id_token: sub' });
  });

  it('accepts the hash of the access token', async () => {
    const half = createHash('sha256').update('at').digest().subarray(0, 16).toString('base64url');
    const token = server.idToken(key, { at_hash: half });
    expect((await verify(token, { accessToken: new Secret('at') })).sub).toBe('alice');
    expect((await verify(server.idToken(key), { accessToken: new Secret('at') })).sub).toBe('alice');
  });

  it('rejects a signature by another key under the same kid', async () => {
    expect((await reject(server.idToken(await signingKey('k1')))).kind).toBe('rejected');
  });

  it('rejects changed claims under the old signature', async () => {
    const [header, , signature] = (await server.idToken(key)).split('.');
    const [, payload] = (await server.idToken(key, { sub: 'mallory' })).split('.');
    expect((await reject(`${header}.${payload}.${signature}`)).kind).toBe('rejected');
  });

  it('rejects alg none', async () => {
    const claims = { iss: server.issuer, aud: 'broker', sub: 'alice', iat: NOW_SECONDS, exp: NOW_SECONDS + 300 };
    const error = await reject(new UnsecuredJWT(claims).encode());
    expect(error.kind).toBe('rejected');
    expect(server.countOf('/keys')).toBe(0);
  });

  it('rejects HS256 keyed with the public key, however it is written', async () => {
    const rsa = await signingKey('r1', 'RS256');
    server.keys = [rsa];
    const publicKey = await importJWK(rsa.publicJwk, 'RS256', { extractable: true });
    if (publicKey instanceof Uint8Array) throw new Error('not a public key');
    const claims = { iss: server.issuer, aud: 'broker', sub: 'alice', iat: NOW_SECONDS, exp: NOW_SECONDS + 300 };
    for (const secret of [await exportSPKI(publicKey), JSON.stringify(rsa.publicJwk), 'correcthorse'.repeat(4)]) {
      const token = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'r1' });
      expect((await reject(token.sign(Buffer.from(secret)))).kind).toBe('rejected');
    }
    expect(server.countOf('/keys')).toBe(0);
  });

  it('rejects garbage, and repeats none of it', async () => {
    for (const token of ['', 'SECRET', 'SECRET.SECRET.SECRET', 'a.b.c.d.e']) {
      const error = await reject(token);
      expect(error.kind).toBe('rejected');
      expect(error.message).not.toContain('SECRET');
    }
  });

  it('counts a claim of the wrong type as absent', async () => {
    const claims = await verify(server.idToken(key, { email_verified: 'false', name: 7 }));
    expect(claims.email_verified).toBeUndefined();
    expect(claims.name).toBeUndefined();
  });

  it('picks up a rotated key at the next login', async () => {
    const upstream = client();
    await upstream.verifyIdToken(new Secret(await server.idToken(key)), {});
    const next = await signingKey('k2');
    server.keys = [next];
    expect((await upstream.verifyIdToken(new Secret(await server.idToken(next)), {})).sub).toBe('alice');
    expect(server.countOf('/keys')).toBe(2);
  });

  it('lets concurrent logins after a rotation share the fetch', async () => {
    const upstream = client();
    await upstream.verifyIdToken(new Secret(await server.idToken(key)), {});
    const next = await signingKey('k2');
    server.keys = [next];
    const token = new Secret(await server.idToken(next));
    const logins = await Promise.all(Array.from({ length: 5 }, () => upstream.verifyIdToken(token, {})));
    expect(logins.map((claims) => claims.sub)).toEqual(Array(5).fill('alice'));
    expect(server.countOf('/keys')).toBe(2);
  });

  it('does not pass a flood of unknown keys on', async () => {
    const upstream = client();
    await upstream.verifyIdToken(new Secret(await server.idToken(key)), {});
    const stranger = await signingKey('x');
    const strangers = await Promise.all(Array.from({ length: 20 }, (_, i) => signingKey(`x${i}`)));
    const attempts = strangers.map(async (one) =>
      failureOf(upstream.verifyIdToken(new Secret(await server.idToken(one)), {})),
    );
    for (const error of await Promise.all(attempts)) expect(error.kind).toBe('rejected');
    expect(server.countOf('/keys')).toBe(2);
    clock.time += 4999;
    await failureOf(upstream.verifyIdToken(new Secret(await server.idToken(stranger)), {}));
    expect(server.countOf('/keys')).toBe(2);
    clock.time += 1;
    await failureOf(upstream.verifyIdToken(new Secret(await server.idToken(stranger)), {}));
    expect(server.countOf('/keys')).toBe(3);
  });

  it('takes a key of which it may not ask yet for neither genuine nor forged: they may have been rotated twice', async () => {
    const upstream = client();
    const [second, third] = [await signingKey('k2'), await signingKey('k3')];
    for (const one of [key, second]) {
      server.keys = [one];
      await upstream.verifyIdToken(new Secret(await server.idToken(one)), {});
    }
    server.keys = [third];
    const token = new Secret(await server.idToken(third));
    expect((await failureOf(upstream.verifyIdToken(token, { atAnyTime: true }))).kind).toBe('unavailable');
    // At a sign-in nothing is lost by refusing it.
    expect((await failureOf(upstream.verifyIdToken(token, {}))).kind).toBe('rejected');
    clock.time += 5000;
    expect((await upstream.verifyIdToken(token, {})).sub).toBe('alice');
  });

  it('shares one fetch of the keys, and forgets a withdrawn key in the end', async () => {
    const upstream = client();
    const token = new Secret(await server.idToken(key, { exp: NOW_SECONDS + 3600 }));
    await Promise.all(Array.from({ length: 10 }, () => upstream.verifyIdToken(token, {})));
    expect(server.countOf('/keys')).toBe(1);
    server.keys = [await signingKey('k2')];
    expect((await upstream.verifyIdToken(token, {})).sub).toBe('alice');
    clock.time += 600_000;
    expect((await failureOf(upstream.verifyIdToken(token, {}))).kind).toBe('rejected');
  });

  it.each<[string, ProviderServer['answers'][string]]>([
    ['fail', (response) => response.writeHead(500).end()],
    ['are no JSON', (response) => response.end('<html>')],
    ['are no key set', (response) => sendJson(response, { keys: 'none' })],
    ['hang', () => undefined],
  ])('is unavailable, not rejected, when the keys %s', async (_what, answer) => {
    server.answers['/keys'] = answer;
    const upstream = client({}, _what === 'hang' ? { metadataTimeoutMs: 50 } : {});
    const error = await failureOf(upstream.verifyIdToken(new Secret(await server.idToken(key)), {}));
    expect(error.kind).toBe('unavailable');
  });
});

describe('checkIdTokenOffline', () => {
  it('compares iss, aud and sub without the network', async () => {
    const upstream = client();
    const check = async (changes: Changes) =>
      upstream.checkIdTokenOffline(new Secret(await server.idToken(key, changes)), { subject: 'alice' });
    expect(await check({})).toBe('match');
    expect(await check({ aud: ['api', 'broker'] })).toBe('match');
    expect(await check({ exp: 1 })).toBe('match');
    expect(await check({ sub: 'mallory' })).toBe('mismatch');
    expect(await check({ sub: undefined })).toBe('mismatch');
    expect(await check({ aud: 'other' })).toBe('mismatch');
    expect(await check({ iss: 'https://attacker.example' })).toBe('mismatch');
    for (const token of ['', 'x', 'a.b.c']) {
      expect(upstream.checkIdTokenOffline(new Secret(token), { subject: 'alice' })).toBe('unreadable');
    }
    expect(server.received).toEqual([]);
  });
});

describe('userinfo', () => {
  const accessToken = new Secret('at-SECRET');

  it('gives the claims of the expected user', async () => {
    server.answers['/me'] = (response) => sendJson(response, { sub: 'alice', email: 'a@x.example' });
    expect(await client().userinfo(accessToken, 'alice')).toEqual({ sub: 'alice', email: 'a@x.example' });
    expect(server.received.at(-1)!.headers.authorization).toBe('Bearer at-SECRET');
  });

  it.each<[string, ProviderServer['answers'][string]]>([
    ['rejected', (response) => sendJson(response, { sub: 'mallory' })],
    ['rejected', (response) => sendJson(response, { email: 'a@x.example' })],
    ['rejected', (response) => response.writeHead(401).end()],
    ['unavailable', (response) => response.writeHead(502).end()],
    ['unavailable', (response) => response.end('eyJhbGciOi.signed.userinfo')],
  ])('is %s otherwise', async (kind, answer) => {
    server.answers['/me'] = answer;
    expect((await failureOf(client().userinfo(accessToken, 'alice'))).kind).toBe(kind);
  });

  it('is misconfigured where there is none', async () => {
    delete server.metadata['userinfo_endpoint'];
    expect((await failureOf(client().userinfo(accessToken, 'alice'))).kind).toBe('misconfigured');
  });
});
