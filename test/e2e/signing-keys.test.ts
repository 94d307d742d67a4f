import { createLocalJWKSet, createRemoteJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { Service } from '../support/service.js';
import { eventually, read } from '../support/vault.js';
import { createWorld, REDIRECT_URI, READ_SCOPE, PROVIDER, type World } from '../support/world.js';

const ADMIN_API_KEY = 'admin-key-0123456789abcdef0123456789abcdef';
const ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA'];

interface Key {
  kid: string;
  algorithm: string;
  status: string;
}

/** Public ones: one for each algorithm that an id_token can be signed with. */
const clients = ALGORITHMS.map((algorithm) => ({
  client_id: `signed-by-${algorithm}`,
  token_endpoint_auth_method: 'none',
  redirect_uris: [REDIRECT_URI],
  scope: READ_SCOPE,
  upstream_providers: [PROVIDER],
  consent: 'implicit',
  id_token_signed_response_alg: algorithm,
}));

const signedBy = (token: string) => decodeProtectedHeader(token).kid;

describe.each(databases)('signing keys on $name', (kind) => {
  let world: World;
  let other: Service;
  beforeAll(async () => {
    world = await createWorld(kind, {
      env: { ADMIN_API_KEY, SIGNING_ALGS: ALGORITHMS.join(',') },
      configure: (configuration) => ({ ...configuration, clients: [...(configuration['clients'] ?? []), ...clients] }),
    });
    // A second process on PostgreSQL; SQLite never has two.
    other = kind.name === 'postgres' ? await world.startReplica() : world.service;
  });
  afterAll(() => world.stop());

  const ask = (method: string, path: string, json?: object, at: Service = world.service) =>
    world.browser().request(`${at.url}/admin/signing-keys${path}`, {
      method,
      json,
      headers: { authorization: `Bearer ${ADMIN_API_KEY}` },
    });
  const kidOf = async (status: string, algorithm = 'ES256') => {
    const { keys } = (await ask('GET', '')).json<{ keys: Key[] }>();
    return keys.find((key) => key.status === status && key.algorithm === algorithm)?.kid;
  };
  const jwks = async (at: Service = world.service) =>
    (await world.browser().request(`${at.url}/jwks`)).json<JSONWebKeySet>();
  const status = async (token: string, at: Service) => (await read(world, token, { at })).status;

  it('sign an id_token with the algorithm that the client registered, verified by what is published', async () => {
    const published = createLocalJWKSet(await jwks(other));
    for (const { client_id, id_token_signed_response_alg: alg } of clients) {
      const { id_token = '' } = await world.signIn({ client: { client_id } });
      const { protectedHeader } = await jwtVerify(id_token, published, { algorithms: [alg], audience: client_id });
      expect(protectedHeader).toEqual({ alg, typ: 'JWT', kid: await kidOf('current', alg) });
    }
  });

  it('change under those who verify: they know the next key already, and what the former one signed is good', async () => {
    // Somebody who reads the key set once and keeps it.
    const keptByOthers = createLocalJWKSet(await jwks());
    const former = await world.signIn({ login: 'alice' });
    const next = await kidOf('next');
    expect((await ask('POST', '/rotate', undefined, other)).status).toBe(200);
    expect(await kidOf('current')).toBe(next);
    // The other replica had read the keys a moment ago; what it signs until it reads them again is good as well.
    let latest = await world.signIn({ login: 'alice' });
    await eventually('it signs with the new key', async () => {
      if (signedBy(latest.access_token) !== next) latest = await world.signIn({ login: 'alice' });
      return signedBy(latest.access_token) === next;
    });
    for (const { access_token: token, id_token = '' } of [former, latest]) {
      expect((await jwtVerify(token, keptByOthers)).protectedHeader.kid).toBe(signedBy(token));
      await jwtVerify(id_token, keptByOthers);
      for (const at of [world.service, other]) expect(await status(token, at)).toBe(200);
    }
  });

  it('that got out are worth nothing within moments, on every replica, and after a restart', async () => {
    const { access_token: former, id_token = '' } = await world.signIn({ login: 'alice' });
    for (const at of [world.service, other]) expect(await status(former, at)).toBe(200);
    expect((await ask('POST', '/rotate', { revoke_previous: true })).status).toBe(200);
    expect(await status(former, world.service)).toBe(401);
    await eventually('the other replica refuses', async () => (await status(former, other)) === 401);
    const published = createRemoteJWKSet(new URL(`${other.url}/jwks`));
    for (const token of [former, id_token]) await expect(jwtVerify(token, published)).rejects.toThrow();
    const { access_token: token } = await world.signIn({ login: 'alice' });
    for (const at of [world.service, other]) expect(await status(token, at)).toBe(200);
    expect((await jwks(other)).keys).toHaveLength(2 * ALGORITHMS.length);
    await world.restart();
    if (kind.name === 'sqlite') other = world.service;
    expect(await status(former, world.service)).toBe(401);
    expect(await status(token, world.service)).toBe(200);
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
