import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuditRetention } from '../../src/audit/audit-retention.js';
import { Secret } from '../../src/common/secret.js';
import { Configuration, parseIdentityProvider } from '../../src/config/index.js';
import { parseDeclarations } from '../../src/config/config-file.js';
import { toProvider } from '../../src/identity-providers/index.js';
import type { LinkedAccount } from '../../src/idp-offline-access/linked-account.js';
import { Retention } from '../../src/idp-offline-access/retention.js';
import { Jobs } from '../../src/jobs/index.js';
import { databases, type Row } from '../support/databases.js';
import { openStorage, type Storage } from './support/storage.js';
import { roomOf } from './support/vault-room.js';

const PROVIDER = 'corp';
const ISSUER = 'https://corp.example';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const IDLE_MS = 10 * DAY_MS;
const ABSOLUTE_MS = 100 * DAY_MS;
const never = new AbortController().signal;

describe.each(databases)('retention on $name', (kind) => {
  let storage: Storage;
  let room: ReturnType<typeof roomOf>;
  let retention: Retention;
  let jobs: Jobs;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    storage = await openStorage(kind);
    room = roomOf(storage.first);
    await room.outbox.beforeApplicationShutdown();
    const { unitOfWork, clock, randomness } = storage.first;
    jobs = new Jobs(unitOfWork, clock, randomness);
    const { accounts, providers, users, revocation, journal } = room;
    retention = new Retention(accounts, providers, users, revocation, journal, unitOfWork, clock, jobs);
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    for (const table of ['linked_accounts', 'outbox_messages', 'audit_events']) {
      await storage.database.query(`DELETE FROM ${table}`);
    }
    await declare({ idle: IDLE_MS / 1000, absolute: ABSOLUTE_MS / 1000 });
  });

  const declare = (limits?: object, changes: object = {}): Promise<void> =>
    room.providers.put(
      toProvider(
        parseIdentityProvider({
          id: PROVIDER,
          issuer: ISSUER,
          client_id: 'us',
          client_secret: 'secret',
          offline_access: true,
          ...(limits && { retention: limits }),
          ...changes,
        }),
      ),
    );
  const link = async (subject: string, userId = `user ${subject}`): Promise<LinkedAccount> => {
    await room.linkedAccounts.link({
      userId,
      identityProvider: PROVIDER,
      issuer: ISSUER,
      subject,
      upstreamClientId: 'us',
      claims: { name: 'Alice' },
      requestedScope: 'openid',
      connectedInSession: 'session',
      tokens: {
        accessToken: new Secret(`access ${subject}`),
        refreshToken: new Secret(`refresh ${subject}`),
        idToken: undefined,
        tokenType: 'Bearer',
        expiresInSeconds: 60,
        scope: undefined,
        receivedAt: storage.clock.now(),
      },
    });
    return found(subject);
  };
  const found = async (subject: string): Promise<LinkedAccount> => {
    const account = await room.accounts.findBySubject(PROVIDER, subject);
    if (!account) throw new Error(`${subject} is gone`);
    return account;
  };
  const statusOf = async (subject: string) => {
    const { status, reason } = await found(subject);
    return reason ?? status;
  };
  const expired = async (): Promise<Row[]> =>
    storage.database.query(
      `SELECT user_id, outcome, reason FROM audit_events WHERE event = 'identity.expired' ORDER BY at, user_id`,
    );
  const revocations = async (): Promise<unknown[]> =>
    (await storage.database.query('SELECT subject_id FROM outbox_messages')).map((row) => row['subject_id']);

  const record = () => room.audit.record({ event: 'user.signed-in', outcome: 'success', userId: 'ada' });
  const count = async () => (await room.audit.list({}, { limit: 1, offset: 0 })).total;
  const retain = (days?: number) => {
    const { environment } = storage.first.configuration;
    const configuration = new Configuration({ ...environment, AUDIT_RETENTION_DAYS: days }, parseDeclarations({}));
    const names: string[] = [];
    const registry = { register: (name: string) => names.push(name) } as unknown as Jobs;
    return { names, retention: new AuditRetention(room.audit, storage.clock, configuration, registry) };
  };

  it('promise 18: forgets all that the provider gave, gives it back, says so, and keeps the link', async () => {
    const account = await link('a');
    storage.clock.advance(ABSOLUTE_MS);
    await retention.run(never);
    const [row] = await storage.database.query('SELECT * FROM linked_accounts');
    expect(row).toMatchObject({
      status: 'reauthentication-required',
      reason: 'expired',
      claims: '{}',
      access_token: null,
      refresh_token: null,
      id_token: null,
      data_key: null,
      encryption_key_id: null,
      scope: null,
      expires_at: null,
      linked_at: null,
      linked_session_id: null,
      unlinked_at: null,
    });
    expect((await found('a')).generation).toBe(account.generation + 1);
    expect(await revocations()).toEqual([account.id]);
    expect(await expired()).toEqual([{ user_id: 'user a', outcome: 'success', reason: 'absolute' }]);
    await retention.run(never);
    expect(await expired()).toHaveLength(1);
  });

  it('promise 18: the absolute limit counts from when its user gave the tokens, not from a refresh or a read', async () => {
    await link('a');
    storage.clock.advance(ABSOLUTE_MS - 1);
    await room.accounts.noteRead(await found('a'));
    const credentials = { accessToken: new Secret('2'), refreshToken: undefined, idToken: undefined };
    await room.accounts.storeRefreshed(
      await found('a'),
      { ...credentials, tokenType: 'Bearer', scope: undefined, expiresAt: undefined, obtainedAt: storage.clock.now() },
      { verified: true },
    );
    await retention.run(never);
    expect(await statusOf('a')).toBe('active');
    expect((await room.linkedAccounts.ofUser('user a'))[0]).toMatchObject({ status: 'active' });
    storage.clock.advance(1);
    // Whoever looks before the job does sees it already.
    expect((await room.linkedAccounts.ofUser('user a'))[0]).toMatchObject({
      status: 'reauthentication-required',
      reason: 'expired',
    });
    await retention.run(never);
    expect(await statusOf('a')).toBe('expired');
  });

  it('promise 18: the idle limit counts from the last read, which is noted to the hour', async () => {
    await link('read');
    await link('unread');
    storage.clock.advance(IDLE_MS);
    await room.accounts.noteRead(await found('read'));
    const noted = storage.clock.now();
    expect((await found('read')).readAt).toBe(noted);
    storage.clock.advance(HOUR_MS - 1);
    await room.accounts.noteRead(await found('read'));
    expect((await found('read')).readAt).toBe(noted);
    await retention.run(never);
    expect([await statusOf('read'), await statusOf('unread')]).toEqual(['active', 'expired']);
    expect(await expired()).toEqual([{ user_id: 'user unread', outcome: 'success', reason: 'idle' }]);
    // Read up to an hour after what was noted, it is not forgotten too early.
    storage.clock.advance(IDLE_MS);
    await retention.run(never);
    expect(await statusOf('read')).toBe('active');
    storage.clock.advance(1);
    await retention.run(never);
    expect(await statusOf('read')).toBe('expired');
  });

  it('promise 18: forgets nothing where nothing is said, or less', async () => {
    await link('a');
    storage.clock.advance(10 * ABSOLUTE_MS);
    await declare();
    await retention.run(never);
    await declare({ idle: (11 * ABSOLUTE_MS) / 1000 });
    await retention.run(never);
    expect(await statusOf('a')).toBe('active');
    await declare({ idle: IDLE_MS / 1000 });
    await retention.run(never);
    expect(await statusOf('a')).toBe('expired');
  });

  it('promise 18: an account that is read, refreshed, linked again or unlinked as it is forgotten is not', async () => {
    const accounts = await Promise.all(['read', 'linked', 'unlinked', 'forgotten'].map((subject) => link(subject)));
    await room.accounts.noteRead(await found('read'));
    await link('linked');
    await room.linkedAccounts.unlinkAll('user unlinked');
    const taken = await Promise.all(accounts.map((account) => room.accounts.expire(account)));
    expect(taken).toEqual([false, false, false, true]);
  });

  it('promise 18: forgets what an account that needs its user holds still', async () => {
    await room.accounts.requireReauthentication(await link('a'), 'invalid_grant');
    await room.linkedAccounts.unlinkAll((await link('sign-in-only')).userId);
    storage.clock.advance(ABSOLUTE_MS);
    await retention.run(never);
    expect(await statusOf('a')).toBe('expired');
    expect(await expired()).toHaveLength(1);
  });

  it('promise 18: linking again starts anew, without a refresh token of before', async () => {
    await link('a');
    await room.accounts.noteRead(await found('a'));
    storage.clock.advance(ABSOLUTE_MS);
    await retention.run(never);
    const { id } = await found('a');
    const identity = { issuer: ISSUER, upstreamClientId: 'us', claims: {} };
    await room.accounts.storeLinked(id, identity, {
      accessToken: new Secret('anew'),
      refreshToken: undefined,
      idToken: undefined,
      tokenType: 'Bearer',
      scope: ['openid'],
      expiresAt: undefined,
      obtainedAt: storage.clock.now(),
    });
    const again = await found('a');
    expect(again).toMatchObject({ id, status: 'active', reason: undefined, authorizedAt: storage.clock.now() });
    const tokens = await room.accounts.openTokens(again);
    expect([tokens?.accessToken?.reveal(), tokens?.refreshToken]).toEqual(['anew', undefined]);
    await retention.run(never);
    expect(await statusOf('a')).toBe('active');
  });

  it('goes through more accounts than it takes at a time, and stops where it is told to', async () => {
    await link('a');
    await link('b');
    storage.clock.advance(ABSOLUTE_MS);
    await retention.run(AbortSignal.abort());
    expect(await expired()).toEqual([]);
    const limits = { authorizedBefore: storage.clock.now(), usedBefore: -1, limit: 1 };
    const [first] = await room.accounts.authorizedOrUsedBefore(PROVIDER, limits);
    const [second, none] = await room.accounts.authorizedOrUsedBefore(PROVIDER, { ...limits, after: first });
    expect([first?.subject, second?.subject].toSorted()).toEqual(['a', 'b']);
    expect(none).toBeUndefined();
    expect(await room.accounts.authorizedOrUsedBefore(PROVIDER, { ...limits, after: second })).toEqual([]);
  });

  it('removes unlinked accounts of users who are gone after 30 days, and those of others never', async () => {
    const { id: userId } = await room.users.create({ username: 'ada' });
    await link('hers', userId);
    await link('theirs', 'nobody any more');
    await link('linked', 'nobody, but linked');
    await room.linkedAccounts.unlinkAll(userId);
    await room.linkedAccounts.unlinkAll('nobody any more');
    await declare();
    const left = async () =>
      (await storage.database.query('SELECT subject FROM linked_accounts ORDER BY subject')).map(
        ({ subject }) => subject,
      );
    storage.clock.advance(30 * DAY_MS - 1);
    await retention.run(never);
    expect(await left()).toEqual(['hers', 'linked', 'theirs']);
    storage.clock.advance(1);
    await retention.run(never);
    expect(await left()).toEqual(['hers', 'linked']);
  });

  describe('audit records', () => {
    it('are kept for as long as is said, and removed a batch at a time', async () => {
      for (let index = 0; index < 3; index += 1) await record();
      storage.clock.advance(1);
      await record();
      storage.clock.advance(7 * DAY_MS);
      await retain().retention.run(8, never);
      expect(await count()).toBe(4);
      await retain().retention.run(7, AbortSignal.abort());
      expect(await count()).toBe(4);
      expect(await room.audit.removeBefore(storage.clock.now() - 7 * DAY_MS, 2)).toBe(2);
      expect(await count()).toBe(2);
      await retain().retention.run(7, never);
      expect(await count()).toBe(1);
    });

    it('are kept for ever where nothing is said', () => {
      expect(retain().names).toEqual([]);
      expect(retain(30).names).toEqual(['audit-retention']);
    });
  });
});
