import type { Request, Response } from 'express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Audit } from '../../src/audit/index.js';
import { Secret } from '../../src/common/secret.js';
import { parseIdentityProvider } from '../../src/config/index.js';
import { SignIn } from '../../src/federated-identities/sign-in.js';
import type { UpstreamSignIn } from '../../src/federated-identities/strategies/code-flow.strategy.js';
import { toProvider } from '../../src/identity-providers/index.js';
import { Cookies, Sessions } from '../../src/sessions/index.js';
import { Throttling } from '../../src/throttling/index.js';
import {
  PasswordAuthentication,
  PasswordChanges,
  UserAccounts,
  UserDeletion,
  UsersRepository,
} from '../../src/users/index.js';
import { databases } from '../support/databases.js';
import { Latch } from './support/latch.js';
import { openStorage, waitingForALock, type Replica, type Storage } from './support/storage.js';
import { roomOf } from './support/vault-room.js';

const PROVIDER = toProvider(
  parseIdentityProvider({
    id: 'corp',
    issuer: 'https://corp.example',
    client_id: 'us',
    client_secret: 'secret',
  }),
);

/** What is done once a password was verified, and before anything is made of it. */
class Meanwhile extends Throttling {
  happens = (): Promise<unknown> => Promise.resolve();

  override async attempt(...[account, judge]: Parameters<Throttling['attempt']>) {
    const attempt = await super.attempt(account, judge);
    await this.happens();
    return attempt;
  }
}

/** Everything that signing in and deleting users is made of, on one replica. */
async function roomsOf(replica: Replica) {
  const { unitOfWork, clock, randomness, configuration, expiredRows } = replica;
  const { linkedAccounts, accounts, providers, outbox } = roomOf(replica);
  await outbox.beforeApplicationShutdown();
  const users = new UsersRepository(unitOfWork, clock, randomness);
  const cookies = new Cookies(configuration, randomness);
  const sessions = new Sessions(unitOfWork, clock, randomness, configuration, cookies, expiredRows);
  const audit = new Audit(unitOfWork, clock, randomness);
  const throttling = new Meanwhile(unitOfWork, clock, expiredRows);
  const passwords = new PasswordAuthentication(users, throttling, unitOfWork);
  const deletion = new UserDeletion(unitOfWork, users, sessions, audit);
  deletion.register((userId) => linkedAccounts.unlinkAll(userId));
  return {
    linkedAccounts,
    accounts,
    providers,
    users,
    sessions,
    throttling,
    deletion,
    userAccounts: new UserAccounts(users, unitOfWork, new PasswordChanges(sessions), audit),
    signIn: new SignIn(unitOfWork, linkedAccounts, users, passwords, providers, sessions, audit, clock, configuration),
  };
}

/** A browser's cookies, as far as a sign-in reads and writes them. */
function browser(): { request: Request; response: Response } {
  const headers: { cookie?: string } = {};
  const append = (_: string, cookie: string): void => {
    headers.cookie = cookie.split(';')[0] ?? '';
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { request: { headers } as Request, response: { append } as unknown as Response };
}

describe.each(databases)('signing in, while something happens to the user, on $name', (kind) => {
  let storage: Storage;
  let here: Awaited<ReturnType<typeof roomsOf>>;
  let elsewhere: typeof here;
  let userId: string;
  let subject: string;
  let people = 0;
  beforeAll(async () => {
    storage = await openStorage(kind);
    here = await roomsOf(storage.first);
    elsewhere = await roomsOf(storage.second);
    await here.providers.put(PROVIDER);
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    subject = `subject-${(people += 1)}`;
    ({ id: userId } = await here.users.create({ fullName: 'Ada' }));
    await here.accounts.insertOnce({ userId, identityProvider: PROVIDER.id, subject });
  });

  const proven = (connectUserId?: string): UpstreamSignIn => ({
    provider: { ...PROVIDER, version: '1' },
    identity: { issuer: 'https://corp.example', subject, claims: { sub: subject }, authTime: undefined },
    tokens: {
      accessToken: new Secret('an access token'),
      refreshToken: undefined,
      idToken: undefined,
      tokenType: 'Bearer',
      expiresInSeconds: 60,
      scope: undefined,
      receivedAt: storage.clock.now(),
    },
    attempt: { nonce: 'n', codeVerifier: 'v', returnTo: '/login', scope: 'openid', connectUserId },
  });

  /** Deletes the user on the other replica, and stops when everything is done and nothing committed. */
  async function deleteUpTo(commit: Promise<void>): Promise<{ deleted: Promise<boolean> }> {
    const reached = new Latch();
    elsewhere.deletion.register(async (id) => {
      if (id !== userId) return;
      reached.open();
      await commit;
    });
    const deleted = elsewhere.deletion.delete(userId);
    await reached.opened;
    return { deleted };
  }

  async function expectNothingLeft(): Promise<void> {
    expect(await here.users.find(userId)).toBeUndefined();
    expect(
      await storage.database.query('SELECT id FROM linked_accounts WHERE user_id = ? AND unlinked_at IS NULL', [
        userId,
      ]),
    ).toEqual([]);
    expect(
      await storage.database.query('SELECT id FROM sessions WHERE user_id = ? AND ended_at IS NULL', [userId]),
    ).toEqual([]);
  }

  it('leaves nothing of a user who is being deleted', async () => {
    const commit = new Latch();
    const { deleted } = await deleteUpTo(commit.opened);
    const { request, response } = browser();
    const signedIn = Promise.allSettled([here.signIn.complete(request, response, proven())]);
    await waitingForALock(storage, signedIn);
    commit.open();
    expect(await deleted).toBe(true);
    expect((await signedIn)[0].status).toBe('rejected');
    await expectNothingLeft();
  });

  it('links nothing to a user who is being deleted', async () => {
    const { request, response } = browser();
    await here.signIn.complete(request, response, proven());
    subject = `another of ${subject}`;
    const commit = new Latch();
    const { deleted } = await deleteUpTo(commit.opened);
    const connected = Promise.allSettled([here.signIn.complete(request, response, proven(userId))]);
    await waitingForALock(storage, connected);
    commit.open();
    expect(await deleted).toBe(true);
    expect((await connected)[0].status).toBe('rejected');
    await expectNothingLeft();
  });

  it('and being deleted at the same moment, again and again, leaves a user or nothing', async () => {
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const { request, response } = browser();
        await Promise.allSettled([here.signIn.complete(request, response, proven())]);
      }).concat(elsewhere.deletion.delete(userId).then(() => undefined)),
    );
    await expectNothingLeft();
  });

  it('with a password that was changed meanwhile starts no session', async () => {
    const { id } = await here.userAccounts.create({ username: `ada-${people}`, password: new Secret('the old one') });
    const sessions = () => storage.database.query('SELECT id FROM sessions WHERE user_id = ?', [id]);
    const withOld = () => {
      const { request, response } = browser();
      return here.signIn.withPassword(request, response, `ada-${people}`, new Secret('the old one'));
    };
    await withOld();
    expect(await sessions()).toHaveLength(1);
    here.throttling.happens = () => elsewhere.userAccounts.change(id, { password: new Secret('the new one') });
    await expect(withOld()).rejects.toMatchObject({ code: 'credentials.password-wrong' });
    expect(await sessions()).toHaveLength(1);
  });
});
