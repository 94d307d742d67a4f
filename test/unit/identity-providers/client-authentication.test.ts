import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/common/secret.js';
import type { IdentityProvider } from '../../../src/identity-providers/identity-provider.js';
import { OutboundClient } from '../../../src/identity-providers/outbound-client.js';
import { UpstreamClient } from '../../../src/identity-providers/upstream-client.js';
import { directoryEntry, NOW, ProviderServer, sendJson, SteppedClock, upstreamFailure } from './provider-server.js';

const NOW_SECONDS = NOW / 1000;

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const P384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ED = generateKeyPairSync('ed25519');
const SECP256K1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });

const pem = (key: KeyObject): Secret => new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString());
const jwk = (key: KeyObject, members = {}): Secret =>
  new Secret(JSON.stringify({ ...key.export({ format: 'jwk' }), ...members }));

let server: ProviderServer;
let outbound: OutboundClient;
let clock: SteppedClock;

beforeEach(async () => {
  server = await ProviderServer.start();
  server.answers['/token'] = (response) => sendJson(response, { access_token: 'at' });
  outbound = new OutboundClient({ allow: ['127.0.0.1'] });
  clock = new SteppedClock();
});

afterEach(async () => {
  await outbound.close();
  await server.close();
});

const client = (changes: Partial<IdentityProvider>): UpstreamClient =>
  new UpstreamClient(directoryEntry(server.issuer, { clientSecret: undefined, ...changes }), outbound, clock, {
    tokenTimeoutMs: 5000,
  });
const refresh = (upstream: UpstreamClient) => upstream.refresh({ refreshToken: new Secret('rt') });
const sent = () => server.received.at(-1)!;

const withKey = (privateKey: Secret | undefined, changes: Partial<IdentityProvider> = {}) =>
  client({ tokenEndpointAuthMethod: 'private_key_jwt', privateKey, ...changes });

describe('private_key_jwt', () => {
  it.each<[string, Secret, KeyObject, string, string | undefined]>([
    ['an RSA key in PEM', pem(RSA.privateKey), RSA.publicKey, 'RS256', undefined],
    ['a P-256 key in PEM', pem(P256.privateKey), P256.publicKey, 'ES256', undefined],
    ['a P-384 key in PEM', pem(P384.privateKey), P384.publicKey, 'ES384', undefined],
    ['an Ed25519 key in PEM', pem(ED.privateKey), ED.publicKey, 'EdDSA', undefined],
    ['a JWK that names itself', jwk(P256.privateKey, { kid: 'k9' }), P256.publicKey, 'ES256', 'k9'],
    ['a JWK that names its algorithm', jwk(RSA.privateKey, { alg: 'PS256' }), RSA.publicKey, 'PS256', undefined],
    ['an Ed25519 JWK', jwk(ED.privateKey, { alg: 'EdDSA' }), ED.publicKey, 'EdDSA', undefined],
  ])('signs with %s', async (_what, key, publicKey, alg, kid) => {
    await refresh(withKey(key));
    const { headers, form } = sent();
    expect(headers.authorization).toBeUndefined();
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt',
      client_id: 'broker',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: expect.any(String) as string,
    });
    const assertion = form.get('client_assertion') ?? '';
    const { payload, protectedHeader } = await jwtVerify(assertion, publicKey, { currentDate: new Date(NOW) });
    expect(protectedHeader).toEqual({ alg, ...(kid !== undefined && { kid }) });
    expect(payload).toMatchObject({
      iss: 'broker',
      sub: 'broker',
      aud: server.issuer,
      iat: NOW_SECONDS,
      jti: expect.any(String) as string,
    });
    expect(payload.exp! - NOW_SECONDS).toBeLessThanOrEqual(300);
  });

  it('never sends an assertion twice, and takes the time from the clock', async () => {
    const upstream = withKey(pem(P256.privateKey));
    await refresh(upstream);
    const first = decodeJwt(sent().form.get('client_assertion')!);
    clock.time += 60_000;
    await refresh(upstream);
    const second = decodeJwt(sent().form.get('client_assertion')!);
    expect(second.jti).not.toBe(first.jti);
    expect(second.iat! - first.iat!).toBe(60);
  });

  it('is for the issuer, or for the token endpoint where the provider wants it so; the key is named as configured', async () => {
    const changes = { clientAssertionAudience: 'token_endpoint', privateKeyId: 'named' } as const;
    await refresh(withKey(jwk(P256.privateKey, { kid: 'k9' }), changes));
    const assertion = sent().form.get('client_assertion')!;
    expect(decodeJwt(assertion).aud).toBe(`${server.issuer}/token`);
    expect(decodeProtectedHeader(assertion).kid).toBe('named');
  });

  it.each<[string, Secret | undefined]>([
    ['no key', undefined],
    ['a key that is none', new Secret('KEY-SECRET')],
    ['a key of a curve without algorithm', pem(SECP256K1.privateKey)],
    ['a key that does not fit its algorithm', jwk(P256.privateKey, { alg: 'RS256' })],
    ['a key for something else', jwk(RSA.privateKey, { alg: 'RSA-OAEP-256' })],
    ['a symmetric key', new Secret(JSON.stringify({ kty: 'oct', k: 'KEY-SECRET' }))],
  ])('is misconfigured with %s, and sends nothing', async (_what, key) => {
    const failure = await upstreamFailure(refresh(withKey(key)));
    expect(failure.kind).toBe('misconfigured');
    expect(`${failure.message} ${failure.stack}`).not.toMatch(/SECRET|PRIVATE KEY/);
    expect(server.countOf('/token')).toBe(0);
  });
});

describe('a client secret that the team signs', () => {
  const signed = { teamId: 'TEAM', privateKeyId: 'KEY', privateKey: pem(P256.privateKey) };

  it('is made anew for each request', async () => {
    const upstream = client({ ...signed, tokenEndpointAuthMethod: 'client_secret_post' });
    await refresh(upstream);
    const secret = sent().form.get('client_secret') ?? '';
    const { payload, protectedHeader } = await jwtVerify(secret, P256.publicKey, { currentDate: new Date(NOW) });
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'KEY' });
    expect(payload).toEqual({
      iss: 'TEAM',
      sub: 'broker',
      aud: server.issuer,
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 300,
    });
    clock.time += 1_000_000;
    await refresh(upstream);
    expect(decodeJwt(sent().form.get('client_secret')!).iat).toBe(NOW_SECONDS + 1000);
  });

  it('is misconfigured without the key', async () => {
    const upstream = client({ ...signed, privateKey: undefined, tokenEndpointAuthMethod: 'client_secret_post' });
    expect((await upstreamFailure(refresh(upstream))).kind).toBe('misconfigured');
  });
});
