import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { IdentityProvidersRepository } from '../../src/identity-providers/identity-providers.repository.js';
import { readProvider } from '../../src/identity-providers/provider-entry.js';
import { databases } from '../support/databases.js';
import { openStorage, type Replica, type Storage } from './support/storage.js';

const SECRET = 'the secret at the provider';
const PRIVATE_KEY = JSON.stringify({
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
});

const entry = (id: string, changes: object = {}) =>
  readProvider({ id, preset: 'github', client_id: 'us', client_secret: SECRET, ...changes });
const providersOf = ({ unitOfWork, clock, randomness, envelopes, encryptedTables }: Replica) =>
  new IdentityProvidersRepository(unitOfWork, clock, randomness, envelopes, encryptedTables);

describe.each(databases)('the directory of providers on $name', (kind) => {
  let storage: Storage;
  let providers: IdentityProvidersRepository;
  let elsewhere: IdentityProvidersRepository;

  beforeAll(async () => {
    storage = await openStorage(kind);
    providers = providersOf(storage.first);
    elsewhere = providersOf(storage.second);
  });
  beforeEach(() => storage.database.query('DELETE FROM identity_providers'));
  afterAll(() => storage.close());

  it('keeps all that an entry says, its secrets as ciphertext', async () => {
    const provider = entry('corp', { private_key: PRIVATE_KEY, private_key_id: 'k', trust_verified_email: true });
    await providers.put(provider);
    const found = await elsewhere.find('corp');
    expect(found).toEqual({ ...provider, version: expect.any(String) as string });
    expect(found?.clientSecret?.reveal()).toBe(SECRET);
    expect(found?.privateKey?.reveal()).toBe(PRIVATE_KEY);
    const rows = JSON.stringify(await storage.database.query('SELECT * FROM identity_providers'));
    expect(rows).not.toContain(SECRET);
    expect(rows).not.toContain('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A');
  });

  it('shows a change on every replica at once, under another version', async () => {
    await providers.put(entry('corp'));
    const before = await elsewhere.find('corp');
    await providers.put(entry('corp', { scope: 'repo' }));
    const after = await elsewhere.find('corp');
    expect(after?.scope).toBe('repo');
    expect(after?.version).not.toBe(before?.version);
  });

  it('adds a provider once, however many try', async () => {
    const tries = Array.from({ length: 10 }, (_, i) =>
      (i % 2 === 0 ? providers : elsewhere).add(entry('corp', { name: `n${i}` })),
    );
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    expect(await providers.add(entry('corp'))).toBe(false);
  });

  it('finds a disabled one no more, until it is made anew', async () => {
    await providers.put(entry('corp'));
    expect(await elsewhere.disable('corp')).toBe(true);
    expect(await elsewhere.disable('corp')).toBe(false);
    expect(await providers.find('corp')).toBeUndefined();
    expect(await providers.list()).toEqual([]);
    expect(await providers.page({ limit: 10, offset: 0 })).toEqual({ providers: [], total: 0 });
    expect(await providers.add(entry('corp', { name: 'Anew' }))).toBe(true);
    expect((await providers.find('corp'))?.displayName).toBe('Anew');
  });

  it('replaces the version that was read, and no other', async () => {
    await providers.put(entry('corp'));
    const { version } = (await providers.find('corp'))!;
    const tries = Array.from({ length: 10 }, (_, i) =>
      (i % 2 === 0 ? providers : elsewhere).replace(version, entry('corp', { name: `n${i}` })),
    );
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    expect(await providers.replace(version, entry('corp', { name: 'late' }))).toBe(false);
    expect((await elsewhere.find('corp'))?.displayName).toMatch(/^n\d$/);
  });

  it('replaces none that was disabled meanwhile', async () => {
    await providers.put(entry('corp'));
    const { version } = (await providers.find('corp'))!;
    await elsewhere.disable('corp');
    expect(await providers.replace(version, entry('corp'))).toBe(false);
    expect(await providers.find('corp')).toBeUndefined();
  });

  it('tells the names without opening a secret', async () => {
    await providers.put(entry('b', { name: 'Beta' }));
    await providers.put(entry('a', { offline_access: false }));
    await providers.put(entry('c'));
    await providers.disable('c');
    await storage.database.query("UPDATE identity_providers SET client_secret = 'no ciphertext'");
    expect(await providers.names()).toEqual([
      { id: 'a', displayName: 'GitHub', offlineAccess: false },
      { id: 'b', displayName: 'Beta', offlineAccess: true },
    ]);
  });

  it('is paged in the order of the ids', async () => {
    for (const id of ['c', 'a', 'e', 'b', 'd']) await providers.put(entry(id));
    await providers.disable('c');
    const { providers: found, total } = await providers.page({ limit: 2, offset: 1 });
    expect(found.map(({ id }) => id)).toEqual(['b', 'd']);
    expect(total).toBe(4);
  });
});
