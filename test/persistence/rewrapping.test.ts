import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/common/secret.js';
import type { UnitOfWork } from '../../src/database/index.js';
import { DecryptionError, EncryptedTables } from '../../src/encryption/index.js';
import type { UpstreamCredentials } from '../../src/idp-offline-access/linked-account.js';
import { LinkedAccountsRepository } from '../../src/idp-offline-access/linked-accounts.repository.js';
import { OutboxMessages } from '../../src/outbox/outbox-messages.js';
import { databases, type Row } from '../support/databases.js';
import { encryptionKeys } from '../support/service.js';
import { openStorage, type Replica, type Storage } from './support/storage.js';

const [k1, k2] = [encryptionKeys('k1'), encryptionKeys('k2')];
const PROVIDER = 'corp';
const REFRESHED: UpstreamCredentials = {
  accessToken: new Secret('refreshed'),
  refreshToken: undefined,
  idToken: undefined,
  tokenType: 'Bearer',
  scope: undefined,
  expiresAt: 4,
  obtainedAt: 3,
};

type Parts = Pick<Replica, 'unitOfWork' | 'clock' | 'randomness' | 'envelopes' | 'encryptedTables' | 'expiredRows'>;
const accountsOf = ({ unitOfWork, clock, randomness, envelopes, encryptedTables }: Parts) =>
  new LinkedAccountsRepository(unitOfWork, clock, randomness, envelopes, encryptedTables);
const messagesOf = ({ unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows }: Parts) =>
  new OutboxMessages(unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows);
const partsOf = (
  { unitOfWork, clock, randomness, envelopes, expiredRows }: Replica,
  encryptedTables: EncryptedTables,
) => ({
  unitOfWork,
  clock,
  randomness,
  envelopes,
  encryptedTables,
  expiredRows,
});
const rewrap = ({ encryptedTables }: Replica, signal = new AbortController().signal) => encryptedTables.rewrap(signal);

const accountRead = async (replica: Replica, id: string) => {
  const accounts = accountsOf(replica);
  const account = await accounts.find(id);
  if (!account) throw new Error('the account is gone');
  return { accounts, account };
};
const accountAt = async (replica: Replica, id: string) => {
  const { accounts, account } = await accountRead(replica, id);
  return { accounts, account, tokens: await accounts.openTokens(account) };
};
const takeNews = async (messages: OutboxMessages) => {
  const [due] = await messages.due('news', 1);
  return due && messages.take(due, 'owner', 1);
};
const secretsAt = async (replica: Replica, id: string) => {
  const { tokens } = await accountAt(replica, id);
  return [tokens?.accessToken, tokens?.refreshToken, tokens?.idToken].map((secret) => secret?.reveal());
};

describe.each(databases)('wrapping data keys anew on $name', (kind) => {
  let storage: Storage;
  /** The process before, during and after the change of its keys. */
  let before: Replica;
  let during: Replica;
  let after: Replica;
  beforeAll(async () => {
    storage = await openStorage(kind, k1);
    before = storage.first;
    during = storage.second.configured({ keys: `${k2},${k1}` });
    after = storage.first.configured({ keys: k2 });
    for (const replica of [before, during, after]) {
      accountsOf(replica);
      messagesOf(replica);
    }
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    for (const table of ['linked_accounts', 'outbox_messages']) await storage.database.query(`DELETE FROM ${table}`);
  });

  async function link(subject: string, replica = before): Promise<string> {
    const accounts = accountsOf(replica);
    await accounts.insertOnce({ userId: subject, identityProvider: PROVIDER, subject });
    const { id = '' } = (await accounts.findBySubject(PROVIDER, subject)) ?? {};
    await accounts.storeLinked(
      id,
      { issuer: 'https://corp.example', upstreamClientId: 'us', claims: {} },
      {
        ...REFRESHED,
        accessToken: new Secret(`access ${subject}`),
        refreshToken: new Secret(`refresh ${subject}`),
        idToken: new Secret(`id ${subject}`),
      },
    );
    return id;
  }
  const row = async (id: string): Promise<Row> =>
    (await storage.database.query('SELECT * FROM linked_accounts WHERE id = ?', [id]))[0] ?? {};
  /** Has something done to a row between its being read and its being wrapped anew. */
  const meanwhile = (action: () => Promise<unknown>) => {
    let done: Promise<unknown> | undefined;
    const repository: UnitOfWork['repository'] = (target) => {
      const genuine = during.unitOfWork.repository(target);
      return Object.assign(Object.create(genuine) as typeof genuine, {
        update: async (...given: Parameters<typeof genuine.update>) => {
          await (done ??= action());
          return genuine.update(...given);
        },
      });
    };
    const tables = new EncryptedTables({ repository } as UnitOfWork, during.envelopes);
    accountsOf(partsOf(during, tables));
    messagesOf(partsOf(during, tables));
    return tables.rewrap(new AbortController().signal);
  };

  it('changes the wrapping and nothing else, so that the old key is needed no more', async () => {
    const alice = await link('alice');
    const ids = [alice, await link('bob')];
    await messagesOf(before).insert({ kind: 'news', payload: new Secret('the news') }, 1_000);
    const rows = await Promise.all(ids.map(row));
    expect(await after.encryptedTables.unusableKeys()).toEqual(['k1']);
    expect(await rewrap(during)).toEqual({ rewrapped: 3, unreadable: 0 });
    for (const [index, id] of ids.entries()) {
      const { data_key, encryption_key_id, ...rest } = rows[index] ?? {};
      expect(await row(id)).toMatchObject({ ...rest, encryption_key_id: 'k2' });
      expect((await row(id))['data_key']).not.toBe(data_key);
      expect(encryption_key_id).toBe('k1');
    }
    expect(await after.encryptedTables.unusableKeys()).toEqual([]);
    expect(await secretsAt(after, alice)).toEqual(['access alice', 'refresh alice', 'id alice']);
    expect((await takeNews(messagesOf(after)))?.payload?.reveal()).toBe('the news');
    expect(await rewrap(during)).toEqual({ rewrapped: 0, unreadable: 0 });
  });

  it('walks more rows than it reads at once', async () => {
    await Promise.all(Array.from({ length: 205 }, (_, count) => link(`user-${count}`)));
    expect(await rewrap(during)).toEqual({ rewrapped: 205, unreadable: 0 });
    expect(await during.encryptedTables.rowsByKey()).toEqual(new Map([['k2', { linked_accounts: 205 }]]));
  });

  it('leaves what was linked, unlinked or delivered meanwhile as it is', async () => {
    const alice = await link('alice');
    await meanwhile(() => link('alice', during));
    expect(await secretsAt(after, alice)).toEqual(['access alice', 'refresh alice', 'id alice']);

    const bob = await link('bob');
    await meanwhile(async () => {
      const { accounts, account } = await accountAt(before, bob);
      await accounts.unlink(account, { keepSubject: true });
    });
    expect(await row(bob)).toMatchObject({ data_key: null, encryption_key_id: null, refresh_token: null });

    const messages = messagesOf(before);
    await messages.insert({ kind: 'news', payload: new Secret('the news') }, 1_000);
    await meanwhile(async () => {
      const taken = await takeNews(messages);
      await messages.end(taken?.id ?? '', 'owner', 'delivered', { keep: false });
    });
    const [ended] = await storage.database.query('SELECT data_key, encryption_key_id, payload FROM outbox_messages');
    expect(ended).toEqual({ data_key: null, encryption_key_id: null, payload: null });
  });

  it('does not disturb a refresh under way, nor one whose process does not know the new key', async () => {
    const id = await link('alice');
    const { accounts, account, tokens } = await accountAt(before, id);
    expect(await accounts.acquireLease(account, 'owner', 30_000)).toBe(true);
    expect(await accounts.recordIntent(id, 'owner', 30_000)).toBe(true);
    await rewrap(during);
    await expect(accounts.openTokens(account)).rejects.toThrow(DecryptionError);
    const stored = await accounts.storeRefreshed(account, REFRESHED, {
      verified: true,
      ...(tokens && { kept: tokens }),
    });
    expect(stored).toBe(true);
    expect(await secretsAt(before, id)).toEqual(['refreshed', 'refresh alice', 'id alice']);
  });

  it('keeps the successor that a refresh rescues, sealed with the same data key', async () => {
    const id = await link('alice');
    const { accounts, account } = await accountAt(during, id);
    await meanwhile(() =>
      accounts.replaceRefreshToken(account, new Secret('refresh alice'), {
        ...REFRESHED,
        refreshToken: new Secret('the successor'),
      }),
    );
    expect(await secretsAt(after, id)).toEqual(['access alice', 'the successor', 'id alice']);
  });

  it('reports rows that it cannot open, leaves them and goes on', async () => {
    const [tampered, unknown, sound] = [await link('alice'), await link('bob'), await link('carol')];
    const { data_key: foreign } = await row(sound);
    const damage = 'UPDATE linked_accounts SET data_key = ?, encryption_key_id = ? WHERE id = ?';
    await storage.database.query(damage, [foreign, 'k1', tampered]);
    await storage.database.query(damage, [foreign, 'k0', unknown]);
    const rows = [await row(tampered), await row(unknown)];
    expect(await rewrap(during)).toEqual({ rewrapped: 1, unreadable: 2 });
    expect([await row(tampered), await row(unknown)]).toEqual(rows);
    expect(await secretsAt(after, sound)).toEqual(['access carol', 'refresh carol', 'id carol']);
    await expect(secretsAt(during, tampered)).rejects.toMatchObject({ code: 'server.error' });
    await expect(secretsAt(during, unknown)).rejects.toMatchObject({ code: 'server.unavailable' });
  });

  it('does not take a row that was tampered with for a wrong value of its key', async () => {
    const [tampered] = [await link('alice'), await link('bob')];
    await storage.database.query("UPDATE linked_accounts SET data_key = 'AAAA' WHERE id = ?", [tampered]);
    expect(await before.encryptedTables.unusableKeys()).toEqual([]);
    const wrong = before.configured({ keys: encryptionKeys('k1') });
    accountsOf(wrong);
    expect(await wrong.encryptedTables.unusableKeys()).toEqual(['k1']);
  });

  it('lets a damaged row that is left under an old key stop no start, nor its account be kept for ever', async () => {
    const damaged = await link('alice');
    for (const subject of ['bob', 'carol', 'dave']) await link(subject);
    await storage.database.query("UPDATE linked_accounts SET data_key = 'AAAA' WHERE id = ?", [damaged]);
    expect(await rewrap(during)).toEqual({ rewrapped: 3, unreadable: 1 });
    expect(await during.encryptedTables.unusableKeys()).toEqual([]);
    expect(await after.encryptedTables.unusableKeys()).toEqual(['k1']);
    await link('alice', during);
    expect(await secretsAt(during, damaged)).toEqual(['access alice', 'refresh alice', 'id alice']);
    await storage.database.query("UPDATE linked_accounts SET data_key = 'AAAA' WHERE id = ?", [damaged]);
    const { accounts, account } = await accountRead(during, damaged);
    expect(await accounts.openForgotten(account)).toEqual({});
    expect(await accounts.unlink(account, { keepSubject: false })).toBe(true);
    expect(await row(damaged)).toMatchObject({ data_key: null, refresh_token: null });
  });

  it('ends where it is when it is told to, and goes on from there', async () => {
    for (const subject of ['alice', 'bob', 'carol']) await link(subject);
    const stopping = new AbortController();
    const { envelopes } = during;
    const genuine = envelopes.rewrap.bind(envelopes);
    envelopes.rewrap = (...given) => {
      stopping.abort();
      return genuine(...given);
    };
    expect(await rewrap(during, stopping.signal)).toEqual({ rewrapped: 1, unreadable: 0 });
    envelopes.rewrap = genuine;
    expect(await rewrap(during)).toEqual({ rewrapped: 2, unreadable: 0 });
  });

  it('two replicas at once wrap every row once', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, count) => link(`user-${count}`)));
    const other = storage.first.configured({ keys: `${k2},${k1}` });
    accountsOf(other);
    const done = await Promise.all([rewrap(during), rewrap(other)]);
    expect(done.map(({ rewrapped }) => rewrapped).reduce((sum, one) => sum + one, 0)).toBe(40);
    expect(await secretsAt(after, (await accountsOf(after).findBySubject(PROVIDER, 'user-7'))!.id)).toEqual([
      'access user-7',
      'refresh user-7',
      'id user-7',
    ]);
  });
});
