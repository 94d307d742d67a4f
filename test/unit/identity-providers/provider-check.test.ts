import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/common/secret.js';
import { loadConfiguration } from '../../../src/config/index.js';
import type { IdentityProvider } from '../../../src/identity-providers/identity-provider.js';
import { ProviderCheck, type ProviderReport } from '../../../src/identity-providers/provider-check.js';
import { UpstreamClients } from '../../../src/identity-providers/upstream-clients.js';
import { encryptionKeys } from '../../support/service.js';
import { directoryEntry, oauth2Entry, ProviderServer, sendJson, signingKey, SteppedClock } from './provider-server.js';

const DISCOVERY = '/.well-known/openid-configuration';

const configuration = loadConfiguration({
  ISSUER: 'https://login.example/base',
  ENCRYPTION_KEYS: encryptionKeys(),
});

let server: ProviderServer;
let clients: UpstreamClients;

beforeEach(async () => {
  server = await ProviderServer.start(await signingKey('k1', 'RS256'), await signingKey('k2'));
  Object.assign(server.metadata, {
    revocation_endpoint: `${server.issuer}/revoke`,
    scopes_supported: ['openid', 'offline_access'],
  });
  clients = new UpstreamClients({ allow: ['127.0.0.1'], tokenTimeoutMs: 500, clock: new SteppedClock() });
});

afterEach(async () => {
  await clients.close();
  await server.close();
});

const check = (provider: IdentityProvider): Promise<ProviderReport> =>
  new ProviderCheck(configuration, clients).check(provider);
const whole = (changes: Partial<IdentityProvider> = {}) =>
  directoryEntry(server.issuer, { scope: 'openid offline_access', ...changes });
const findingOf = ({ findings }: ProviderReport, name: string) => findings.find((finding) => finding.check === name);

describe('a provider that is fine', () => {
  it('is reported with all that was looked at', async () => {
    expect(await check(whole({ id: 'my idp' }))).toEqual({
      identityProvider: 'my idp',
      status: 'ok',
      redirectUri: 'https://login.example/base/login/my%20idp/callback',
      findings: [
        { check: 'metadata', status: 'ok', detail: `The issuer is ${server.issuer}.` },
        {
          check: 'endpoints',
          status: 'ok',
          detail: `${server.issuer}/authorize, ${server.issuer}/token, ${server.issuer}/me.`,
        },
        { check: 'keys', status: 'ok', detail: '2 for signatures (RS256, ES256).' },
        {
          check: 'client-authentication',
          status: 'ok',
          detail: 'By client_secret_basic; whether the provider accepts it is seen at the first sign-in.',
        },
        { check: 'scopes', status: 'ok', detail: 'openid, offline_access.' },
        { check: 'refresh', status: 'ok', detail: 'Refresh tokens are asked for.' },
        { check: 'revocation', status: 'ok', detail: `${server.issuer}/revoke.` },
      ],
    });
  });

  it('needs no discovery and no keys where it is OAuth 2 only', async () => {
    const entry = oauth2Entry(server.issuer, { accessTokenLifetime: 'none' });
    const report = await check({ ...entry, endpoints: { ...entry.endpoints, revocation: `${server.issuer}/revoke` } });
    expect(report.status).toBe('ok');
    expect(report.findings.map((finding) => finding.check)).toEqual([
      'metadata',
      'endpoints',
      'client-authentication',
      'scopes',
      'refresh',
      'revocation',
    ]);
    expect(server.received).toEqual([]);
  });

  it('is asked anew each time', async () => {
    await clients.for(whole()).metadata();
    await check(whole());
    await check(whole());
    expect(server.countOf(DISCOVERY)).toBe(3);
  });
});

describe('what is missing', () => {
  it.each<[string, string, Partial<IdentityProvider>, () => void]>([
    ['no way to ask for refresh tokens', 'refresh', { scope: 'openid' }, () => undefined],
    ['offline access that is off', 'refresh', { offlineAccess: false }, () => undefined],
    ['no revocation', 'revocation', {}, () => delete server.metadata['revocation_endpoint']],
    ['no userinfo', 'endpoints', {}, () => delete server.metadata['userinfo_endpoint']],
    ['scopes that are not listed', 'scopes', { scope: 'openid offline_access mail' }, () => undefined],
    [
      'a method that is not listed',
      'client-authentication',
      { tokenEndpointAuthMethod: 'client_secret_post' },
      () => {
        server.metadata['token_endpoint_auth_methods_supported'] = ['client_secret_basic'];
      },
    ],
  ])('is a warning: %s', async (_what, name, changes, arrange) => {
    arrange();
    const report = await check(whole(changes));
    expect(findingOf(report, name)?.status).toBe('warning');
    expect(report.status).toBe('warning');
  });

  it.each<[string, Partial<IdentityProvider>]>([
    ['access_type=offline asks for them', { scope: 'openid', authorizationParameters: { access_type: 'offline' } }],
    ['the tokens do not expire', { scope: 'openid', accessTokenLifetime: 'none' }],
  ])('is no refresh token where %s', async (_what, changes) => {
    expect(findingOf(await check(whole(changes)), 'refresh')?.status).toBe('ok');
  });

  it('is nothing where a preset knows that refresh tokens come anyway', async () => {
    server.metadata['scopes_supported'] = ['openid'];
    expect(findingOf(await check(whole({ scope: 'openid', preset: 'gitlab' })), 'refresh')?.status).toBe('ok');
  });
});

describe('what cannot work', () => {
  it.each<[string, string, Partial<IdentityProvider>, () => void]>([
    [
      'metadata that fail',
      'metadata',
      {},
      () => {
        server.answers[DISCOVERY] = (response) => response.writeHead(500).end();
      },
    ],
    [
      'metadata that are garbage',
      'metadata',
      {},
      () => {
        server.answers[DISCOVERY] = (response) => response.end('<html>');
      },
    ],
    [
      'metadata of 10 MB',
      'metadata',
      {},
      () => {
        server.answers[DISCOVERY] = (response) => sendJson(response, { pad: 'x'.repeat(10_000_000) });
      },
    ],
    ['another issuer', 'metadata', {}, () => Object.assign(server.metadata, { issuer: 'https://attacker.example' })],
    ['an address that is not allowed', 'metadata', { issuer: 'https://10.9.9.9' }, () => undefined],
    [
      'no keys',
      'keys',
      {},
      () => {
        server.keys = [];
      },
    ],
    [
      'keys that fail',
      'keys',
      {},
      () => {
        server.answers['/keys'] = (response) => response.writeHead(404).end();
      },
    ],
    [
      'keys that sign nothing',
      'keys',
      {},
      () => {
        server.answers['/keys'] = (response) =>
          sendJson(response, {
            keys: [
              { kty: 'oct', k: 'AA' },
              { kty: 'RSA', use: 'enc' },
            ],
          });
      },
    ],
    ['no client secret', 'client-authentication', { clientSecret: undefined }, () => undefined],
    [
      'a private key of no use',
      'client-authentication',
      { tokenEndpointAuthMethod: 'private_key_jwt', privateKey: new Secret('KEY-SECRET') },
      () => undefined,
    ],
  ])('is a failure: %s', async (_what, name, changes, arrange) => {
    arrange();
    const report = await check(whole(changes));
    expect(findingOf(report, name)?.status).toBe('failed');
    expect(report.status).toBe('failed');
    expect(JSON.stringify(report)).not.toMatch(/SECRET|correcthorse/);
  });

  it('is named in words of ours: what the provider writes is shortened', async () => {
    const odd = ['openid', 'offline_access', ...Array.from({ length: 50 }, (_, i) => `s${i}`), '<script>\n'];
    Object.assign(server.metadata, { token_endpoint_auth_methods_supported: odd });
    const { detail = '' } = findingOf(await check(whole()), 'client-authentication') ?? {};
    expect(detail).not.toContain('\n');
    expect(detail.length).toBeLessThan(300);
  });
});
