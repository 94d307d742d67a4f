import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Audit } from '../../../src/audit/index.js';
import { AccountJournal } from '../../../src/idp-offline-access/account-journal.js';
import { Clock } from '../../../src/common/clock.js';
import { SystemRandomness } from '../../../src/common/random.js';
import { Secret } from '../../../src/common/secret.js';
import type { Configuration } from '../../../src/config/index.js';
import type { UnitOfWork } from '../../../src/database/index.js';
import { UpstreamError, type IdentityProvider, type UpstreamClients } from '../../../src/identity-providers/index.js';
import type { LinkedAccount } from '../../../src/idp-offline-access/linked-account.js';
import type { LinkedAccountsRepository } from '../../../src/idp-offline-access/linked-accounts.repository.js';
import { OfflineRefresh } from '../../../src/idp-offline-access/offline-refresh.js';
import type { UpstreamCircuits } from '../../../src/idp-offline-access/upstream-circuits.js';
import type { UpstreamRevocation } from '../../../src/idp-offline-access/upstream-revocation.js';
import { VaultMetrics } from '../../../src/idp-offline-access/vault-metrics.js';
import { Metrics } from '../../../src/metrics/index.js';
import type { UsersRepository } from '../../../src/users/index.js';
import type { Webhooks } from '../../../src/webhooks/index.js';

/** What cannot be arranged from outside: faults between two steps. All else is shown by test/e2e/vault. */

const LEASE_MS = 900;

const account: LinkedAccount = {
  id: 'account',
  userId: 'user',
  identityProvider: 'mobypay',
  subject: 'alice',
  issuer: undefined,
  upstreamClientId: undefined,
  claims: {},
  status: 'active',
  reason: undefined,
  generation: 3,
  refreshIntentAt: undefined,
  tokenType: 'Bearer',
  scope: [],
  verified: true,
  expiresAt: 1,
  obtainedAt: 0,
  refreshedAt: undefined,
  refreshTokenUsedAt: 0,
  authorizedAt: 0,
  readAt: undefined,
  lastError: undefined,
  failures: 0,
  retryAt: undefined,
  linkedAt: undefined,
  linkedSessionId: undefined,
  createdAt: 0,
  updatedAt: 0,
};

const provider = { id: 'mobypay', offlineAccess: true } as IdentityProvider;

const answer = {
  accessToken: new Secret('access'),
  refreshToken: new Secret('rotated'),
  idToken: new Secret('id'),
  tokenType: 'Bearer',
  expiresInSeconds: 60,
  scope: undefined,
  receivedAt: 0,
};

class MonotonicClock extends Clock {
  now(): number {
    return Math.floor(performance.now());
  }
}

function world() {
  const accounts = {
    acquireLease: vi.fn(() => Promise.resolve(true)),
    find: vi.fn((): Promise<LinkedAccount | undefined> => Promise.resolve(account)),
    openTokens: vi.fn(() => Promise.resolve({ accessToken: undefined, refreshToken: new Secret('refresh') })),
    recordIntent: vi.fn(() => Promise.resolve(true)),
    renewLease: vi.fn(() => Promise.resolve(true)),
    releaseLease: vi.fn(() => Promise.resolve()),
    storeRefreshed: vi.fn(() => Promise.resolve(true)),
    replaceRefreshToken: vi.fn(() => Promise.resolve(false)),
    requireReauthentication: vi.fn(() => Promise.resolve(true)),
    markVerified: vi.fn(() => Promise.resolve()),
  };
  const freed = vi.fn();
  const journal = {
    record: vi.fn(() => Promise.resolve()),
    outcomeOf: vi.fn(() => Promise.resolve<'success' | 'failure' | undefined>(undefined)),
  };
  const upstream = {
    reserve: vi.fn(() => Promise.resolve<{ release: () => void } | undefined>({ release: freed })),
    refresh: vi.fn(() => Promise.resolve(answer)),
    checkIdTokenOffline: vi.fn(() => 'match'),
    verifyIdToken: vi.fn(() => Promise.resolve({})),
  };
  const circuits = {
    pausedMs: vi.fn(() => Promise.resolve(0)),
    admit: vi.fn((): ReturnType<UpstreamCircuits['admit']> => Promise.resolve({ kind: 'admitted', probe: false })),
    failed: vi.fn(() => Promise.resolve()),
    answered: vi.fn(() => Promise.resolve()),
  };
  const revocation = { request: vi.fn(() => Promise.resolve()) };
  const metrics = new Metrics();
  const refresh = new OfflineRefresh(
    accounts as unknown as LinkedAccountsRepository,
    { for: () => upstream } as unknown as UpstreamClients,
    circuits as unknown as UpstreamCircuits,
    revocation as unknown as UpstreamRevocation,
    { run: (work: () => unknown) => work(), outside: (work: () => unknown) => work() } as unknown as UnitOfWork,
    new AccountJournal(
      journal as unknown as Audit,
      { emit: () => Promise.resolve() } as unknown as Webhooks,
      {} as unknown as UsersRepository,
    ),
    new MonotonicClock(),
    new SystemRandomness(),
    { environment: { UPSTREAM_LEASE_MS: LEASE_MS, UPSTREAM_TIMEOUT_MS: 500 } } as unknown as Configuration,
    new VaultMetrics(metrics, {} as unknown as UnitOfWork),
  );
  return { metrics, accounts, upstream, circuits, revocation, journal, freed, refresh };
}

describe('a refresh whose surroundings fail', () => {
  let { accounts, upstream, circuits, revocation, journal, freed, refresh } = world();
  beforeEach(() => {
    Logger.overrideLogger(false);
    ({ accounts, upstream, circuits, revocation, journal, freed, refresh } = world());
  });

  it('promise 6: keys that are out of reach are no failure of the refresh', async () => {
    upstream.verifyIdToken.mockRejectedValue(new UpstreamError('unavailable', 'keys: timeout'));
    expect(await refresh.refresh(account, provider)).toEqual({ kind: 'changed' });
    await refresh.beforeApplicationShutdown();
    expect(upstream.verifyIdToken).toHaveBeenCalledOnce();
    expect(accounts.storeRefreshed).toHaveBeenCalledOnce();
    expect(accounts.requireReauthentication).not.toHaveBeenCalled();
    expect(accounts.markVerified).not.toHaveBeenCalled();
  });

  it('promise 6: a signature that does not verify counts for the generation that brought it', async () => {
    upstream.verifyIdToken.mockRejectedValue(new UpstreamError('rejected', 'id_token: signature'));
    await refresh.refresh(account, provider);
    await refresh.beforeApplicationShutdown();
    expect(accounts.requireReauthentication).toHaveBeenCalledWith(
      expect.objectContaining({ generation: account.generation + 1 }),
      'id_token_invalid',
      { forgetTokens: true },
    );
  });

  it('promise 7: a database that is away is asked again, and the provider is not', async () => {
    accounts.storeRefreshed.mockRejectedValueOnce(new Error('away')).mockRejectedValueOnce(new Error('away'));
    expect(await refresh.refresh(account, provider)).toEqual({ kind: 'changed' });
    expect(accounts.storeRefreshed).toHaveBeenCalledTimes(3);
    expect(upstream.refresh).toHaveBeenCalledOnce();
    expect(accounts.renewLease).toHaveBeenCalled();
  });

  it('promise 7: it is asked no longer than a lease; then the lease goes and the intent stays', async () => {
    accounts.storeRefreshed.mockRejectedValue(new Error('away'));
    await expect(refresh.refresh(account, provider)).rejects.toThrow('away');
    expect(accounts.releaseLease.mock.calls).toEqual([['account', expect.any(String), { intentAnswered: false }]]);
    // Nothing is left behind that later callers would be given.
    accounts.storeRefreshed.mockResolvedValue(true);
    expect(await refresh.refresh(account, provider)).toEqual({ kind: 'changed' });
  });

  it('promise 7: nothing is sent when the intent cannot be written, or the lease was lost before it was', async () => {
    accounts.recordIntent.mockRejectedValueOnce(new Error('away'));
    await expect(refresh.refresh(account, provider)).rejects.toThrow('away');
    // It may have been written without our knowing: as nothing was sent, nobody is to think that something was.
    expect(accounts.releaseLease.mock.calls).toEqual([['account', expect.any(String), { intentAnswered: true }]]);
    accounts.recordIntent.mockResolvedValueOnce(false);
    expect(await refresh.refresh(account, provider)).toEqual({ kind: 'changed' });
    expect(upstream.refresh).not.toHaveBeenCalled();
  });

  it('promise 7: a lease whose answer was lost goes, and the database is asked for that until it answers', async () => {
    accounts.acquireLease.mockRejectedValueOnce(new Error('away'));
    accounts.releaseLease.mockRejectedValueOnce(new Error('away')).mockRejectedValueOnce(new Error('away'));
    await expect(refresh.refresh(account, provider)).rejects.toThrow('away');
    await vi.waitFor(() => expect(accounts.releaseLease).toHaveBeenCalledTimes(3), { timeout: 10_000 });
    await refresh.beforeApplicationShutdown();
    const [[, owner] = []] = accounts.acquireLease.mock.calls as unknown[][];
    const release = ['account', owner, { intentAnswered: false }];
    expect(accounts.releaseLease.mock.calls).toEqual([release, release, release]);
  });

  it('promise 7: a process that ends leaves a lease to run out by itself while the database is away', async () => {
    accounts.recordIntent.mockRejectedValueOnce(new Error('away'));
    accounts.releaseLease.mockRejectedValue(new Error('away'));
    await expect(refresh.refresh(account, provider)).rejects.toThrow('away');
    await refresh.beforeApplicationShutdown();
    const attempts = accounts.releaseLease.mock.calls.length;
    accounts.releaseLease.mockResolvedValue();
    await refresh.refresh(account, provider);
    expect(accounts.releaseLease).toHaveBeenCalledTimes(attempts);
  });

  it('promise 7: what was written though its answer was lost is neither written again nor taken for lost', async () => {
    accounts.storeRefreshed.mockRejectedValueOnce(new Error('away'));
    journal.outcomeOf.mockResolvedValue('success');
    await refresh.refresh(account, provider);
    await refresh.beforeApplicationShutdown();
    const [[, owner] = []] = accounts.acquireLease.mock.calls as unknown[][];
    expect(journal.outcomeOf.mock.calls).toEqual([[owner]]);
    expect(accounts.storeRefreshed).toHaveBeenCalledOnce();
    expect(accounts.replaceRefreshToken).not.toHaveBeenCalled();
    expect(revocation.request).not.toHaveBeenCalled();
    expect(journal.record).not.toHaveBeenCalled();
    expect(accounts.markVerified).toHaveBeenCalledOnce();
  });

  it('promise 7: a refusal is written down however long the database takes, under the lease', async () => {
    upstream.refresh.mockRejectedValue(new UpstreamError('invalid_grant', 'refused'));
    accounts.requireReauthentication.mockRejectedValueOnce(new Error('away'));
    expect(await refresh.refresh(account, provider)).toEqual({ kind: 'changed' });
    const [[, owner] = []] = accounts.acquireLease.mock.calls as unknown[][];
    expect(journal.record).toHaveBeenCalledOnce();
    expect(journal.record).toHaveBeenCalledWith(expect.objectContaining({ id: owner, reason: 'invalid_grant' }));
  });

  it('promise 7: no intent is written before there is a connection to send the token on', async () => {
    upstream.reserve.mockResolvedValueOnce(undefined);
    expect(await refresh.refresh(account, provider)).toEqual({ kind: 'unavailable', retryAfterSeconds: 1 });
    expect(accounts.releaseLease.mock.calls).toEqual([['account', expect.any(String)]]);
    for (const step of [circuits.admit, circuits.failed, accounts.recordIntent, upstream.refresh, journal.record]) {
      expect(step).not.toHaveBeenCalled();
    }
    for (const fault of [circuits.admit, accounts.recordIntent, upstream.refresh]) {
      freed.mockClear();
      fault.mockRejectedValueOnce(new Error('away'));
      await expect(refresh.refresh(account, provider)).rejects.toThrow('away');
      expect(freed).toHaveBeenCalledOnce();
    }
  });

  it('promise 7: a row that cannot be decrypted is not redeemed, and its lease goes', async () => {
    accounts.openTokens.mockRejectedValue(new Error('the encryption key is not configured'));
    await expect(refresh.refresh(account, provider)).rejects.toThrow('not configured');
    expect(upstream.refresh).not.toHaveBeenCalled();
    expect(accounts.releaseLease).toHaveBeenCalledOnce();
  });

  it.each([
    { became: 'fresh', row: { ...account, expiresAt: 2 } },
    { became: 'another generation', row: { ...account, generation: 4 } },
    { became: 'unlinked', row: undefined },
  ])('promise 4: a row that has become $became when the lease is had is not redeemed', async ({ row }) => {
    accounts.find.mockResolvedValue(row);
    expect(await refresh.refresh(account, provider)).toEqual({ kind: 'changed' });
    expect(upstream.refresh).not.toHaveBeenCalled();
    expect(accounts.releaseLease).toHaveBeenCalledOnce();
  });

  it('promise 3: a refusal counts only while the lease is ours, since its next holder may know better', async () => {
    upstream.refresh.mockRejectedValue(new UpstreamError('invalid_grant', 'refused'));
    await refresh.refresh(account, provider);
    const [[, owner] = []] = accounts.acquireLease.mock.calls as unknown[][];
    expect(accounts.requireReauthentication).toHaveBeenCalledWith(account, 'invalid_grant', { leaseOwner: owner });
  });

  it('promise 7: an unanswered intent survives everything but tokens or a refusal', async () => {
    accounts.find.mockResolvedValue({ ...account, refreshIntentAt: 5 });
    for (const kind of ['unavailable', 'misconfigured'] as const) {
      upstream.refresh.mockRejectedValueOnce(new UpstreamError(kind, 'no'));
      await refresh.refresh(account, provider);
      upstream.reserve.mockRejectedValueOnce(new UpstreamError(kind, 'no'));
      await refresh.refresh(account, provider);
    }
    expect(accounts.releaseLease).toHaveBeenCalledTimes(4);
    for (const [, , outcome] of accounts.releaseLease.mock.calls as unknown[][]) {
      expect(outcome).toMatchObject({ intentAnswered: false });
    }
    upstream.refresh.mockRejectedValueOnce(new UpstreamError('invalid_grant', 'refused'));
    await refresh.refresh(account, provider);
    expect(accounts.requireReauthentication).toHaveBeenCalledWith(
      expect.anything(),
      'rotation_lost',
      expect.anything(),
    );
  });

  it.each(['interaction_required', 'login_required', 'consent_required', 'account_selection_required'])(
    'promise 9: a provider that says %s wants to see the user, whatever became of an earlier call',
    async (oauthError) => {
      accounts.find.mockResolvedValue({ ...account, refreshIntentAt: 5 });
      upstream.refresh.mockRejectedValue(new UpstreamError('invalid_grant', 'refused', { oauthError }));
      expect(await refresh.refresh(account, provider)).toEqual({ kind: 'changed' });
      const [[, reason] = []] = accounts.requireReauthentication.mock.calls as unknown[][];
      expect(reason).toBe('interaction_required');
      expect(circuits.answered).toHaveBeenCalledWith('mobypay', { probe: false });
    },
  );

  it('promise 9: a provider that is paused between the look and the lease is not asked', async () => {
    circuits.admit.mockResolvedValue({ kind: 'paused', remainingMs: 61_001 });
    expect(await refresh.refresh(account, provider)).toEqual({ kind: 'unavailable', retryAfterSeconds: 62 });
    expect(accounts.releaseLease.mock.calls).toEqual([['account', expect.any(String)]]);
    expect(upstream.refresh).not.toHaveBeenCalled();
  });

  it('promise 9: what comes of a probe is told to the circuit', async () => {
    circuits.admit.mockResolvedValue({ kind: 'admitted', probe: true });
    upstream.refresh.mockRejectedValueOnce(new UpstreamError('unavailable', 'no', { retryAfterMs: 7_000 }));
    await refresh.refresh(account, provider);
    expect(circuits.failed).toHaveBeenCalledWith('mobypay', { probe: true, retryAfterMs: 7_000 });
    await refresh.refresh(account, provider);
    expect(circuits.answered).toHaveBeenCalledWith('mobypay', { probe: true });
  });

  it('promise 9: a loser learns from the row that the winner failed, and does not call at once', async () => {
    accounts.acquireLease.mockResolvedValue(false);
    const retryAt = new MonotonicClock().now() + 60_000;
    const failed = { ...account, failures: 1, lastError: 'unavailable', retryAt };
    accounts.find.mockResolvedValue(failed);
    expect(await refresh.refresh(account, provider)).toMatchObject({ kind: 'unavailable' });
    expect(upstream.refresh).not.toHaveBeenCalled();
  });

  it('a pause that would last a year, because the clock was a year ahead, is over', async () => {
    const retryAt = new MonotonicClock().now() + 365 * 24 * 3_600_000;
    expect(await refresh.refresh({ ...account, failures: 1, retryAt }, provider)).toEqual({ kind: 'changed' });
    expect(upstream.refresh).toHaveBeenCalledOnce();
  });

  it.each([
    { now: 'unlinked', row: undefined, revoked: true },
    { now: 'known for signing in only', row: { ...account, status: 'sign-in-only' as const }, revoked: true },
    {
      now: 'forgotten',
      row: { ...account, status: 'reauthentication-required' as const, reason: 'expired' as const },
      revoked: true,
    },
    { now: 'linked again', row: { ...account, generation: 5 }, revoked: false },
  ])(
    'promise 16: the successor that arrives for an account that is $now, revoked: $revoked',
    async ({ row, revoked }) => {
      accounts.storeRefreshed.mockImplementation(() => {
        accounts.find.mockResolvedValue(row);
        return Promise.resolve(false);
      });
      await refresh.refresh(account, provider);
      expect(revocation.request.mock.calls).toEqual(revoked ? [[account, answer]] : []);
    },
  );

  it('promise 3: callers of one process share one call, and the next one makes its own', async () => {
    const several = await Promise.all([1, 2, 3].map(() => refresh.refresh(account, provider)));
    expect(several).toEqual([{ kind: 'changed' }, { kind: 'changed' }, { kind: 'changed' }]);
    expect(upstream.refresh).toHaveBeenCalledOnce();
    await refresh.refresh(account, provider);
    expect(upstream.refresh).toHaveBeenCalledTimes(2);
  });

  it('promise 3: a lease is renewed while the call runs, a limited number of times', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      let finish!: (given: typeof answer) => void;
      upstream.refresh.mockReturnValue(new Promise((resolve) => (finish = resolve)));
      const refreshing = refresh.refresh(account, provider);
      await vi.waitFor(() => expect(upstream.refresh).toHaveBeenCalled());
      vi.advanceTimersByTime(100 * LEASE_MS);
      expect(accounts.renewLease).toHaveBeenCalledTimes(3);
      finish(answer);
      await refreshing;
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
