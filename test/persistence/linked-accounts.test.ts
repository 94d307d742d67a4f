import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/common/secret.js';
import type { LinkedAccount, UpstreamCredentials } from '../../src/idp-offline-access/linked-account.js';
import { LinkedAccountsRepository } from '../../src/idp-offline-access/linked-accounts.repository.js';
import { databases } from '../support/databases.js';
import { fiftyTimes, openStorage, type Replica, type Storage } from './support/storage.js';

const LEASE_MS = 30_000;
const PAUSE_MS = 60_000;
const PROVIDER = 'corp';
const identity = { issuer: 'https://corp.example', upstreamClientId: 'us', claims: { name: 'Alice' } };

const accountsOf = ({ unitOfWork, clock, randomness, envelopes, encryptedTables }: Replica) =>
  new LinkedAccountsRepository(unitOfWork, clock, randomness, envelopes, encryptedTables);

const credentials = (name: string, changes: Partial<UpstreamCredentials> = {}): UpstreamCredentials => ({
  accessToken: new Secret(`access ${name}`),
  refreshToken: new Secret(`refresh ${name}`),
  idToken: new Secret(`id ${name}`),
  tokenType: 'Bearer',
  scope: ['openid', 'email'],
  expiresAt: 2_000,
  obtainedAt: 1_000,
  ...changes,
});

describe.each(databases)('linked accounts on $name', (kind) => {
  let storage: Storage;
  let accounts: LinkedAccountsRepository;
  let elsewhere: LinkedAccountsRepository;
  /** Linked anew for each test. */
  let account: LinkedAccount;
  let count = 0;

  beforeAll(async () => {
    storage = await openStorage(kind);
    accounts = accountsOf(storage.first);
    elsewhere = accountsOf(storage.second);
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    const subject = `subject-${(count += 1)}`;
    await accounts.insertOnce({ userId: `user-${count}`, identityProvider: PROVIDER, subject });
    const reserved = await accounts.findBySubject(PROVIDER, subject);
    await accounts.storeLinked(reserved?.id ?? '', identity, credentials('1'));
    account = await current();
  });

  const current = async (): Promise<LinkedAccount> => {
    const found = await accounts.findOfUser(`user-${count}`, PROVIDER);
    if (!found) throw new Error('the account is gone');
    return found;
  };
  const tokens = async () => {
    const opened = await accounts.openTokens(await current());
    return [opened?.accessToken?.reveal(), opened?.refreshToken?.reveal()];
  };
  const stored = async (): Promise<Record<string, unknown>> => {
    const [row] = await storage.database.query('SELECT * FROM linked_accounts WHERE id = ?', [account.id]);
    return row ?? {};
  };
  const setback = (lastError: string) => ({ lastError, failures: 3, retryAt: storage.clock.now() + PAUSE_MS });
  /** The tombstone, as unlinking sets it. */
  const unlink = () =>
    storage.database.query('UPDATE linked_accounts SET unlinked_at = ? WHERE id = ?', [
      storage.clock.now(),
      account.id,
    ]);

  describe('an import', () => {
    const imported = credentials('imported', { idToken: undefined, scope: undefined });

    it('replaces everything that the account had, a refresh that is under way included', async () => {
      await accounts.acquireLease(account, 'owner', LEASE_MS);
      expect(await accounts.storeImported(account, identity, imported)).toBe(true);
      expect(await accounts.openTokens(await current())).toMatchObject({ idToken: undefined });
      expect(await tokens()).toEqual(['access imported', 'refresh imported']);
      expect(await current()).toMatchObject({ scope: [], verified: false, status: 'active' });
      expect(await elsewhere.storeRefreshed(account, credentials('late'), { verified: true })).toBe(false);
      expect(await stored()).toMatchObject({ lease_owner: null, refresh_intent_at: null });
    });

    it.each<[string, () => Promise<unknown>]>([
      ['was linked again', () => elsewhere.storeLinked(account.id, identity, credentials('2'))],
      ['was refreshed', () => elsewhere.storeRefreshed(account, credentials('2'), { verified: true })],
      ['was imported already', () => elsewhere.storeImported(account, identity, credentials('2'))],
      ['has to be linked again', () => elsewhere.requireReauthentication(account, 'invalid_grant')],
      ['was unlinked', () => elsewhere.unlink(account, { keepSubject: true })],
    ])('changes nothing where the account %s since it was read', async (_case, change) => {
      await change();
      const before = await stored();
      expect(await accounts.storeImported(account, identity, imported)).toBe(false);
      expect(await stored()).toEqual(before);
    });
  });

  describe('the lease', () => {
    it('is taken by one of fifty callers', async () => {
      const taken = await fiftyTimes([storage.first, storage.second], (replica, index) =>
        accountsOf(replica).acquireLease(account, `owner-${index}`, LEASE_MS),
      );
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect((await accounts.find(account.id))?.leaseEndsAt).toBe(storage.clock.now() + LEASE_MS);
    });

    it('can be taken by one of fifty once it has expired, not before', async () => {
      await accounts.acquireLease(account, 'dead', LEASE_MS);
      storage.clock.advance(LEASE_MS - 1);
      expect(await elsewhere.acquireLease(account, 'early', LEASE_MS)).toBe(false);
      storage.clock.advance(1);
      const taken = await fiftyTimes([storage.first, storage.second], (replica, index) =>
        accountsOf(replica).acquireLease(account, `heir-${index}`, LEASE_MS),
      );
      expect(taken.filter(Boolean)).toHaveLength(1);
    });

    it('of a holder that died before the clock was turned back is not waited for', async () => {
      await accounts.acquireLease(account, 'dead', LEASE_MS);
      storage.clock.advance(-3_600_000);
      expect(await elsewhere.acquireLease(account, 'heir', LEASE_MS)).toBe(true);
      expect(await accounts.acquireLease(account, 'late', LEASE_MS)).toBe(false);
      storage.clock.advance(3_600_000);
    });

    it('is not given for credentials that have changed since they were read', async () => {
      await accounts.storeRefreshed(account, credentials('2'), { verified: true });
      expect(await accounts.acquireLease(account, 'late', LEASE_MS)).toBe(false);
      expect(await accounts.acquireLease(await current(), 'up to date', LEASE_MS)).toBe(true);
    });

    it('is not given on an account that is unlinked', async () => {
      await unlink();
      expect(await accounts.acquireLease(account, 'late', LEASE_MS)).toBe(false);
    });

    it('is not given on an account that needs its user, or that only signs in', async () => {
      await accounts.requireReauthentication(account, 'invalid_grant');
      expect(await accounts.acquireLease(await current(), 'owner', LEASE_MS)).toBe(false);
      await accounts.insertOnce({ userId: 'somebody', identityProvider: PROVIDER, subject: `bare-${count}` });
      const bare = await accounts.findBySubject(PROVIDER, `bare-${count}`);
      expect(bare?.status).toBe('sign-in-only');
      expect(bare && (await accounts.acquireLease(bare, 'owner', LEASE_MS))).toBe(false);
    });

    it('is renewed, used and given back by its owner only', async () => {
      await accounts.acquireLease(account, 'owner', LEASE_MS);
      storage.clock.advance(1_000);
      expect(await elsewhere.renewLease(account.id, 'thief', LEASE_MS)).toBe(false);
      expect(await elsewhere.recordIntent(account.id, 'thief', LEASE_MS)).toBe(false);
      await elsewhere.releaseLease(account.id, 'thief', { intentAnswered: true, setback: setback('theft') });
      expect(await stored()).toMatchObject({ lease_owner: 'owner', refresh_intent_at: null, last_error: null });

      expect(await accounts.renewLease(account.id, 'owner', LEASE_MS)).toBe(true);
      expect((await accounts.find(account.id))?.leaseEndsAt).toBe(storage.clock.now() + LEASE_MS);
      storage.clock.advance(1_000);
      expect(await accounts.recordIntent(account.id, 'owner', LEASE_MS)).toBe(true);
      expect((await accounts.find(account.id))?.leaseEndsAt).toBe(storage.clock.now() + LEASE_MS);
      await accounts.releaseLease(account.id, 'owner', { intentAnswered: false });
      expect((await accounts.find(account.id))?.leaseEndsAt).toBeUndefined();
      expect((await current()).refreshIntentAt).toBe(storage.clock.now());
      expect(await elsewhere.acquireLease(account, 'next', LEASE_MS)).toBe(true);
      await elsewhere.releaseLease(account.id, 'next', { intentAnswered: true });
      expect((await current()).refreshIntentAt).toBeUndefined();
    });
  });

  describe('a setback', () => {
    it('is written down with the end of the lease, and nobody gets another one before it is over', async () => {
      await accounts.acquireLease(account, 'owner', LEASE_MS);
      await accounts.releaseLease(account.id, 'owner', { setback: setback('unavailable') });
      expect(await current()).toMatchObject({ status: 'active', ...setback('unavailable') });
      expect(await elsewhere.acquireLease(account, 'early', LEASE_MS)).toBe(false);
      storage.clock.advance(PAUSE_MS - 1);
      expect(await elsewhere.acquireLease(account, 'early', LEASE_MS)).toBe(false);
      storage.clock.advance(1);
      expect(await elsewhere.acquireLease(account, 'next', LEASE_MS)).toBe(true);
      await accounts.storeRefreshed(account, credentials('2'), { verified: true });
      expect(await current()).toMatchObject({ failures: 0, retryAt: undefined, lastError: undefined });
    });

    it('that was written before the clock was turned back is over', async () => {
      await accounts.acquireLease(account, 'owner', LEASE_MS);
      await accounts.releaseLease(account.id, 'owner', { setback: setback('unavailable') });
      storage.clock.advance(-60_000);
      expect(await elsewhere.acquireLease(account, 'next', LEASE_MS)).toBe(true);
      storage.clock.advance(60_000);
    });

    it('lasts no year because the clock was a year ahead', async () => {
      await accounts.acquireLease(account, 'owner', LEASE_MS);
      const retryAt = storage.clock.now() + 365 * 24 * 3_600_000;
      await accounts.releaseLease(account.id, 'owner', { setback: { ...setback('unavailable'), retryAt } });
      expect(await elsewhere.acquireLease(account, 'next', LEASE_MS)).toBe(true);
    });

    it('may come with tokens that cannot be served, and is forgotten when the account is linked again', async () => {
      const expired = { verified: true, setback: setback('expired-on-arrival') };
      expect(await accounts.storeRefreshed(account, credentials('2'), expired)).toBe(true);
      expect(await tokens()).toEqual(['access 2', 'refresh 2']);
      expect(await current()).toMatchObject(setback('expired-on-arrival'));
      const before = await current();
      await accounts.storeLinked(account.id, identity, credentials('3'));
      const after = await current();
      expect(after).toMatchObject({ failures: 0, retryAt: undefined, lastError: undefined });
      expect(after.generation).toBe(before.generation + 1);
      expect(await accounts.acquireLease(after, 'at once', LEASE_MS)).toBe(true);
    });
  });

  it('keeps a token that never expires as one without an expiry', async () => {
    await accounts.storeLinked(account.id, identity, credentials('2', { expiresAt: undefined }));
    expect((await current()).expiresAt).toBeUndefined();
    expect((await stored())['expires_at']).toBeNull();
    expect(await tokens()).toEqual(['access 2', 'refresh 2']);
  });

  it('knows every account that the user ever linked', async () => {
    await unlink();
    expect(await accounts.listOfUser(account.userId)).toEqual([]);
    expect(await accounts.everLinkedBy(account.userId)).toEqual([
      expect.objectContaining({ id: account.id, identityProvider: PROVIDER, subject: account.subject }),
    ]);
  });

  describe('storing a refresh', () => {
    it('replaces the credentials, moves the generation and ends the lease', async () => {
      await accounts.acquireLease(account, 'owner', LEASE_MS);
      await accounts.recordIntent(account.id, 'owner', LEASE_MS);
      expect(await accounts.storeRefreshed(account, credentials('2'), { verified: false })).toBe(true);
      expect(await tokens()).toEqual(['access 2', 'refresh 2']);
      expect((await current()).generation).toBe(account.generation + 1);
      expect(await stored()).toMatchObject({ lease_owner: null, lease_expires_at: null, refresh_intent_at: null });
    });

    it('writes nothing over newer credentials', async () => {
      await elsewhere.storeRefreshed(account, credentials('2'), { verified: true });
      expect(await accounts.storeRefreshed(account, credentials('3'), { verified: true })).toBe(false);
      expect(await tokens()).toEqual(['access 2', 'refresh 2']);
    });

    it('is done by one of fifty who saw the same generation', async () => {
      const kept = await fiftyTimes([storage.first, storage.second], (replica, index) =>
        accountsOf(replica).storeRefreshed(account, credentials(`by ${index}`), { verified: true }),
      );
      expect(kept.filter(Boolean)).toHaveLength(1);
      const winner = kept.indexOf(true);
      expect(await tokens()).toEqual([`access by ${winner}`, `refresh by ${winner}`]);
      expect((await current()).generation).toBe(account.generation + 1);
    });

    it('does not bring an unlinked account back to life', async () => {
      await unlink();
      const before = await stored();
      expect(await accounts.storeRefreshed(account, credentials('2'), { verified: true })).toBe(false);
      expect(await stored()).toEqual(before);
      expect(await accounts.openTokens(account)).toBeUndefined();
      expect(await accounts.find(account.id)).toBeUndefined();
    });

    it('keeps the refresh token, the id_token and the scope that the provider did not send again', async () => {
      const bare = { refreshToken: undefined, idToken: undefined, scope: undefined };
      await accounts.storeRefreshed(account, credentials('2', bare), { verified: true });
      expect(await tokens()).toEqual(['access 2', 'refresh 1']);
      expect(await current()).toMatchObject({ scope: ['openid', 'email'] });
      expect((await stored())['id_token']).toEqual(expect.any(String));
    });
  });

  describe('linking again', () => {
    it('keeps the refresh token when the provider did not send one', async () => {
      await accounts.storeLinked(account.id, identity, credentials('2', { refreshToken: undefined }));
      expect(await tokens()).toEqual(['access 2', 'refresh 1']);
    });

    it('carries no refresh token over from another client or another issuer', async () => {
      const bare = credentials('2', { refreshToken: undefined, idToken: undefined });
      await accounts.storeLinked(account.id, { ...identity, upstreamClientId: 'us, registered anew' }, bare);
      expect(await tokens()).toEqual(['access 2', undefined]);
      await accounts.storeLinked(account.id, identity, credentials('3'));
      await accounts.storeLinked(account.id, { ...identity, issuer: 'https://other.example' }, bare);
      expect(await tokens()).toEqual(['access 2', undefined]);
      expect((await stored())['id_token']).toBeNull();
    });

    it('moves the generation and clears the lease, the intent and the reason', async () => {
      await accounts.acquireLease(account, 'owner', LEASE_MS);
      await accounts.recordIntent(account.id, 'owner', LEASE_MS);
      await accounts.storeLinked(account.id, identity, credentials('2'));
      const cleared = { lease_owner: null, lease_expires_at: null, refresh_intent_at: null, last_error: null };
      expect(await stored()).toMatchObject(cleared);
      expect(await accounts.storeRefreshed(account, credentials('superseded'), { verified: true })).toBe(false);

      await accounts.requireReauthentication(await current(), 'rotation_lost');
      await accounts.storeLinked(account.id, identity, credentials('3'));
      expect(await stored()).toMatchObject({ ...cleared, reason: null });
      expect(await current()).toMatchObject({ status: 'active', generation: account.generation + 3 });
      expect(await tokens()).toEqual(['access 3', 'refresh 3']);
    });

    it('loses no sign-in to a refresh or another sign-in that is stored at the same moment', async () => {
      await Promise.all(
        [accounts, elsewhere, accounts, elsewhere].map((repository, index) =>
          repository.storeLinked(account.id, identity, credentials(`by ${index}`)),
        ),
      );
      expect((await current()).generation).toBe(account.generation + 4);
    });

    it('does not bring an unlinked account back to life', async () => {
      await unlink();
      expect(await accounts.storeLinked(account.id, identity, credentials('2'))).toBe(false);
      expect(await accounts.find(account.id)).toBeUndefined();
    });
  });

  describe('a subject', () => {
    it('is reserved by one of fifty users', async () => {
      const reserved = await fiftyTimes([storage.first, storage.second], (replica, index) =>
        accountsOf(replica).insertOnce({
          userId: `rival-${index}`,
          identityProvider: PROVIDER,
          subject: `rare-${count}`,
        }),
      );
      expect(reserved.filter(Boolean)).toHaveLength(1);
      const holder = (await accounts.findBySubject(PROVIDER, `rare-${count}`))?.userId;
      expect(holder).toBe(`rival-${reserved.indexOf(true)}`);
    });

    it('is one account at each provider, and free again once it is unlinked', async () => {
      const { subject } = account;
      const other = { userId: 'somebody else', subject };
      expect(await accounts.insertOnce({ ...other, identityProvider: PROVIDER })).toBe(false);
      expect(await accounts.insertOnce({ ...other, identityProvider: 'another provider' })).toBe(true);
      await unlink();
      expect(await accounts.insertOnce({ ...other, identityProvider: PROVIDER })).toBe(true);
      expect(await accounts.insertOnce({ ...other, identityProvider: PROVIDER })).toBe(false);
      expect((await accounts.findBySubject(PROVIDER, subject))?.userId).toBe('somebody else');
    });
  });

  describe('asking for the user again', () => {
    it('says why, moves the generation and ends the lease', async () => {
      await accounts.acquireLease(account, 'owner', LEASE_MS);
      await accounts.recordIntent(account.id, 'owner', LEASE_MS);
      expect(await accounts.requireReauthentication(account, 'rotation_lost')).toBe(true);
      expect(await current()).toMatchObject({
        status: 'reauthentication-required',
        reason: 'rotation_lost',
        generation: account.generation + 1,
      });
      expect(await stored()).toMatchObject({ lease_owner: null, refresh_intent_at: null });
    });

    it('is done by one of fifty who saw the same generation', async () => {
      const required = await fiftyTimes([storage.first, storage.second], (replica) =>
        accountsOf(replica).requireReauthentication(account, 'invalid_grant'),
      );
      expect(required.filter(Boolean)).toHaveLength(1);
    });

    it('is up to the holder of the lease, where it is said who that is', async () => {
      await accounts.acquireLease(account, 'owner', LEASE_MS);
      const verdict = (leaseOwner: string) =>
        accounts.requireReauthentication(account, 'invalid_grant', { leaseOwner });
      expect(await verdict('an owner of yesterday')).toBe(false);
      expect((await current()).status).toBe('active');
      expect(await verdict('owner')).toBe(true);
    });

    it('erases the tokens only when told that they are lost to somebody else', async () => {
      await accounts.requireReauthentication(account, 'invalid_grant');
      expect(await tokens()).toEqual(['access 1', 'refresh 1']);
      await accounts.requireReauthentication(await current(), 'subject_mismatch', { forgetTokens: true });
      expect(await tokens()).toEqual([undefined, undefined]);
      expect(await stored()).toMatchObject({ access_token: null, refresh_token: null, id_token: null });
    });

    it('leaves an account alone that was linked again or unlinked meanwhile', async () => {
      await elsewhere.storeLinked(account.id, identity, credentials('2'));
      expect(await accounts.requireReauthentication(account, 'invalid_grant')).toBe(false);
      expect((await current()).status).toBe('active');
      const relinked = await current();
      await unlink();
      expect(await accounts.requireReauthentication(relinked, 'invalid_grant')).toBe(false);
    });
  });

  it('opens the tokens of the generation that was read, or none', async () => {
    await accounts.storeRefreshed(account, credentials('2'), { verified: true });
    expect(await accounts.openTokens(account)).toBeUndefined();
    expect(await tokens()).toEqual(['access 2', 'refresh 2']);
  });

  it('marks only the generation verified whose id_token was', async () => {
    await accounts.storeRefreshed(account, credentials('2'), { verified: false });
    await accounts.markVerified(account);
    expect(Boolean((await stored())['verified'])).toBe(false);
    await accounts.markVerified(await current());
    expect(Boolean((await stored())['verified'])).toBe(true);
  });
});
