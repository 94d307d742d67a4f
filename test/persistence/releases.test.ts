import { readdirSync, readFileSync } from 'node:fs';
import { sign, verify } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import Libsql from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matches } from '../../src/clients/client-secrets.js';
import { ClientsRepository } from '../../src/clients/clients.repository.js';
import { DeclaredClients } from '../../src/clients/declared-clients.js';
import { digest } from '../../src/common/random.js';
import { Secret } from '../../src/common/secret.js';
import { AppliedDeclarations } from '../../src/config/index.js';
import { IdentityProvidersRepository } from '../../src/identity-providers/identity-providers.repository.js';
import { LinkedAccountsRepository } from '../../src/idp-offline-access/linked-accounts.repository.js';
import { GrantsRepository } from '../../src/tokens/grants/grants.repository.js';
import { verifyPassword } from '../../src/users/passwords.js';
import { UsersRepository } from '../../src/users/index.js';
import { databases, type DatabaseUnderTest } from '../support/databases.js';
import { withPostgres } from '../support/postgres.js';
import {
  ACCOUNT,
  API_KEY_NAME,
  CLIENT_SECRET,
  CONFIG,
  ENCRYPTION_KEYS,
  KEEPER,
  LEGACY,
  LEGACY_ACCOUNT,
  LEGACY_TOKEN,
  PASSWORD,
  PROVIDER_SECRET,
  SIGNER,
  TOKENS,
  USER_TOKEN_NAME,
  WEBHOOK_SECRET,
  WEBHOOK_URL,
} from './releases/fixture.mjs';
import { signingRoomOf } from './support/signing-room.js';
import { clientSecretsOf } from './support/clients.js';
import { openStorage, type Replica, type Storage } from './support/storage.js';
import { roomOf } from './support/vault-room.js';
import { webhooksOf } from './support/webhooks-room.js';

const DIRECTORY = fileURLToPath(new URL('releases/', import.meta.url));

const releases = readdirSync(DIRECTORY).flatMap((file) => {
  const [, version, database] = /^(\d+\.\d+\.\d+)\.(\w+)\.sql$/.exec(file) ?? [];
  const kind = databases.find(({ name }) => name === database);
  return version !== undefined && kind ? [{ version, kind, name: kind.name, file }] : [];
});

it('has a dump of every release for each database', () => {
  const of = (name: string) => releases.filter((release) => release.name === name).map(({ version }) => version);
  for (const { name } of databases) expect([name, of(name)]).toEqual([name, of(databases[0]?.name ?? '')]);
  expect(releases).not.toEqual([]);
});

describe.each(releases)('a database of release $version on $name', ({ version, kind, name, file }) => {
  let storage: Storage;
  let service: Replica;
  beforeAll(async () => {
    storage = await openStorage(kind, ENCRYPTION_KEYS, load);
    service = storage.first;
  });
  afterAll(() => storage.close());

  const load = async ({ url }: DatabaseUnderTest): Promise<void> => {
    const sql = readFileSync(DIRECTORY + file, 'utf8');
    if (name === 'postgres') return withPostgres(url, async (client) => void (await client.query(sql)));
    const database = new Libsql(url.slice('sqlite:'.length));
    database.exec(sql);
    database.close();
  };
  /** The arguments that most repositories begin with. */
  const basics = () => [service.unitOfWork, service.clock, service.randomness] as const;
  const encryption = () => [service.envelopes, service.encryptedTables] as const;
  const alice = async () => {
    const user = await new UsersRepository(...basics()).findByUsername('alice');
    if (!user) throw new Error('alice is gone');
    return user;
  };

  it('is brought to the schema of today', async () => {
    expect(await service.dataSource.showMigrations()).toBe(false);
    expect((await service.dataSource.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
  });

  it('keeps the tokens of a linked account', async () => {
    const accounts = new LinkedAccountsRepository(...basics(), ...encryption());
    const account = await accounts.findOfUser((await alice()).id, ACCOUNT.identityProvider);
    expect(account).toMatchObject({
      ...ACCOUNT,
      status: 'active',
      generation: 1,
      scope: ['openid', 'email', 'offline_access'],
    });
    const tokens = account && (await accounts.openTokens(account));
    expect(tokens?.accessToken?.reveal()).toBe(TOKENS.access);
    expect(tokens?.refreshToken?.reveal()).toBe(TOKENS.refresh);
    expect(account && (await accounts.acquireLease(account, 'owner', 1))).toBe(true);
  });

  it('keeps users and their passwords, clients and providers and their secrets', async () => {
    const user = await alice();
    expect(user).toMatchObject({ fullName: 'Alice', email: 'alice@corp.example', blocked: false });
    expect(await verifyPassword(new Secret(PASSWORD), user.passwordHash)).toBe(true);
    const clients = new ClientsRepository(...basics());
    expect(await clients.find('app')).toMatchObject({
      clientName: 'An application',
      redirectUris: ['https://app.example/callback'],
      scope: ['openid', 'email', 'federated-identity:token'],
      upstreamProviders: ['corp'],
      upstreamRefreshToken: true,
      enabled: true,
    });
    const app = await clients.find('app');
    const [stored] = app ? await clients.secrets(app) : [];
    expect(stored && (await matches(new Secret(CLIENT_SECRET), stored.verifier))).toBe(true);
    const provider = await new IdentityProvidersRepository(...basics(), ...encryption()).find('corp');
    expect(provider).toMatchObject({ displayName: 'Corp', offlineAccess: true, signUp: ['corp.example'] });
    expect(provider?.clientSecret?.reveal()).toBe(PROVIDER_SECRET);
  });

  it('keeps what was granted', async () => {
    const [row] = await storage.database.query(`SELECT id FROM grants WHERE client_id = 'app'`);
    expect(await new GrantsRepository(...basics()).find(String(row?.['id']))).toMatchObject({
      userId: (await alice()).id,
      clientId: 'app',
      scope: ['openid', 'email'],
      claims: { name: 'Alice' },
      revoked: false,
    });
  });

  it('goes on signing with its keys, and publishes those that will', async () => {
    const { keys, rotation } = signingRoomOf(service);
    const before = await keys.publicJwks();
    await rotation.onModuleInit();
    const after = await keys.publicJwks();
    expect(after.slice(0, before.length)).toEqual(before);
    expect((await rotation.list()).map(({ algorithm, status }) => `${status} ${algorithm}`).toSorted()).toEqual([
      'current ES256',
      'current RS256',
      'next ES256',
      'next RS256',
    ]);
    for (const algorithm of ['ES256', 'RS256'] as const) {
      const { privateKey, kid } = await keys.current(algorithm);
      expect(before.map((jwk) => jwk.kid)).toContain(kid);
      const publicKey = await keys.verificationKey(kid, algorithm);
      const data = Buffer.from('a token');
      expect(publicKey && verify('sha256', data, publicKey, sign('sha256', data, privateKey))).toBe(true);
    }
  });

  describe.runIf(version !== '0.1.0')('since providers of every kind', () => {
    it('keeps an OAuth 2 provider, and a token of it that never expires', async () => {
      const provider = await new IdentityProvidersRepository(...basics(), ...encryption()).find(LEGACY.id);
      expect(provider).toMatchObject({
        type: 'oauth2',
        issuer: LEGACY_ACCOUNT.issuer,
        endpoints: LEGACY.endpoints,
        claims: LEGACY.claims,
        accessTokenLifetime: 'none',
      });
      expect(provider?.clientSecret?.reveal()).toBe(LEGACY.client_secret);
      const accounts = new LinkedAccountsRepository(...basics(), ...encryption());
      const account = await accounts.findOfUser((await alice()).id, LEGACY.id);
      expect(account).toMatchObject({ ...LEGACY_ACCOUNT, status: 'active', expiresAt: undefined });
      expect(account && (await accounts.openTokens(account))?.accessToken?.reveal()).toBe(LEGACY_TOKEN);
    });

    it('keeps what a provider has still to be told', async () => {
      const { linkedAccounts, outbox } = roomOf(service);
      await outbox.beforeApplicationShutdown();
      expect(await linkedAccounts.revocationsOf('bob')).toMatchObject([
        { identityProvider: LEGACY.id, subject: 'bob', state: 'pending' },
      ]);
    });

    it('keeps the tokens that users made', async () => {
      expect(await storage.database.query('SELECT name, user_id, metadata FROM user_tokens')).toEqual([
        { name: USER_TOKEN_NAME, user_id: (await alice()).id, metadata: JSON.stringify({ for: 'nights' }) },
      ]);
    });
  });

  describe.runIf(!['0.1.0', '0.2.0'].includes(version))('since webhooks', () => {
    it('keeps them and their secrets', async () => {
      const { repository } = webhooksOf(service);
      const [webhook] = (await repository.page({ limit: 1, offset: 0 })).items;
      expect(webhook).toMatchObject({ url: WEBHOOK_URL, events: ['identity.linked'] });
      const receiver = await repository.receiver(webhook?.id ?? '');
      expect(receiver?.disabled).toBe(true);
      expect(receiver?.secrets.map((secret) => secret.reveal())).toEqual([WEBHOOK_SECRET]);
    });
  });

  describe.runIf(!['0.1.0', '0.2.0', '0.3.0'].includes(version))('since the token engine', () => {
    it('keeps clients with keys and lifetimes of their own, and the secret that one signs with', async () => {
      const clients = new ClientsRepository(...basics());
      expect(await clients.find(KEEPER.client_id)).toMatchObject({
        accessTokenFormat: 'opaque',
        accessTokenLifetime: KEEPER.access_token_lifetime,
      });
      const signer = await clients.find(SIGNER.client_id);
      expect(signer).toMatchObject({
        tokenEndpointAuthMethod: SIGNER.token_endpoint_auth_method,
        metadata: { contacts: SIGNER.contacts },
      });
      const [secret] = signer ? await clients.secrets(signer) : [];
      expect(secret && clientSecretsOf(service).open(secret)?.reveal()).toBe(SIGNER.client_secret);
    });

    it('keeps a family of refresh tokens, the answer that may have been lost, and opaque access tokens', async () => {
      const rows = await storage.database.query('SELECT * FROM refresh_tokens ORDER BY consumed_at');
      const spent = rows.find((row) => row['answer'] !== null);
      const wrapped = { dataKey: String(spent?.['data_key']), encryptionKeyId: String(spent?.['encryption_key_id']) };
      const envelope = service.envelopes.open({ table: 'refresh_tokens', id: String(spent?.['digest']) }, wrapped);
      const answer = JSON.parse(envelope.unseal('answer', String(spent?.['answer'])).reveal()) as Record<
        string,
        string
      >;
      expect(rows.map((row) => row['digest'])).toContain(digest(answer['refreshToken'] ?? ''));
      const opaque = await storage.database.query('SELECT digest, claims FROM access_tokens');
      expect(opaque).toContainEqual({
        digest: digest(answer['accessToken'] ?? ''),
        claims: expect.stringContaining((await alice()).id),
      });
    });

    it('keeps further keys to the admin API', async () => {
      expect(await storage.database.query('SELECT name, scope FROM api_keys')).toEqual([
        { name: API_KEY_NAME, scope: 'admin' },
      ]);
    });
  });

  it('is not changed by an upgrade: with the same CONFIG_FILE a client that was disabled stays so', async () => {
    const clients = new ClientsRepository(...basics());
    await clients.disable('app');
    const { unitOfWork, clock, configuration } = service.configured({ declared: CONFIG });
    const applied = new AppliedDeclarations(unitOfWork, clock, configuration);
    await new DeclaredClients(
      configuration,
      applied,
      clients,
      clientSecretsOf(service),
      new UsersRepository(...basics()),
    ).onModuleInit();
    expect(await clients.find('app')).toMatchObject({ enabled: false });
  });

  it('can be read with the keys it was written with', async () => {
    expect(await service.encryptedTables.unusableKeys()).toEqual([]);
  });
});
