import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Secret } from '../../src/common/secret.js';
import { parseIdentityProvider } from '../../src/config/index.js';
import { toProvider } from '../../src/identity-providers/index.js';
import { KeepAlive } from '../../src/idp-offline-access/keep-alive.js';
import type { LinkedAccount, UpstreamCredentials } from '../../src/idp-offline-access/linked-account.js';
import type { OfflineRefresh, RefreshOutcome } from '../../src/idp-offline-access/offline-refresh.js';
import { Jobs } from '../../src/jobs/index.js';
import { databases } from '../support/databases.js';
import { Latch } from './support/latch.js';
import { openStorage, type Storage } from './support/storage.js';
import { roomOf } from './support/vault-room.js';

const PROVIDER = 'corp';
const ISSUER = 'https://corp.example';
const DAY_MS = 24 * 3_600_000;
const IDLE_DAYS = 10;
const IDLE_MS = IDLE_DAYS * DAY_MS;
const identity = { issuer: ISSUER, upstreamClientId: 'us', claims: {} };

const subjectsOf = (accounts: readonly LinkedAccount[]) => accounts.map(({ subject }) => subject);

describe.each(databases)('keeping accounts alive on $name', (kind) => {
  let storage: Storage;
  let room: ReturnType<typeof roomOf>;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    storage = await openStorage(kind);
    room = roomOf(storage.first);
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    for (const table of ['linked_accounts', 'upstream_circuits', 'identity_providers']) {
      await storage.database.query(`DELETE FROM ${table}`);
    }
    await declare();
  });

  const declare = (changes: object = {}, id = PROVIDER): Promise<void> =>
    room.providers.put(
      toProvider(
        parseIdentityProvider({
          id,
          issuer: ISSUER,
          client_id: 'us',
          client_secret: 'secret',
          offline_access: true,
          refresh_token_idle_lifetime: IDLE_DAYS * 86_400,
          ...changes,
        }),
      ),
    );
  const credentials = (changes: Partial<UpstreamCredentials> = {}): UpstreamCredentials => ({
    accessToken: new Secret('access'),
    refreshToken: new Secret('refresh'),
    idToken: new Secret('id'),
    tokenType: 'Bearer',
    scope: ['openid'],
    expiresAt: undefined,
    obtainedAt: storage.clock.now(),
    ...changes,
  });
  const found = async (subject: string, provider = PROVIDER): Promise<LinkedAccount> => {
    const account = await room.accounts.findBySubject(provider, subject);
    if (!account) throw new Error(`${subject} is gone`);
    return account;
  };
  const link = async (
    subject: string,
    given: Partial<UpstreamCredentials> = {},
    provider = PROVIDER,
  ): Promise<LinkedAccount> => {
    await room.accounts.insertOnce({ userId: `user ${subject}`, identityProvider: provider, subject });
    await room.accounts.storeLinked((await found(subject, provider)).id, identity, credentials(given));
    return found(subject, provider);
  };
  const set = (subject: string, changes: Record<string, unknown>): Promise<unknown> =>
    storage.database.query(
      `UPDATE linked_accounts SET ${Object.keys(changes)
        .map((name) => `${name} = ?`)
        .join(', ')} WHERE subject = ?`,
      [...Object.values(changes), subject],
    );
  const refreshed = async (given: Partial<UpstreamCredentials>): Promise<void> => {
    expect(await room.accounts.storeRefreshed(await found('a'), credentials(given), { verified: true })).toBe(true);
  };
  const due = async (wanted: { idleLifetimeMs?: number; after?: LinkedAccount } = { idleLifetimeMs: IDLE_MS }) =>
    subjectsOf(await room.accounts.dueForRefresh(PROVIDER, { ...wanted, limit: 10 }));

  const linkDue = async (...subjects: string[]): Promise<void> => {
    for (const subject of subjects) {
      await link(subject);
      storage.clock.advance(1);
    }
    storage.clock.advance(IDLE_MS);
  };

  describe('a refresh token is due', () => {
    it('when half of its idle lifetime has passed since it was obtained, and not before', async () => {
      await link('a');
      storage.clock.advance(IDLE_MS / 2 - 1);
      expect(await due()).toEqual([]);
      storage.clock.advance(1);
      expect(await due()).toEqual(['a']);
      expect(await due({})).toEqual([]);
    });

    it('when half of what its provider said has passed, whichever half comes first', async () => {
      const said = (lifetimeMs: number) => ({ refreshTokenExpiresAt: storage.clock.now() + lifetimeMs });
      await link('short', said(DAY_MS));
      await link('long', said(100 * DAY_MS));
      storage.clock.advance(DAY_MS / 2 - 1);
      expect(await due()).toEqual([]);
      storage.clock.advance(1);
      expect(await due({})).toEqual(['short']);
      storage.clock.advance(IDLE_MS / 2);
      expect((await due()).toSorted()).toEqual(['long', 'short']);
    });

    it('later when it is used, whether or not the provider gives another, but not when its user merely signs in', async () => {
      for (const subject of ['rotated', 'kept', 'signed in']) await link(subject);
      storage.clock.advance(IDLE_MS / 4);
      await room.accounts.storeRefreshed(await found('rotated'), credentials(), { verified: true });
      const without = credentials({ refreshToken: undefined });
      await room.accounts.storeRefreshed(await found('kept'), without, { verified: true });
      await room.accounts.storeLinked((await found('signed in')).id, identity, without);
      storage.clock.advance(IDLE_MS / 4);
      expect(await due()).toEqual(['signed in']);
    });

    it('never where the account is unlinked, waits for its user or for a provider, or has none', async () => {
      for (const subject of ['unlinked', 'refused', 'waiting', 'online', 'fine']) await link(subject);
      await set('unlinked', { unlinked_at: 1 });
      await room.accounts.requireReauthentication(await found('refused'), 'invalid_grant');
      await set('online', { refresh_token: null });
      storage.clock.advance(IDLE_MS);
      await set('waiting', { retry_at: storage.clock.now() + 1 });
      expect(await due()).toEqual(['fine']);
      storage.clock.advance(1);
      expect((await due()).toSorted()).toEqual(['fine', 'waiting']);
      await set('waiting', { retry_at: storage.clock.now() + 365 * DAY_MS });
      expect((await due()).toSorted()).toEqual(['fine', 'waiting']);
    });

    it('by what an earlier release knew of it', async () => {
      await link('a');
      await set('a', { refresh_token_used_at: null, refreshed_at: storage.clock.now() + 1 });
      storage.clock.advance(IDLE_MS / 2);
      expect(await due()).toEqual([]);
      storage.clock.advance(1);
      expect(await due()).toEqual(['a']);
    });

    it('the longest unused first, page after page', async () => {
      for (const subject of ['c', 'a', 'b']) {
        await link(subject);
        storage.clock.advance(1);
      }
      for (const subject of ['e', 'd']) await link(subject);
      storage.clock.advance(IDLE_MS);
      const seen: string[] = [];
      let after: LinkedAccount | undefined;
      do {
        const page = await room.accounts.dueForRefresh(PROVIDER, { idleLifetimeMs: IDLE_MS, after, limit: 2 });
        seen.push(...subjectsOf(page));
        after = page.at(-1);
      } while (after);
      expect(seen.slice(0, 3)).toEqual(['c', 'a', 'b']);
      expect(seen.slice(3).toSorted()).toEqual(['d', 'e']);
    });
  });

  it('what a provider said of a refresh token holds until it is replaced, or turns out to be good for longer', async () => {
    const until = storage.clock.now() + 2 * DAY_MS;
    const expiry = async () => {
      const [row] = await storage.database.query('SELECT refresh_token_expires_at AS at FROM linked_accounts');
      return row?.['at'] === null ? null : Number(row?.['at']);
    };
    await link('a', { refreshTokenExpiresAt: until });
    await refreshed({ refreshToken: undefined });
    expect(await expiry()).toBe(until);
    await refreshed({ refreshTokenExpiresAt: until + 1 });
    expect(await expiry()).toBe(until + 1);
    await refreshed({});
    expect(await expiry()).toBeNull();
    await refreshed({ refreshToken: undefined, refreshTokenExpiresAt: until });
    storage.clock.advance(3 * DAY_MS);
    await refreshed({ refreshToken: undefined });
    expect(await expiry()).toBeNull();
  });

  it('the successor of what a sign-in kept brings its own expiry, and is unused since it was obtained', async () => {
    const before = await link('a', { refreshToken: new Secret('spent') });
    await room.accounts.storeLinked(before.id, identity, credentials({ refreshToken: undefined }));
    storage.clock.advance(IDLE_MS / 2);
    expect(await due()).toEqual(['a']);
    const refreshTokenExpiresAt = storage.clock.now() + DAY_MS;
    const successor = { ...credentials({ refreshTokenExpiresAt }), refreshToken: new Secret('successor') };
    expect(await room.accounts.replaceRefreshToken(before, new Secret('spent'), successor)).toBe(true);
    expect(await due()).toEqual([]);
    storage.clock.advance(DAY_MS / 2);
    expect(await due()).toEqual(['a']);
  });

  it('an id_token waits to be verified once whoever refreshed it had the time to do so', async () => {
    for (const subject of ['away', 'verified', 'refused', 'none']) await link(subject);
    for (const subject of ['away', 'refused', 'none']) {
      await room.accounts.storeRefreshed(await found(subject), credentials(), { verified: false });
    }
    await set('none', { id_token: null });
    await room.accounts.requireReauthentication(await found('refused'), 'invalid_grant');
    const unverified = async () => subjectsOf(await room.accounts.unverified(PROVIDER, { sinceMs: 1_000, limit: 10 }));
    storage.clock.advance(999);
    expect(await unverified()).toEqual([]);
    storage.clock.advance(1);
    expect(await unverified()).toEqual(['away']);
  });

  describe('a run', () => {
    const asked: string[] = [];
    let outcomes: (() => Promise<RefreshOutcome>)[] = [];
    let verifiable = true;
    beforeEach(() => {
      asked.length = 0;
      outcomes = [];
      verifiable = true;
    });

    /** What the refresh itself does is shown elsewhere: here it counts whose, and when. */
    const keepAlive = (): KeepAlive => {
      const { unitOfWork, clock, randomness } = storage.first;
      const offlineRefresh = {
        refresh: ({ subject }: LinkedAccount) => {
          asked.push(subject);
          return outcomes.shift()?.() ?? Promise.resolve({ kind: 'changed' });
        },
        verify: ({ subject }: LinkedAccount) => {
          asked.push(`verify ${subject}`);
          return Promise.resolve(verifiable);
        },
      } as unknown as OfflineRefresh;
      const jobs = new Jobs(unitOfWork, clock, randomness);
      return new KeepAlive(room.accounts, room.providers, room.circuits, offlineRefresh, clock, randomness, jobs);
    };
    const never = new AbortController().signal;

    it('refreshes one account after the other, each once, and of two providers side by side', async () => {
      await declare({}, 'other');
      await link('x', {}, 'other');
      await linkDue('a', 'b');
      const both = new Latch();
      outcomes = Array.from({ length: 2 }, () => async () => {
        if (asked.length === 2) both.open();
        await both.opened;
        return { kind: 'changed' };
      });
      await keepAlive().run(never);
      // The first of each before the second of one.
      expect(asked.slice(0, 2).toSorted()).toEqual(['a', 'x']);
      expect(asked.slice(2)).toEqual(['b']);
    });

    it('leaves alone who is somebody else by now, is to be forgotten, or wants nothing refreshed', async () => {
      await linkDue('a');
      await declare({ client_id: 'us, registered anew' });
      await keepAlive().run(never);
      await declare({ retention: { absolute: 3600 } });
      await keepAlive().run(never);
      await declare({ offline_access: false });
      await keepAlive().run(never);
      await room.providers.disable(PROVIDER);
      await keepAlive().run(never);
      expect(asked).toEqual([]);
    });

    it('ends at a provider that asks to be left alone, before the first call and after any', async () => {
      await linkDue('a', 'b', 'c');
      await room.circuits.failed(PROVIDER, { probe: false, retryAfterMs: 60_000 });
      await keepAlive().run(never);
      expect(asked).toEqual([]);
      await room.circuits.answered(PROVIDER, { probe: true });
      outcomes = [
        async () => {
          await room.circuits.failed(PROVIDER, { probe: false, retryAfterMs: 60_000 });
          return { kind: 'unavailable', retryAfterSeconds: 60 };
        },
      ];
      await keepAlive().run(never);
      expect(asked).toEqual(['a']);
    });

    it('ends at a provider that does not know us, or is switched off meanwhile', async () => {
      await linkDue('a', 'b');
      outcomes = [() => Promise.resolve({ kind: 'misconfigured' })];
      await keepAlive().run(never);
      expect(asked).toEqual(['a']);
      outcomes = [() => room.providers.disable(PROVIDER).then(() => ({ kind: 'changed' }))];
      await keepAlive().run(never);
      expect(asked).toEqual(['a', 'a']);
    });

    it('goes on after an account that failed or cannot be opened', async () => {
      await linkDue('a', 'b', 'c');
      outcomes = [
        () => Promise.reject(new Error('the key is missing')),
        () => Promise.resolve({ kind: 'unavailable', retryAfterSeconds: 1 }),
      ];
      await keepAlive().run(never);
      expect(asked).toEqual(['a', 'b', 'c']);
    });

    it('ends in the pause between two accounts when it is told to', async () => {
      await linkDue('a', 'b');
      vi.useFakeTimers({ toFake: ['setTimeout'] });
      try {
        const stop = new AbortController();
        const running = keepAlive().run(stop.signal);
        await vi.waitFor(() => expect(asked).toEqual(['a']));
        stop.abort();
        await running;
        expect(asked).toEqual(['a']);
      } finally {
        vi.useRealTimers();
      }
    });

    it('verifies what could not be verified when it came, and stops where it still cannot', async () => {
      for (const subject of ['a', 'b']) {
        await link(subject);
        await room.accounts.storeRefreshed(await found(subject), credentials(), { verified: false });
      }
      storage.clock.advance(DAY_MS);
      verifiable = false;
      await keepAlive().run(never);
      expect(asked).toHaveLength(1);
      verifiable = true;
      await keepAlive().run(never);
      expect(asked.slice(1).toSorted()).toEqual(['verify a', 'verify b']);
    });
  });
});
