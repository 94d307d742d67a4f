import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Audit } from '../../src/audit/index.js';
import { Secret } from '../../src/common/secret.js';
import { AppliedDeclarations } from '../../src/config/index.js';
import { Sessions } from '../../src/sessions/index.js';
import { Cookies } from '../../src/sessions/cookies.js';
import { DeclaredUsers } from '../../src/users/declared-users.js';
import { PasswordChanges, UserAccounts, UserDeletion, UsersRepository } from '../../src/users/index.js';
import { databases } from '../support/databases.js';
import { openStorage, type Replica, type Storage } from './support/storage.js';

function roomOf({ unitOfWork, clock, randomness, configuration, expiredRows }: Replica) {
  const users = new UsersRepository(unitOfWork, clock, randomness);
  const audit = new Audit(unitOfWork, clock, randomness);
  const cookies = new Cookies(configuration, randomness);
  const sessions = new Sessions(unitOfWork, clock, randomness, configuration, cookies, expiredRows);
  const changes = new PasswordChanges(sessions);
  const accounts = new UserAccounts(users, unitOfWork, changes, audit);
  const deletion = new UserDeletion(unitOfWork, users, sessions, audit);
  const applied = new AppliedDeclarations(unitOfWork, clock, configuration);
  const declared = new DeclaredUsers(configuration, applied, users, changes);
  return { users, accounts, deletion, declared, changes };
}

describe.each(databases)('what ends with a password, and with a user, on $name', (kind) => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await openStorage(kind);
  });
  afterAll(() => storage.close());

  const openSessions = (userId: string) =>
    storage.database.query('SELECT id FROM sessions WHERE user_id = ? AND ended_at IS NULL', [userId]);
  const signIn = (userId: string) =>
    storage.database.query(
      `INSERT INTO sessions (id, cookie_digest, user_id, auth_time, auth_time_proven, created_at, expires_at)
       VALUES ('of ${userId}', 'of ${userId}', '${userId}', 1, false, 1, ${storage.clock.now() + 1000})`,
    );
  const reasons = async (userId: string) =>
    (
      await storage.database.query(`SELECT reason FROM audit_events WHERE user_id = ? AND event = 'user.updated'`, [
        userId,
      ])
    )
      .map(({ reason }) => String(reason))
      .toSorted();

  it('is told to who registered, in the transaction of the change and before the sessions end', async () => {
    const { accounts, changes } = roomOf(storage.first);
    const { id } = await accounts.create({ username: 'ada', password: new Secret('the first one') });
    await signIn(id);
    const told: [string, number][] = [];
    changes.register(async (userId) => {
      told.push([userId, (await openSessions(userId)).length]);
      if (told.length === 1) throw new Error('on second thoughts');
    });
    const change = () => accounts.change(id, { password: new Secret('the second one') });
    await expect(change()).rejects.toThrow('on second thoughts');
    expect(await openSessions(id)).toHaveLength(1);
    await change();
    await accounts.change(id, { fullName: 'Ada' });
    expect(told).toEqual([
      [id, 1],
      [id, 1],
    ]);
    expect(await openSessions(id)).toEqual([]);
    expect(await reasons(id)).toEqual(['password', 'profile']);
  });

  it('is told of a password that CONFIG_FILE changes, and of no other change there', async () => {
    const told: string[] = [];
    const start = async (declared: object) => {
      const { declared: declaredUsers, changes, users } = roomOf(storage.first.configured({ declared }));
      changes.register((userId) => Promise.resolve(told.push(userId)));
      await declaredUsers.onModuleInit();
      return (await users.findByUsername('bea'))?.id;
    };
    const bea = { username: 'bea', password: 'the first one' };
    const id = await start({ users: [bea] });
    await start({ users: [{ ...bea, full_name: 'Bea' }] });
    expect(told).toEqual([]);
    await start({ users: [{ ...bea, password: 'the second one' }] });
    expect(told).toEqual([id]);
  });

  it('is not told of a user who has none and gets none', async () => {
    const told: string[] = [];
    const start = async (declared: object) => {
      const { declared: declaredUsers, accounts, changes, users } = roomOf(storage.first.configured({ declared }));
      changes.register((userId) => Promise.resolve(told.push(userId)));
      await declaredUsers.onModuleInit();
      const { id = '' } = (await users.findByUsername('fay')) ?? {};
      await accounts.change(id, { password: null });
      return id;
    };
    await start({ users: [{ username: 'fay' }] });
    const id = await start({ users: [{ username: 'fay', full_name: 'Fay' }] });
    expect(told).toEqual([]);
    expect(await reasons(id)).toEqual([]);
  });

  const declareHal = async (email: string) => {
    const room = roomOf(storage.first.configured({ declared: { users: [{ username: 'hal', email }] } }));
    await room.declared.onModuleInit();
    const { id = '' } = (await room.users.findByUsername('hal')) ?? {};
    return { id, ...room };
  };
  const verifiedBy = async (id: string) =>
    (await storage.database.query('SELECT email, email_verified_by FROM users WHERE id = ?', [id]))[0];

  describe('an e-mail address', () => {
    it('stays verified by who verified it when an administrator merely says again that it is', async () => {
      const { accounts, users } = roomOf(storage.first);
      const email = 'gil@example.com';
      const { id } = await users.create({
        email,
        emailVerified: true,
        emailVerifiedBy: 'provider:open https://open.example',
      });
      await accounts.change(id, { fullName: 'Gil', email, emailVerified: true });
      expect(await verifiedBy(id)).toMatchObject({ email_verified_by: 'provider:open https://open.example' });
      await accounts.change(id, { emailVerified: false });
      await accounts.change(id, { emailVerified: true });
      expect(await verifiedBy(id)).toMatchObject({ email_verified_by: 'admin' });
    });

    it('that CONFIG_FILE changes is not a verified one', async () => {
      const { id, accounts } = await declareHal('hal@one.example');
      await accounts.change(id, { emailVerified: true });
      await declareHal('hal@two.example');
      expect(await verifiedBy(id)).toEqual({ email: 'hal@two.example', email_verified_by: null });
    });
  });

  it('a deleted user: sessions end last, as a sign-in takes them after the accounts', async () => {
    const { accounts, deletion } = roomOf(storage.first);
    const { id } = await accounts.create({ username: 'cleo' });
    await signIn(id);
    const seen: number[] = [];
    deletion.register(async (userId) => seen.push((await openSessions(userId)).length));
    expect(await deletion.delete(id)).toBe(true);
    expect(seen).toEqual([1]);
    expect(await openSessions(id)).toEqual([]);
  });

  it('says in the audit what was changed, and nothing where all stays as it was', async () => {
    const { accounts } = roomOf(storage.first);
    const { id } = await accounts.create({ username: 'dora', password: new Secret('the first one') });
    const profile = { fullName: 'Dora', email: 'dora@example.com' };
    await accounts.change(id, { ...profile, blocked: true, basicAuthEnabled: true });
    await accounts.change(id, { ...profile, blocked: true, basicAuthEnabled: true });
    await accounts.change(id, { blocked: false });
    expect(await reasons(id)).toEqual(['basic-auth', 'blocked', 'profile', 'unblocked']);
  });
});
