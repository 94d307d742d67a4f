import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../src/clients/client.js';
import { ClientsRepository } from '../../src/clients/clients.repository.js';
import { makeVerifier } from '../../src/clients/client-secrets.js';
import { DeclaredClients } from '../../src/clients/declared-clients.js';
import { Secret } from '../../src/common/secret.js';
import { AppliedDeclarations } from '../../src/config/index.js';
import { UsersRepository } from '../../src/users/index.js';
import { databases } from '../support/databases.js';
import { encryptionKeys } from '../support/service.js';
import { clientSecretsOf } from './support/clients.js';
import { openStorage, type Replica, type Storage } from './support/storage.js';

const [k1, k2] = [encryptionKeys('k1'), encryptionKeys('k2')];
const secretOf = (letter: string) => letter.repeat(43);
const app = {
  client_id: 'app',
  client_secret: secretOf('a'),
  redirect_uris: ['https://app.example/callback'],
  scope: 'openid',
};
const other = { ...app, client_id: 'other', client_secret: secretOf('b') };

const clientsOf = ({ unitOfWork, clock, randomness }: Replica) => new ClientsRepository(unitOfWork, clock, randomness);
const appliedBy = ({ unitOfWork, clock, configuration }: Replica) =>
  new AppliedDeclarations(unitOfWork, clock, configuration);

describe.each(databases)('the declarations of CONFIG_FILE on $name', (kind) => {
  let storage: Storage;
  let clients: ClientsRepository;
  beforeEach(async () => {
    storage = await openStorage(kind, k1);
    clients = clientsOf(storage.first);
  });
  afterEach(() => storage.close());

  /** A start of the service with that file. */
  const start = async (declared: object[], { replica = storage.first, keys = k1 } = {}): Promise<void> => {
    const started = replica.configured({ keys, declared: { clients: declared } });
    const { unitOfWork, clock, randomness, configuration } = started;
    const users = new UsersRepository(unitOfWork, clock, randomness);
    await new DeclaredClients(
      configuration,
      appliedBy(started),
      clientsOf(started),
      clientSecretsOf(started),
      users,
    ).onModuleInit();
  };
  const find = async (id = 'app'): Promise<Client | undefined> => clients.find(id);
  const rotateSecret = async () => {
    const verifier = await makeVerifier(new Secret(secretOf('r')));
    await storage.database.query('UPDATE client_secrets SET verifier = ? WHERE client_id = ?', [verifier, 'app']);
    return verifier;
  };
  const verifiers = async () => (await clients.secrets((await find())!)).map(({ verifier }) => verifier);

  it('are applied when they are new and when they change', async () => {
    await start([app]);
    expect(await find()).toMatchObject({ enabled: true, scope: ['openid'] });
    await start([{ ...app, scope: 'openid email' }, other]);
    expect(await find()).toMatchObject({ enabled: true, scope: ['openid', 'email'] });
    expect(await find('other')).toMatchObject({ enabled: true });
  });

  it('are not applied again by a restart: a disabled client stays so, a rotated secret stays', async () => {
    await start([app]);
    await clients.disable('app');
    const verifier = await rotateSecret();
    await start([app]);
    await start([app, other]);
    expect(await find()).toMatchObject({ enabled: false });
    expect(await verifiers()).toEqual([verifier]);
  });

  it('are applied again when only a secret changes', async () => {
    await start([app]);
    await start([{ ...app, client_secret: secretOf('n') }]);
    expect(await verifiers()).toEqual([await makeVerifier(new Secret(secretOf('n')))]);
  });

  it('that are removed are disabled, not deleted, and enabled when they come back, unchanged or not', async () => {
    await start([app, other]);
    await start([other]);
    expect(await find()).toMatchObject({ enabled: false, scope: ['openid'] });
    expect(await find('other')).toMatchObject({ enabled: true });
    await start([app, other]);
    expect(await find()).toMatchObject({ enabled: true });
    await start([]);
    await start([{ ...app, scope: 'openid email' }]);
    expect(await find()).toMatchObject({ enabled: true, scope: ['openid', 'email'] });
    expect(await find('other')).toMatchObject({ enabled: false });
  });

  it('that are removed lose what only the file gives: enabling one later makes no administrator', async () => {
    const administrator = { ...app, scope: 'admin openid' };
    await start([administrator]);
    await start([]);
    await clients.enable('app');
    expect(await find()).toMatchObject({ enabled: true, scope: ['openid'] });
    await start([administrator]);
    expect(await find()).toMatchObject({ enabled: true, scope: ['admin', 'openid'] });
  });

  it('that were removed are disabled once: who is enabled by hand afterwards stays so', async () => {
    await start([app]);
    await start([]);
    await storage.database.query('UPDATE clients SET disabled_at = NULL');
    await start([]);
    expect(await find()).toMatchObject({ enabled: true });
  });

  it('are applied by one of the replicas that start at once', async () => {
    const applied: string[] = [];
    const disabled: string[] = [];
    const apply = (replica: Replica, names: string[]) =>
      appliedBy(replica).apply(
        names.map((name) => ({ name })),
        {
          kind: 'test',
          name: ({ name }) => name,
          apply: async ({ name }) => void applied.push(name),
          disable: async (name) => void disabled.push(name),
        },
      );
    const replicas = [storage.first, storage.second, storage.first, storage.second];
    await Promise.all(replicas.map((replica) => apply(replica, ['one', 'two'])));
    expect(applied.toSorted()).toEqual(['one', 'two']);
    await Promise.all(replicas.map((replica) => apply(replica, ['two'])));
    expect(disabled).toEqual(['one']);
    await Promise.all(replicas.map((replica) => apply(replica, ['one', 'two'])));
    expect(applied.toSorted()).toEqual(['one', 'one', 'two']);
  });

  it('are tried again at the next start when applying them failed', async () => {
    const apply = (failing: boolean) =>
      appliedBy(storage.first).apply([{ name: 'one' }], {
        kind: 'test',
        name: ({ name }) => name,
        apply: async () => {
          await storage.first.unitOfWork.insertOnce(...row);
          if (failing) throw new Error('the declaration is refused');
        },
        disable: () => Promise.resolve(),
      });
    const { ConsentEntity } = await import('../../src/authorization/authorization.entities.js');
    const row = [ConsentEntity, { userId: 'u', clientId: 'c', scope: '', grantedAt: 0 }] as const;
    await expect(apply(true)).rejects.toThrow('the declaration is refused');
    expect(await storage.database.query('SELECT * FROM consents')).toEqual([]);
    await apply(false);
    expect(await storage.database.query('SELECT * FROM consents')).toHaveLength(1);
  });

  it('are not applied again because the encryption keys are rotated', async () => {
    await start([app]);
    await clients.disable('app');
    for (const keys of [`${k2},${k1}`, k2, `${k1},${k2}`]) {
      await start([app], { keys });
      expect(await find()).toMatchObject({ enabled: false });
    }
  });

  it('leave no digest on which a password could be guessed without the key', async () => {
    const digests = async (): Promise<string> => {
      const rows = await storage.database.query('SELECT digest FROM applied_declarations');
      return rows.map((row) => String(row['digest'])).join(' ');
    };
    await start([app]);
    const [declaration] = storage.first.configured({ declared: { clients: [app] } }).configuration.declared.clients;
    const text = JSON.stringify({ ...declaration, client_secret: app.client_secret });
    const under = await digests();
    for (const encoding of ['base64url', 'base64', 'hex'] as const) {
      expect(under).not.toContain(createHash('sha256').update(text).digest(encoding));
      expect(under).not.toContain(createHmac('sha256', '').update(text).digest(encoding));
    }
    await start([app], { keys: encryptionKeys('k1') });
    expect(await digests()).not.toBe(under);
    await start([app]);
    expect(await digests()).toBe(under);
  });
});
