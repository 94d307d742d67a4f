import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { exportJWK, SignJWT, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientKeys } from '../../../src/clients/authentication/client-keys.js';
import { toNewClient } from '../../../src/clients/client-entry.js';
import type { Client } from '../../../src/clients/client.js';
import { clientDeclaration, Configuration } from '../../../src/config/index.js';
import { parseDeclarations } from '../../../src/config/config-file.js';
import { readEnvironment } from '../../../src/config/environment.js';
import { encryptionKeys } from '../../support/service.js';
import { listen, sendJson, SteppedClock, type ListeningServer } from '../identity-providers/provider-server.js';

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const KEYS = { old: newKey(), new: newKey() };
type Kid = keyof typeof KEYS;

describe('the keys of a client, at its jwks_uri', () => {
  let server: ListeningServer;
  let keys: ClientKeys;
  let client: Client;
  let clock: SteppedClock;
  let published: Kid[];
  let status: number;
  let asked: number;
  beforeEach(async () => {
    [published, status, asked, clock] = [['old'], 200, 0, new SteppedClock()];
    server = await listen((_, response) => {
      asked += 1;
      void Promise.all(published.map(async (kid) => ({ ...(await exportJWK(createPublicKey(KEYS[kid]))), kid }))).then(
        (set) => sendJson(response, { keys: set }, status),
      );
    });
    const environment = readEnvironment({
      ENCRYPTION_KEYS: encryptionKeys(),
      OUTBOUND_ALLOW_CLIENTS: '127.0.0.1',
    });
    keys = new ClientKeys(new Configuration(environment, parseDeclarations({})), clock);
    const entry = {
      client_id: 'app',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: `${server.origin}/jwks`,
      grant_types: ['client_credentials'],
    };
    const times = { createdAt: 0, updatedAt: 0, lastUsedAt: undefined };
    client = { ...toNewClient(clientDeclaration.parse(entry)), ...times, enabled: true, version: '1' };
  });
  afterEach(async () => {
    await keys.onApplicationShutdown();
    await server.close();
  });

  const verifies = async (kid: Kid, named = kid): Promise<boolean> => {
    const jwt = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: named }).sign(KEYS[kid]);
    return jwtVerify(jwt, (header, token) => keys.find(client, header, token), {
      currentDate: new Date(clock.now()),
    }).then(
      () => true,
      () => false,
    );
  };

  it('are kept for five minutes, and asked for once by all who need them at the same time', async () => {
    expect(await Promise.all([verifies('old'), verifies('old'), verifies('old')])).toEqual([true, true, true]);
    expect(asked).toBe(1);
    clock.time += 300_000 - 1;
    expect(await verifies('old')).toBe(true);
    expect(asked).toBe(1);
    clock.time += 1;
    published = [];
    expect(await verifies('old')).toBe(false);
    expect(asked).toBe(2);
  });

  it('are asked for again where one is unknown, at most every 30 seconds: a client may rotate its keys', async () => {
    expect(await verifies('old')).toBe(true);
    published = ['new'];
    clock.time += 30_000 - 1;
    expect(await verifies('new')).toBe(false);
    expect(asked).toBe(1);
    clock.time += 1;
    expect(await verifies('new')).toBe(true);
    expect(asked).toBe(2);
    expect([await verifies('old'), await verifies('old'), await verifies('new')]).toEqual([false, false, true]);
    expect(asked).toBe(2);
  });

  it('are not asked for because a signature is wrong', async () => {
    expect(await verifies('old')).toBe(true);
    clock.time += 60_000;
    expect(await verifies('new', 'old')).toBe(false);
    expect(asked).toBe(1);
  });

  it('are not asked for within two seconds of a failure, and are there again after it', async () => {
    status = 500;
    expect([await verifies('old'), await verifies('old')]).toEqual([false, false]);
    expect(asked).toBe(1);
    status = 200;
    clock.time += 2_000 - 1;
    expect(await verifies('old')).toBe(false);
    clock.time += 1;
    expect(await verifies('old')).toBe(true);
    expect(asked).toBe(2);
  });

  it('that were known stay so where asking for an unknown one fails', async () => {
    expect(await verifies('old')).toBe(true);
    clock.time += 60_000;
    status = 500;
    expect([await verifies('new'), await verifies('old')]).toEqual([false, true]);
  });

  it('are at most a hundred', async () => {
    published = Array.from({ length: 101 }, () => 'old' as const);
    expect(await verifies('old')).toBe(false);
  });
});
