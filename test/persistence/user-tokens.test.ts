import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Audit } from '../../src/audit/audit.js';
import { ClientsRepository } from '../../src/clients/clients.repository.js';
import { digest } from '../../src/common/random.js';
import type { Secret } from '../../src/common/secret.js';
import type { Caller } from '../../src/tokens/access-tokens/caller.js';
import { Callers } from '../../src/tokens/access-tokens/callers.js';
import { GrantsRepository } from '../../src/tokens/grants/grants.repository.js';
import type { Creation } from '../../src/tokens/user-tokens/user-token.js';
import { UserTokens } from '../../src/tokens/user-tokens/user-tokens.js';
import { UsersRepository } from '../../src/users/users.repository.js';
import { databases } from '../support/databases.js';
import { newClient } from './support/clients.js';
import { fiftyTimes, openStorage, type Replica, type Storage } from './support/storage.js';

const A_DAY_MS = 24 * 3_600_000;
const A_WEEK_MS = 7 * A_DAY_MS;

const CLIENT = newClient({
  client_id: 'app',
  token_endpoint_auth_method: 'none',
  redirect_uris: ['https://app.example/callback'],
  scope: 'openid profile onezone:tokens',
  consent: 'implicit',
});

const partsOf = ({ unitOfWork, clock, randomness, expiredRows }: Replica) => {
  const users = new UsersRepository(unitOfWork, clock, randomness);
  const clients = new ClientsRepository(unitOfWork, clock, randomness);
  const grants = new GrantsRepository(unitOfWork, clock, randomness);
  const audit = new Audit(unitOfWork, clock, randomness);
  const callers = new Callers(grants, clients, users);
  const tokens = new UserTokens(unitOfWork, callers, audit, clock, randomness, users, expiredRows);
  return { users, clients, grants, tokens };
};

const named = (name: string, expiresAt?: number) => ({ name, metadata: {}, revoked: false, expiresAt });

function made(creation: Creation): { id: string; token: Secret } {
  if (creation.kind !== 'created') throw new Error(creation.kind);
  return creation;
}

describe.each(databases)('tokens that users make, on $name', (kind) => {
  let storage: Storage;
  let first: ReturnType<typeof partsOf>;
  let second: ReturnType<typeof partsOf>;
  /** A new user for each test. */
  let ada: Caller;

  beforeAll(async () => {
    storage = await openStorage(kind);
    first = partsOf(storage.first);
    second = partsOf(storage.second);
    await first.clients.put(CLIENT, undefined);
  });
  afterAll(async () => {
    await storage.close();
  });
  beforeEach(async () => {
    ada = { user: await first.users.create({ fullName: 'Ada' }), scope: new Set(['onezone:tokens']) };
  });

  const now = () => storage.clock.now();
  const rows = (caller: Caller) =>
    storage.database.query('SELECT * FROM user_tokens WHERE user_id = ? ORDER BY name', [caller.user.id]);
  const audited = (caller: Caller) =>
    storage.database.query('SELECT event, reason FROM audit_events WHERE user_id = ?', [caller.user.id]);
  const temporary = (expiresAt?: number) => first.tokens.createTemporary(ada, { expiresAt });
  const throughClient = async (): Promise<Caller & { grantId: string }> => {
    const grant = await first.grants.create({
      userId: ada.user.id,
      clientId: 'app',
      scope: CLIENT.scope,
      sessionId: undefined,
      authTime: now(),
      claims: {},
    });
    const client = await first.clients.find('app');
    if (!client) throw new Error('the client is gone');
    return { user: ada.user, client, scope: new Set(CLIENT.scope), grantId: grant.id };
  };

  it.each([
    ['whose password was changed', { passwordHash: 'another' }, 'credentials.password-wrong'],
    ['who was blocked', { blocked: true }, 'user.blocked'],
  ])('are not made for a user %s since the request was judged', async (_case, change, code) => {
    storage.clock.advance(1);
    await second.users.change(ada.user.id, change);
    await expect(first.tokens.createNamed(ada, named('late'))).rejects.toMatchObject({ code });
    expect(await rows(ada)).toEqual([]);
  });

  it('are not made for a user who is gone', async () => {
    await second.users.delete(ada.user.id);
    await expect(temporary(now() + 1000)).rejects.toMatchObject({ code: 'user.blocked' });
    expect(await rows(ada)).toEqual([]);
  });

  it('one of fifty makers gets a name, the others make nothing', async () => {
    const creations = await fiftyTimes([storage.first, storage.second], (replica) =>
      (replica === storage.first ? first : second).tokens.createNamed(ada, named('wanted')),
    );
    expect(creations.filter((creation) => creation.kind === 'created')).toHaveLength(1);
    expect(creations.filter((creation) => creation.kind === 'name-occupied')).toHaveLength(49);
    expect(await rows(ada)).toHaveLength(1);
    expect(await audited(ada)).toEqual([{ event: 'user-token.created', reason: 'named' }]);
  });

  it('one of many gets a name when all are renamed to it', async () => {
    const ids = [];
    for (const name of ['aa', 'bb', 'cc', 'dd']) ids.push(made(await first.tokens.createNamed(ada, named(name))).id);
    const renamed = await Promise.all(
      ids.map((id, index) => (index % 2 ? first : second).tokens.changeNamed(ada, id, { name: 'the one' })),
    );
    expect(renamed.filter(Boolean)).toHaveLength(1);
    expect((await rows(ada)).filter(({ name }) => name === 'the one')).toHaveLength(1);
    expect((await audited(ada)).filter(({ event }) => event === 'user-token.updated')).toHaveLength(1);
  });

  it('keeps a digest and nothing that could be used', async () => {
    const { token } = made(await first.tokens.createNamed(ada, named('digested')));
    const [row] = await rows(ada);
    expect(row?.['digest']).toBe(digest(token.reveal()));
    expect(JSON.stringify(row)).not.toContain(token.reveal());
  });

  it('ends at the very instant', async () => {
    const { token } = made(await first.tokens.createNamed(ada, named('brief', now() + 1000)));
    storage.clock.advance(999);
    expect(await second.tokens.authenticate(token)).toMatchObject({ user: ada.user, expiresAt: now() + 1 });
    storage.clock.advance(1);
    await expect(second.tokens.authenticate(token)).rejects.toMatchObject({ code: 'credentials.caveat-unverified' });
  });

  it('lives a week at most without a name, and for ever with one', async () => {
    const refused = { kind: 'expiry-required', maxSeconds: A_WEEK_MS / 1000 };
    expect(await temporary()).toEqual(refused);
    expect(await temporary(now() + A_WEEK_MS + 1)).toEqual(refused);
    made(await temporary(now() + A_WEEK_MS));
    const { token } = made(await first.tokens.createNamed(ada, named('lasting')));
    storage.clock.advance(1000 * A_WEEK_MS);
    expect((await second.tokens.authenticate(token)).expiresAt).toBeUndefined();
  });

  it('of a client ends at once, at every replica, with what the user allowed it', async () => {
    const caller = await throughClient();
    const { token } = made(await first.tokens.createNamed(caller, named('rooted')));
    const authenticated = await second.tokens.authenticate(token);
    expect([...authenticated.scope].toSorted()).toEqual(['openid', 'profile']);
    expect(authenticated.client?.clientId).toBe('app');
    await first.grants.revoke(caller.grantId, 'test');
    await expect(second.tokens.authenticate(token)).rejects.toMatchObject({ code: 'credentials.token-revoked' });
  });

  it('of a client is refused while the client is disabled', async () => {
    const { token } = made(await first.tokens.createNamed(await throughClient(), named('orphaned')));
    await first.clients.disable('app');
    await expect(second.tokens.authenticate(token)).rejects.toMatchObject({ code: 'credentials.token-invalid' });
    await first.clients.put(CLIENT, undefined);
    expect((await second.tokens.authenticate(token)).user.id).toBe(ada.user.id);
  });

  it('are swept a day after they expired; those that do not expire stay', async () => {
    made(await first.tokens.createTemporary(ada, { expiresAt: now() + 1000 }));
    made(await first.tokens.createNamed(ada, named('ending', now() + 1000)));
    made(await first.tokens.createNamed(ada, named('lasting')));
    storage.clock.advance(1000 + A_DAY_MS);
    await storage.first.expiredRows.sweep();
    expect(await rows(ada)).toHaveLength(3);
    storage.clock.advance(1);
    await storage.first.expiredRows.sweep();
    expect((await rows(ada)).map(({ name }) => name)).toEqual(['lasting']);
  });

  it("all go with their user, and nobody else's", async () => {
    const eve = { user: await first.users.create({ fullName: 'Eve' }), scope: ada.scope };
    made(await first.tokens.createNamed(eve, named('hers')));
    made(await first.tokens.createNamed(ada, named('one')));
    made(await first.tokens.createNamed(await throughClient(), named('two')));
    const { token } = made(await first.tokens.createTemporary(ada, { expiresAt: now() + 1000 }));
    await first.tokens.forgetUser(ada.user.id);
    expect(await rows(ada)).toEqual([]);
    expect(await rows(eve)).toHaveLength(1);
    await expect(second.tokens.authenticate(token)).rejects.toMatchObject({ code: 'credentials.token-invalid' });
  });

  it('that a password made go with it; those of a client rest on what the user allowed that', async () => {
    const eve = { user: await first.users.create({ fullName: 'Eve' }), scope: ada.scope };
    made(await first.tokens.createNamed(eve, named('hers')));
    const { token } = made(await first.tokens.createNamed(ada, named('by password')));
    made(await temporary(now() + 1000));
    made(await first.tokens.createNamed(await throughClient(), named('through a client')));
    await first.tokens.forgetMadeByPassword(ada.user.id);
    await first.tokens.forgetMadeByPassword(ada.user.id);
    expect((await rows(ada)).map(({ name }) => name)).toEqual(['through a client']);
    expect(await rows(eve)).toHaveLength(1);
    await expect(second.tokens.authenticate(token)).rejects.toMatchObject({ code: 'credentials.token-invalid' });
    expect((await audited(ada)).filter(({ event }) => event === 'user-token.deleted')).toEqual([
      { event: 'user-token.deleted', reason: 'password' },
    ]);
  });

  it('are a thousand at most without a name, of those that live', async () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `${ada.user.id}-${index}`);
    await storage.database.query(
      `INSERT INTO user_tokens (id, user_id, digest, metadata, created_at, expires_at) VALUES ${ids
        .map((id) => `('${id}', '${ada.user.id}', '${id}', '{}', 1, ${now() + 1000})`)
        .join(', ')}`,
    );
    expect(await temporary(now() + 5000)).toEqual({ kind: 'limit-reached', limit: 1000 });
    storage.clock.advance(1000);
    made(await temporary(now() + 5000));
  });
});
