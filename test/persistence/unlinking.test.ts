import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/common/secret.js';
import { parseIdentityProvider } from '../../src/config/index.js';
import { toProvider } from '../../src/identity-providers/index.js';
import { databases } from '../support/databases.js';
import { openStorage, type Storage } from './support/storage.js';
import { roomOf } from './support/vault-room.js';

const PROVIDER = 'corp';
const ISSUER = 'https://corp.example';

describe.each(databases)('linking and unlinking on $name', (kind) => {
  let storage: Storage;
  let room: ReturnType<typeof roomOf>;
  let count = 0;
  let userId = '';
  beforeAll(async () => {
    Logger.overrideLogger(false);
    storage = await openStorage(kind);
    room = roomOf(storage.first);
    // Messages stay where they are: this is about what is written, test/e2e/vault/revocation about what is sent.
    await room.outbox.beforeApplicationShutdown();
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    userId = `user-${(count += 1)}`;
    await register('us');
  });

  const register = (clientId: string): Promise<void> =>
    room.providers.put(
      toProvider(parseIdentityProvider({ id: PROVIDER, issuer: ISSUER, client_id: clientId, client_secret: 'secret' })),
    );
  const link = (subject: string, upstreamClientId = 'us'): Promise<string> =>
    room.linkedAccounts.link({
      userId,
      identityProvider: PROVIDER,
      issuer: ISSUER,
      subject: `${subject}-${count}`,
      upstreamClientId,
      claims: {},
      requestedScope: 'openid',
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
  const pending = (subject: string) => ({
    identityProvider: PROVIDER,
    subject: `${subject}-${count}`,
    state: 'pending',
    at: storage.clock.now(),
    accountId: expect.any(String) as unknown,
  });

  it('promise 16: knows of every account that was unlinked what became of it at its provider', async () => {
    await link('one');
    await link('two');
    expect(await room.linkedAccounts.revocationsOf(userId)).toEqual([]);
    expect(await room.linkedAccounts.unlinkAll(userId)).toBe(2);
    expect(await room.linkedAccounts.ofUser(userId)).toEqual([]);
    const revocations = await room.linkedAccounts.revocationsOf(userId);
    expect(revocations).toHaveLength(2);
    expect(revocations).toEqual(expect.arrayContaining([pending('one'), pending('two')]));
    expect(await room.linkedAccounts.revocationsOf('somebody else')).toEqual([]);
  });

  it('promise 16: revokes nothing of an account that stays linked, because the unlinking is rolled back', async () => {
    await link('one');
    const work = async (): Promise<void> => {
      await room.linkedAccounts.unlinkAll(userId);
      throw new Error('on second thoughts');
    };
    await expect(storage.first.unitOfWork.run(work)).rejects.toThrow('on second thoughts');
    expect(await room.linkedAccounts.revocationsOf(userId)).toEqual([]);
    expect(await room.linkedAccounts.ofUser(userId)).toMatchObject([{ status: 'active' }]);
  });

  it('promise 16: has nothing to revoke of a subject without tokens', async () => {
    await room.accounts.insertOnce({ userId, identityProvider: PROVIDER, subject: `declared-${count}` });
    await room.linkedAccounts.unlinkAll(userId);
    expect(await room.linkedAccounts.revocationsOf(userId)).toEqual([]);
  });

  it('promise 11: shows an account of another client as one that has to be linked again, for as long as it is', async () => {
    await link('one');
    expect(await room.linkedAccounts.ofUser(userId)).toMatchObject([{ status: 'active', reason: undefined }]);
    await register('us, registered anew');
    expect(await room.linkedAccounts.ofUser(userId)).toMatchObject([
      { status: 'reauthentication-required', reason: 'provider_changed' },
    ]);
    await link('one', 'us, registered anew');
    expect(await room.linkedAccounts.ofUser(userId)).toMatchObject([{ status: 'active', reason: undefined }]);
  });

  it('promise 9: linking forgets failures of the provider, and not that it asked to be left alone', async () => {
    await room.circuits.failed(PROVIDER, { probe: false, retryAfterMs: 0 });
    await link('one');
    expect(await storage.database.query('SELECT * FROM upstream_circuits')).toEqual([]);
    await room.circuits.failed(PROVIDER, { probe: false, retryAfterMs: 60_000 });
    await link('one');
    expect(await room.circuits.pausedMs(PROVIDER)).toBe(60_000);
  });
});
