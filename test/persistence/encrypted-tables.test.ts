import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/common/secret.js';
import { DecryptionError } from '../../src/encryption/index.js';
import { DEFAULT_OPTIONS } from '../../src/identity-providers/identity-provider.js';
import { IdentityProvidersRepository } from '../../src/identity-providers/identity-providers.repository.js';
import { LinkedAccountsRepository } from '../../src/idp-offline-access/linked-accounts.repository.js';
import { databases } from '../support/databases.js';
import { encryptionKeys } from '../support/service.js';
import { openStorage, type Replica, type Storage } from './support/storage.js';

const [k1, k2] = [encryptionKeys('k1'), encryptionKeys('k2')];
const ACCESS_TOKEN = 'the access token';
const REFRESH_TOKEN = 'the refresh token';
const CLIENT_SECRET = 'the secret at the provider';

const accountsOf = ({ unitOfWork, clock, randomness, envelopes, encryptedTables }: Replica) =>
  new LinkedAccountsRepository(unitOfWork, clock, randomness, envelopes, encryptedTables);
const providersOf = ({ unitOfWork, clock, randomness, envelopes, encryptedTables }: Replica) =>
  new IdentityProvidersRepository(unitOfWork, clock, randomness, envelopes, encryptedTables);

/** The account of a user, with tokens sealed by that replica's first key. */
const link = async (replica: Replica, userId: string): Promise<string> => {
  const accounts = accountsOf(replica);
  await accounts.insertOnce({ userId, identityProvider: 'corp', subject: userId });
  const { id = '' } = (await accounts.findOfUser(userId, 'corp')) ?? {};
  await accounts.storeLinked(
    id,
    { issuer: 'https://corp.example', upstreamClientId: 'us', claims: {} },
    {
      accessToken: new Secret(ACCESS_TOKEN),
      refreshToken: new Secret(REFRESH_TOKEN),
      idToken: undefined,
      tokenType: 'Bearer',
      scope: [],
      expiresAt: 2,
      obtainedAt: 1,
    },
  );
  return id;
};
const read = async (replica: Replica, id: string): Promise<string | undefined> => {
  const accounts = accountsOf(replica);
  const account = await accounts.find(id);
  return account && (await accounts.openTokens(account))?.accessToken?.reveal();
};
const putProvider = (replica: Replica, clientSecret: Secret | undefined) =>
  providersOf(replica).put({
    ...DEFAULT_OPTIONS,
    privateKey: undefined,
    id: 'corp',
    type: 'oidc',
    displayName: 'Corp',
    issuer: 'https://corp.example',
    clientId: 'us',
    clientSecret,
    tokenEndpointAuthMethod: clientSecret ? 'client_secret_basic' : 'none',
    scope: 'openid',
    offlineAccess: true,
    signUp: false,
    authorizationParameters: {},
  });

describe.each(databases)('encrypted rows on $name', (kind) => {
  let storage: Storage;
  let service: Replica;
  beforeAll(async () => {
    storage = await openStorage(kind, k1);
    service = storage.first;
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    for (const table of ['linked_accounts', 'identity_providers']) await storage.database.query(`DELETE FROM ${table}`);
  });

  it('hold no secret that a thief of the database could use', async () => {
    await link(service, 'alice');
    await putProvider(service, new Secret(CLIENT_SECRET));
    const dump = await storage.database.dump();
    for (const value of [ACCESS_TOKEN, REFRESH_TOKEN, CLIENT_SECRET]) {
      expect(dump).not.toContain(value);
      expect(dump).not.toContain(Buffer.from(value).toString('base64').replace(/=+$/, ''));
    }
    expect((await providersOf(service).find('corp'))?.clientSecret?.reveal()).toBe(CLIENT_SECRET);
  });

  it('do not open with tokens that were moved in from another row, with or without its data key', async () => {
    const [mine, theirs] = [await link(service, 'mallory'), await link(service, 'alice')];
    const copy = async (...columns: string[]) => {
      const values = columns.map((column) => `${column} = (SELECT ${column} FROM linked_accounts WHERE id = ?)`);
      const ids = [...columns.map(() => theirs), mine];
      await storage.database.query(`UPDATE linked_accounts SET ${values.join(', ')} WHERE id = ?`, ids);
    };
    await copy('access_token');
    await expect(read(service, mine)).rejects.toThrow(DecryptionError);
    await copy('access_token', 'refresh_token', 'data_key', 'encryption_key_id');
    await expect(read(service, mine)).rejects.toThrow(DecryptionError);
    expect(await read(service, theirs)).toBe(ACCESS_TOKEN);
  });

  it('do not pass a refresh token off as the access token that callers get', async () => {
    const id = await link(service, 'alice');
    await storage.database.query('UPDATE linked_accounts SET access_token = refresh_token WHERE id = ?', [id]);
    await expect(read(service, id)).rejects.toThrow(DecryptionError);
  });

  it('of an old key stay readable, and what is written anew has the new one', async () => {
    const id = await link(service, 'alice');
    const rotated = service.configured({ keys: `${k2},${k1}` });
    expect(await read(rotated, id)).toBe(ACCESS_TOKEN);
    const keyOf = async () =>
      (await storage.database.query('SELECT encryption_key_id AS key FROM linked_accounts WHERE id = ?', [id]))[0];
    expect(await keyOf()).toEqual({ key: 'k1' });
    await link(rotated, 'alice');
    expect(await keyOf()).toEqual({ key: 'k2' });
    expect(await read(service.configured({ keys: k2 }), id)).toBe(ACCESS_TOKEN);
  });

  it('name the keys they need and do not find, or find with another value', async () => {
    const unusableWith = async (keys: string): Promise<string[]> => {
      const replica = service.configured({ keys });
      accountsOf(replica);
      providersOf(replica);
      return (await replica.encryptedTables.unusableKeys()).toSorted();
    };
    expect(await unusableWith(encryptionKeys('k3'))).toEqual([]);
    await link(service, 'alice');
    await putProvider(service.configured({ keys: k2 }), new Secret(CLIENT_SECRET));
    expect(await unusableWith(`${k1},${k2}`)).toEqual([]);
    expect(await unusableWith(`${k2},${k1}`)).toEqual([]);
    expect(await unusableWith(k1)).toEqual(['k2']);
    expect(await unusableWith(encryptionKeys('k3'))).toEqual(['k1', 'k2']);
    expect(await unusableWith(encryptionKeys('k2'))).toEqual(['k1', 'k2']);
    // So few under a key that wraps nothing any more may be damaged: they stop nobody from starting.
    expect(await unusableWith(`${k1},${encryptionKeys('k2')}`)).toEqual([]);
    const rotated = service.configured({ keys: k2 });
    for (const subject of ['bob', 'carol']) await link(rotated, subject);
    expect(await unusableWith(`${k1},${encryptionKeys('k2')}`)).toEqual(['k2']);
  });

  it('need no key where they hold no secret', async () => {
    await putProvider(service, undefined);
    await accountsOf(service).insertOnce({ userId: 'alice', identityProvider: 'corp', subject: 'alice' });
    const replica = service.configured({ keys: encryptionKeys('k3') });
    accountsOf(replica);
    expect((await providersOf(replica).find('corp'))?.clientSecret).toBeUndefined();
    expect(await replica.encryptedTables.unusableKeys()).toEqual([]);
  });
});
