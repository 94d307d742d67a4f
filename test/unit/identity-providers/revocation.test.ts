import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/common/secret.js';
import type { IdentityProvider } from '../../../src/identity-providers/identity-provider.js';
import { OutboundClient } from '../../../src/identity-providers/outbound-client.js';
import { UpstreamClient } from '../../../src/identity-providers/upstream-client.js';
import {
  directoryEntry,
  oauth2Entry,
  ProviderServer,
  sendJson,
  SteppedClock,
  upstreamFailure,
} from './provider-server.js';

const token = new Secret('t-SECRET');

let server: ProviderServer;
let outbound: OutboundClient;

beforeEach(async () => {
  server = await ProviderServer.start();
  server.metadata['revocation_endpoint'] = `${server.issuer}/revoke`;
  server.answers['/revoke'] = (response) => response.writeHead(200).end();
  outbound = new OutboundClient({ allow: ['127.0.0.1'] });
});

afterEach(async () => {
  await outbound.close();
  await server.close();
});

const client = (provider: IdentityProvider, tokenTimeoutMs = 5000): UpstreamClient =>
  new UpstreamClient(provider, outbound, new SteppedClock(), { tokenTimeoutMs });

describe.each<[string, (changes?: Partial<IdentityProvider>) => IdentityProvider]>([
  ['oidc', (changes) => directoryEntry(server.issuer, changes)],
  [
    'oauth2',
    (changes) => {
      const entry = oauth2Entry(server.issuer, changes);
      return { ...entry, endpoints: { ...entry.endpoints, revocation: `${server.issuer}/revoke` } };
    },
  ],
])('a token of an %s provider', (_type, entry) => {
  it('is revoked as RFC 7009 says, by the client that it was issued to', async () => {
    const upstream = client(entry());
    expect(await upstream.revocable()).toBe(true);
    await upstream.revoke(token, 'refresh_token');
    const { method, headers, form } = server.received.at(-1)!;
    expect(method).toBe('POST');
    expect(headers.authorization).toBe(`Basic ${btoa('broker:correcthorse')}`);
    expect(Object.fromEntries(form)).toEqual({ token: 't-SECRET', token_type_hint: 'refresh_token' });
    await client(entry({ tokenEndpointAuthMethod: 'client_secret_post' })).revoke(token, 'access_token');
    expect(Object.fromEntries(server.received.at(-1)!.form)).toMatchObject({
      token_type_hint: 'access_token',
      client_secret: 'correcthorse',
    });
  });

  it.each<[string, ProviderServer['answers'][string]]>([
    ['says nothing', (response) => response.writeHead(204).end()],
    ['does not know it any more', (response) => sendJson(response, { error: 'invalid_token' }, 400)],
  ])('is revoked where the provider %s', async (_what, answer) => {
    server.answers['/revoke'] = answer;
    await client(entry()).revoke(token, 'access_token');
  });

  it.each<[string, string, ProviderServer['answers'][string]]>([
    ['fails', 'unavailable', (response) => response.writeHead(503, { 'retry-after': '7' }).end()],
    ['throttles', 'unavailable', (response) => response.writeHead(429, { 'retry-after': '7' }).end()],
    ["throttles in GitHub's way", 'unavailable', (response) => response.writeHead(403, { 'retry-after': '7' }).end()],
    ['hangs', 'unavailable', () => undefined],
    ['hangs up', 'unavailable', (response) => response.socket?.destroy()],
    ['answers a non-JSON 400', 'unavailable', (response) => response.writeHead(400).end('<html>t-SECRET</html>')],
    ['redirects', 'unavailable', (response) => response.writeHead(302, { location: '/elsewhere' }).end()],
    ['sends too much', 'unavailable', (response) => response.writeHead(400).end('x'.repeat(10_000_000))],
    ['does not know us', 'misconfigured', (response) => sendJson(response, { error: 'invalid_client' }, 401)],
    ['turns us away', 'misconfigured', (response) => response.writeHead(403).end()],
    [
      'does not revoke such',
      'misconfigured',
      (response) => sendJson(response, { error: 'unsupported_token_type' }, 400),
    ],
  ])('is not where the provider %s', async (what, kind, answer) => {
    server.answers['/revoke'] = answer;
    const failure = await upstreamFailure(client(entry(), what === 'hangs' ? 500 : 5000).revoke(token, 'access_token'));
    expect(failure.kind).toBe(kind);
    expect(failure.retryAfterMs).toBe(/^(fails|throttles)/.test(what) ? 7000 : undefined);
    expect(failure.message).not.toContain('SECRET');
    expect(server.countOf('/elsewhere')).toBe(0);
  });
});

it('is not possible without an endpoint, or with one that must not be used; signing in there still is', async () => {
  delete server.metadata['revocation_endpoint'];
  const without = client(directoryEntry(server.issuer));
  expect(await without.revocable()).toBe(false);
  expect((await upstreamFailure(without.revoke(token, 'access_token'))).kind).toBe('misconfigured');
  server.metadata['revocation_endpoint'] = 'https://10.9.9.9/revoke';
  const refused = client(directoryEntry(server.issuer));
  expect((await refused.metadata()).tokenEndpoint).toBe(`${server.issuer}/token`);
  expect((await upstreamFailure(refused.revoke(token, 'access_token'))).kind).toBe('misconfigured');
});

it('goes where the operator says, whatever is published', async () => {
  server.answers['/other'] = (response) => response.writeHead(200).end();
  await client(directoryEntry(server.issuer, { endpoints: { revocation: `${server.issuer}/other` } })).revoke(
    token,
    'access_token',
  );
  expect(server.countOf('/other')).toBe(1);
  expect(server.countOf('/revoke')).toBe(0);
});

const gitHub = () => {
  const entry = oauth2Entry(server.issuer, { clientId: 'broker/1', tokenEndpointAuthMethod: 'client_secret_post' });
  return client({
    ...entry,
    endpoints: { ...entry.endpoints, revocation: `${server.issuer}/applications/{client_id}/token` },
  });
};

describe("GitHub's way", () => {
  const PATH = '/applications/broker%2F1/token';
  it.each([204, 404, 422])('deletes the token (%s)', async (status) => {
    server.answers[PATH] = (response) => response.writeHead(status).end();
    expect(await gitHub().revocable()).toBe(true);
    await gitHub().revoke(token, 'access_token');
    const { method, headers, body } = server.received.at(-1)!;
    expect(method).toBe('DELETE');
    expect(headers).toMatchObject({
      authorization: `Basic ${btoa('broker/1:correcthorse')}`,
      'content-type': 'application/json',
    });
    expect(JSON.parse(body)).toEqual({ access_token: 't-SECRET' });
  });

  it('has nothing to delete for a refresh token', async () => {
    await gitHub().revoke(token, 'refresh_token');
    expect(server.received).toEqual([]);
  });

  it.each([
    [401, 'misconfigured'],
    [403, 'misconfigured'],
    [500, 'unavailable'],
    [429, 'unavailable'],
    [200, 'unavailable'],
  ])('%s is %s', async (status, kind) => {
    server.answers[PATH] = (response) => response.writeHead(status).end();
    expect((await upstreamFailure(gitHub().revoke(token, 'access_token'))).kind).toBe(kind);
  });
});
