import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DomainError } from '../../src/common/domain-error.js';
import { Secret } from '../../src/common/secret.js';
import { parseIdentityProvider } from '../../src/config/index.js';
import { toProvider } from '../../src/identity-providers/index.js';
import type { LinkedAccount, LinkedAccounts } from '../../src/idp-offline-access/index.js';
import type { Session } from '../../src/sessions/index.js';
import { UsersRepository } from '../../src/users/index.js';
import { databases } from '../support/databases.js';
import { Latch } from './support/latch.js';
import { fiftyTimes, openStorage, waitingForALock, type Replica, type Storage } from './support/storage.js';
import { roomOf } from './support/vault-room.js';

const PROVIDER = 'corp';
const ISSUER = 'https://corp.example';

async function accountsOf(replica: Replica): Promise<LinkedAccounts> {
  const { linkedAccounts, outbox } = roomOf(replica);
  // Messages stay where they are: a worker would outlive the database.
  await outbox.beforeApplicationShutdown();
  return linkedAccounts;
}

const session = (id: string, linkedAccountId?: string): Session => ({
  id,
  linkedAccountId,
  userId: 'ignored',
  identityProvider: PROVIDER,
  authTime: 0,
  authTimeProven: false,
  createdAt: 0,
});

describe.each(databases)('linking on $name', (kind) => {
  let storage: Storage;
  let accounts: LinkedAccounts;
  let elsewhere: LinkedAccounts;
  let count = 0;
  let user: string;

  beforeAll(async () => {
    storage = await openStorage(kind);
    accounts = await accountsOf(storage.first);
    elsewhere = await accountsOf(storage.second);
    const { providers } = roomOf(storage.first);
    for (const id of [PROVIDER, 'other']) {
      const entry = { id, issuer: ISSUER, client_id: 'us', client_secret: 'secret' };
      await providers.put(toProvider(parseIdentityProvider(entry)));
    }
  });
  afterAll(() => storage.close());
  beforeEach(() => {
    user = `user-${(count += 1)}`;
  });

  interface Wanted {
    userId?: string;
    provider?: string;
    connectedInSession?: string;
    scope?: string;
    at?: LinkedAccounts;
  }
  const link = (
    subject: string,
    { userId = user, provider = PROVIDER, connectedInSession, scope = 'openid', at }: Wanted = {},
  ) =>
    (at ?? accounts).link({
      userId,
      identityProvider: provider,
      issuer: ISSUER,
      subject: `${subject}-${count}`,
      upstreamClientId: 'us',
      claims: { name: subject },
      requestedScope: scope,
      connectedInSession,
      tokens: {
        accessToken: new Secret(`access ${subject}`),
        refreshToken: new Secret(`refresh ${subject}`),
        idToken: undefined,
        tokenType: 'Bearer',
        expiresInSeconds: 3600,
        scope: undefined,
        receivedAt: storage.clock.now(),
      },
    });
  const subjects = async (provider = PROVIDER): Promise<string[]> =>
    (await accounts.ofUser(user))
      .filter(({ identityProvider }) => identityProvider === provider)
      .map(({ subject }) => subject.slice(0, subject.lastIndexOf('-')));
  const rowOf = async (id: string): Promise<Record<string, unknown>> => {
    const [row] = await storage.database.query('SELECT * FROM linked_accounts WHERE id = ?', [id]);
    return row ?? {};
  };
  const userOf = (subject: string) =>
    accounts.userOf({ identityProvider: PROVIDER, issuer: ISSUER, subject: `${subject}-${count}` });
  const events = async (event: string) =>
    storage.database.query('SELECT * FROM audit_events WHERE user_id = ? AND event = ?', [user, event]);

  describe('several accounts at one provider', () => {
    it('have the first as the default, however often the others are linked', async () => {
      await link('first');
      storage.clock.advance(1_000);
      await link('second');
      await link('second');
      expect(await subjects()).toEqual(['first', 'second']);
    });

    it('have a newly linked one as the default when the default has to be linked again', async () => {
      const first = await link('first');
      await storage.database.query(`UPDATE linked_accounts SET status = 'reauthentication-required' WHERE id = ?`, [
        first,
      ]);
      storage.clock.advance(1_000);
      await link('second');
      expect(await subjects()).toEqual(['second', 'first']);
      storage.clock.advance(1_000);
      await link('first');
      expect(await subjects()).toEqual(['second', 'first']);
    });

    it('never include one that another user holds', async () => {
      await link('first', { userId: 'rival' });
      await expect(link('first')).rejects.toMatchObject({ code: 'identity.held-by-another-user' });
      expect(await subjects()).toEqual([]);
      expect(await events('identity.linked')).toEqual([]);
    });
  });

  describe('a sign-in that is granted less than there was', () => {
    it.each([
      ['works', 'failures = 0'],
      ['cannot be refreshed for the moment', 'failures = 1'],
    ])('takes nothing away that the user granted by connecting the account, where that %s', async (_case, change) => {
      const id = await link('first', { connectedInSession: 's', scope: 'openid files' });
      await storage.database.query(`UPDATE linked_accounts SET ${change} WHERE id = ?`, [id]);
      const before = await rowOf(id);
      await link('first', { scope: 'openid' });
      const after = await rowOf(id);
      for (const column of ['access_token', 'refresh_token', 'generation', 'scope']) {
        expect(after[column], column).toEqual(before[column]);
      }
    });

    it('takes nothing away of one that never expires, either', async () => {
      const id = await link('first', { connectedInSession: 's', scope: 'repo' });
      await storage.database.query('UPDATE linked_accounts SET refresh_token = NULL, expires_at = NULL WHERE id = ?', [
        id,
      ]);
      await link('first', { scope: 'openid' });
      expect((await rowOf(id))['scope']).toBe('repo');
    });

    it.each([
      ['the account was never connected', 'linked_at = NULL'],
      ['it has to be linked again', `status = 'reauthentication-required'`],
      ['its tokens would not last', 'refresh_token = NULL'],
      ['our client there is another', `upstream_client_id = 'old'`],
    ])('replaces the tokens where %s', async (_case, change) => {
      const id = await link('first', { connectedInSession: 's', scope: 'openid files' });
      await storage.database.query(`UPDATE linked_accounts SET ${change} WHERE id = ?`, [id]);
      await link('first', { scope: 'openid' });
      expect((await rowOf(id))['scope']).toBe('openid');
    });

    it('is another thing than connecting again, where what the provider says counts', async () => {
      const id = await link('first', { connectedInSession: 's', scope: 'openid files' });
      await link('first', { connectedInSession: 's', scope: 'openid' });
      expect((await rowOf(id))['scope']).toBe('openid');
    });

    it('is not less where there was nothing', async () => {
      const id = await link('first', { connectedInSession: 's', scope: '' });
      await link('first', { scope: 'openid' });
      expect((await rowOf(id))['scope']).toBe('openid');
    });
  });

  describe('choosing the default', () => {
    it('takes the account with which the session began', async () => {
      await link('first');
      storage.clock.advance(1_000);
      const second = await link('second');
      await accounts.choose(user, PROVIDER, session('s', second));
      await accounts.choose(user, PROVIDER, session('s', second));
      expect(await subjects()).toEqual(['second', 'first']);
    });

    it('prefers the one that was connected in this session, for ten minutes', async () => {
      const first = await link('first');
      storage.clock.advance(1_000);
      await link('second', { connectedInSession: `s-${count}` });
      storage.clock.advance(10 * 60_000);
      await accounts.choose(user, PROVIDER, session(`s-${count}`, first));
      expect(await subjects()).toEqual(['second', 'first']);
    });

    it('forgets a connected account after ten minutes', async () => {
      await link('first');
      await link('second', { connectedInSession: `s-${count}` });
      storage.clock.advance(10 * 60_000 + 1);
      await expect(accounts.choose(user, PROVIDER, session(`s-${count}`))).rejects.toMatchObject({
        code: 'identity.not-linked',
      });
      expect(await subjects()).toEqual(['first', 'second']);
    });

    it.each([
      ['another session', () => session('another')],
      ['no session', () => undefined],
    ])('takes nothing for %s', async (_name, given) => {
      await link('first', { connectedInSession: `s-${count}` });
      await expect(accounts.choose(user, PROVIDER, given())).rejects.toThrow(DomainError);
    });

    it("takes no other user's account, though the session names it", async () => {
      const rivals = await link('first', { userId: 'rival' });
      await expect(accounts.choose(user, PROVIDER, session('s', rivals))).rejects.toThrow(DomainError);
    });

    it('brings nothing back that was unlinked', async () => {
      const first = await link('first', { connectedInSession: `s-${count}` });
      await accounts.unlink(user, PROVIDER);
      await expect(accounts.choose(user, PROVIDER, session(`s-${count}`, first))).rejects.toMatchObject({
        code: 'identity.not-linked',
      });
    });
  });

  describe('unlinking', () => {
    const SECRETS = ['access_token', 'refresh_token', 'id_token', 'data_key', 'expires_at'];

    it('erases the tokens and ends the row; its subject signs in no more', async () => {
      const id = await link('first');
      await link('elsewhere', { provider: 'other' });
      expect(await accounts.unlink(user, PROVIDER)).toBe(1);
      const row = await rowOf(id);
      for (const column of SECRETS) expect(row[column], column).toBeNull();
      expect(row['unlinked_at']).not.toBeNull();
      expect(JSON.parse(String(row['claims']))).toEqual({});
      expect(await userOf('first')).toBeUndefined();
      expect(await subjects('other')).toEqual(['elsewhere']);
      expect(await events('identity.unlinked')).toHaveLength(1);
    });

    it('keeps the subject of the last account for signing in, without tokens', async () => {
      const id = await link('first');
      expect(await accounts.unlink(user, PROVIDER)).toBe(1);
      const row = await rowOf(id);
      for (const column of SECRETS) expect(row[column], column).toBeNull();
      expect(row).toMatchObject({ status: 'sign-in-only', unlinked_at: null });
      expect(await userOf('first')).toBe(user);
    });

    it('keeps the default of several last ones, and no other', async () => {
      await link('first');
      storage.clock.advance(1_000);
      const second = await link('second');
      await accounts.choose(user, PROVIDER, session('s', second));
      expect(await accounts.unlink(user, PROVIDER)).toBe(2);
      expect(await userOf('second')).toBe(user);
      expect(await userOf('first')).toBeUndefined();
    });

    it('keeps the subject where the accounts that stay are at providers that are off', async () => {
      await link('first');
      await link('elsewhere', { provider: 'switched-off' });
      expect(await accounts.unlink(user, PROVIDER)).toBe(1);
      expect(await userOf('first')).toBe(user);
    });

    it('of two providers at the same moment leaves one way in', async () => {
      const { unitOfWork, clock, randomness } = storage.first;
      ({ id: user } = await new UsersRepository(unitOfWork, clock, randomness).create({}));
      await link('first');
      await link('elsewhere', { provider: 'other' });
      const [reached, commit] = [new Latch(), new Latch()];
      const one = unitOfWork.run(async () => {
        await accounts.unlink(user, PROVIDER);
        reached.open();
        await commit.opened;
      });
      await reached.opened;
      const two = elsewhere.unlink(user, 'other');
      await waitingForALock(storage, two);
      commit.open();
      await Promise.all([one, two]);
      expect(await accounts.ofUser(user)).toMatchObject([{ identityProvider: 'other', status: 'sign-in-only' }]);
    });

    it('changes nothing when it is repeated', async () => {
      await link('first');
      await accounts.unlink(user, PROVIDER);
      expect(await accounts.unlink(user, PROVIDER)).toBe(0);
      expect(await events('identity.unlinked')).toHaveLength(1);
    });

    it('lets the subject be linked again, by the user or by another where it was given up', async () => {
      await link('first');
      await link('elsewhere', { provider: 'other' });
      await accounts.unlink(user, PROVIDER);
      await link('first', { userId: 'heir' });
      expect(await userOf('first')).toBe('heir');
      expect(await subjects()).toEqual([]);
    });

    it('of everything keeps no subject', async () => {
      await link('first');
      await link('elsewhere', { provider: 'other' });
      expect(await accounts.unlinkAll(user)).toBe(2);
      expect(await userOf('first')).toBeUndefined();
      expect(await accounts.ofUser(user)).toEqual([]);
    });

    it('and linking at the same moment leave an account that is whole: linked with tokens, or without any', async () => {
      await link('first');
      await fiftyTimes([storage.first, storage.second], async (replica, index) => {
        const at = replica === storage.first ? accounts : elsewhere;
        await (index % 5 === 0 ? at.unlink(user, PROVIDER) : link('first', { at }));
      });
      const live: LinkedAccount[] = await accounts.ofUser(user);
      expect(live).toHaveLength(1);
      const [{ id } = { id: '' }] = live;
      const row = await rowOf(id);
      for (const column of ['access_token', 'refresh_token', 'data_key']) {
        expect(row[column] !== null, column).toBe(row['status'] === 'active');
      }
    });
  });
});
