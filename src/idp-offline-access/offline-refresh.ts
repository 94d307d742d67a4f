import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { Clock } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import type { Secret } from '../common/secret.js';
import { Configuration } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import {
  UpstreamClients,
  UpstreamError,
  type IdentityProvider,
  type TokenResponse,
} from '../identity-providers/index.js';
import type { LinkedAccount, ReauthenticationReason } from './linked-account.js';
import { LinkedAccountsRepository } from './linked-accounts.repository.js';
import { toCredentials } from './upstream-credentials.js';

/** How often a reader whose refresh is done elsewhere looks whether it has happened. */
const POLL_MS = 75;
/** What storing the answer may take, beyond the call's own time-out. */
export const WRITE_MARGIN_MS = 5_000;
const WRITE_RETRY_MS = 250;
const DEFAULT_RETRY_SECONDS = 5;

export type RefreshOutcome =
  /** The row is as fresh as it gets, or gone: read it again. */
  { kind: 'changed' } | { kind: 'unavailable'; retryAfterSeconds: number } | { kind: 'misconfigured' };

/** One account to be refreshed, by whoever holds its lease. */
interface Task {
  account: LinkedAccount;
  provider: IdentityProvider;
  owner: string;
}

/**
 * Refreshes upstream tokens while their users are away: once, however many callers and replicas ask. Inside a process
 * concurrent callers share one promise; between processes a lease in the database lets one of them make the call.
 * The call does not belong to the request that caused it: a caller who hangs up cannot lose a rotated token.
 */
@Injectable()
export class OfflineRefresh implements BeforeApplicationShutdown {
  readonly #logger = new Logger('OfflineRefresh');
  readonly #underWay = new Map<string, Promise<RefreshOutcome>>();
  readonly #verifications = new Set<Promise<void>>();

  constructor(
    @Inject(LinkedAccountsRepository) private readonly accounts: LinkedAccountsRepository,
    @Inject(UpstreamClients) private readonly upstreamClients: UpstreamClients,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  /** Refreshes the account as it was read, or waits until somebody else has. */
  refresh(account: LinkedAccount, provider: IdentityProvider): Promise<RefreshOutcome> {
    const key = `${account.id}:${account.generation}`;
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const started = this.unitOfWork
      .outside(() => this.#leaseAndRefresh(account, provider))
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, started);
    return started;
  }

  /** A refresh that has begun is finished: its answer exists nowhere else. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
    await Promise.allSettled(this.#verifications);
  }

  async #leaseAndRefresh(account: LinkedAccount, provider: IdentityProvider): Promise<RefreshOutcome> {
    const { UPSTREAM_LEASE_MS: leaseMs, UPSTREAM_TIMEOUT_MS: timeoutMs } = this.configuration.environment;
    const owner = this.randomness.id();
    const deadline = this.clock.now() + timeoutMs + WRITE_MARGIN_MS;
    for (;;) {
      if (await this.accounts.acquireLease(account, owner, leaseMs)) {
        return this.#holdingLease({ account, provider, owner });
      }
      const current = await this.accounts.find(account.id);
      if (!current || current.generation !== account.generation) return { kind: 'changed' };
      const leaseEndsAt = await this.accounts.leaseExpiresAt(account.id);
      const now = this.clock.now();
      if (now >= deadline) {
        const remaining = Math.ceil(((leaseEndsAt ?? now) - now) / 1000);
        return { kind: 'unavailable', retryAfterSeconds: Math.max(1, remaining) };
      }
      await delay(POLL_MS + (this.randomness.bytes(1)[0]! % POLL_MS));
    }
  }

  async #holdingLease(task: Task): Promise<RefreshOutcome> {
    const { account, owner } = task;
    const stopRenewing = this.#renewWhileRunning(account.id, owner);
    try {
      return await this.#redeemOnce(task);
    } catch (error) {
      // The next one may try at once. Where even that fails, the lease runs out by itself.
      await this.accounts.releaseLease(account.id, owner).catch(() => undefined);
      throw error;
    } finally {
      stopRenewing();
    }
  }

  async #redeemOnce(task: Task): Promise<RefreshOutcome> {
    const { account, provider, owner } = task;
    const current = await this.accounts.find(account.id);
    const tokens = current && (await this.accounts.openTokens(current));
    const moved = current?.generation !== account.generation || current.expiresAt !== account.expiresAt;
    if (moved || !tokens?.refreshToken) {
      await this.accounts.releaseLease(account.id, owner);
      return { kind: 'changed' };
    }
    const interrupted = current.refreshIntentAt !== undefined;
    const client = this.upstreamClients.for(provider);
    let sent = false;
    let answer: TokenResponse;
    try {
      // First, so that a provider who cannot be found at all is not mistaken for one who may have the token.
      await client.metadata();
      const { UPSTREAM_LEASE_MS: leaseMs } = this.configuration.environment;
      if (!(await this.accounts.recordIntent(account.id, owner, leaseMs))) return { kind: 'changed' };
      sent = true;
      answer = await client.refresh({ refreshToken: tokens.refreshToken });
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      return this.#failed(error, task, { sent, interrupted });
    }
    const { idToken } = answer;
    // Network-free, so nothing can be lost between the provider's answer and the write.
    const match = idToken ? client.checkIdTokenOffline(idToken, { subject: account.subject }) : 'match';
    if (match !== 'match') {
      const reason = match === 'mismatch' ? 'subject_mismatch' : 'id_token_invalid';
      // Not even kept: a later login without a refresh token of its own must not revive somebody else's.
      const verdict = () => this.#requireReauthentication(account, reason, { forgetTokens: true });
      if (!(await this.#untilWritten(verdict))) await this.accounts.releaseLease(account.id, owner);
      return { kind: 'changed' };
    }
    const { refreshToken } = tokens;
    const stored = await this.#untilWritten(() => this.#store(task, refreshToken, answer));
    if (stored && idToken) this.#verifyLater({ ...account, generation: account.generation + 1 }, provider, idToken);
    return { kind: 'changed' };
  }

  /** Stores the answer, unless a sign-in was faster; even then the successor of what was spent is not lost. */
  #store({ account, owner }: Task, spent: Secret, answer: TokenResponse): Promise<boolean> {
    return this.unitOfWork.run(async () => {
      const verified = answer.idToken === undefined;
      const stored = await this.accounts.storeRefreshed(account, toCredentials(answer), { verified });
      if (!stored && answer.refreshToken) await this.accounts.replaceRefreshToken(account, spent, answer.refreshToken);
      if (!stored) await this.accounts.releaseLease(account.id, owner, { intentAnswered: true });
      await this.#record(account, stored ? undefined : 'superseded');
      return stored;
    });
  }

  /**
   * The provider has rotated the refresh token and its successor exists nowhere but here, so a database that is away
   * is asked again for as long as the lease keeps others from using up the old one.
   */
  async #untilWritten<Result>(write: () => Promise<Result>): Promise<Result> {
    const deadline = this.clock.now() + this.configuration.environment.UPSTREAM_LEASE_MS;
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (this.clock.now() >= deadline) throw error;
        this.#logger.warn({ error }, 'refreshed tokens could not be stored yet');
        await delay(WRITE_RETRY_MS);
      }
    }
  }

  async #failed(
    error: UpstreamError,
    { account, owner }: Task,
    { sent, interrupted }: { sent: boolean; interrupted: boolean },
  ): Promise<RefreshOutcome> {
    if (error.kind === 'invalid_grant') {
      const reason = interrupted ? 'rotation_lost' : 'invalid_grant';
      const applied = await this.#requireReauthentication(account, reason, { leaseOwner: owner });
      if (!applied) await this.accounts.releaseLease(account.id, owner, { intentAnswered: true });
      return { kind: 'changed' };
    }
    const unavailable = error.kind === 'unavailable';
    // Where no answer came, now or earlier, the token may be spent all the same: the intent stays and the next holder knows.
    const intentAnswered = sent && !unavailable && !interrupted;
    await this.accounts.releaseLease(account.id, owner, { intentAnswered, lastError: error.kind });
    await this.#record(account, error.kind);
    this.#logger.warn(
      { identityProvider: account.identityProvider, kind: error.kind, detail: error.message },
      'upstream refresh failed',
    );
    if (!unavailable) return { kind: 'misconfigured' };
    const retryAfterSeconds =
      error.retryAfterMs === undefined ? DEFAULT_RETRY_SECONDS : Math.ceil(error.retryAfterMs / 1000);
    return { kind: 'unavailable', retryAfterSeconds: Math.max(1, retryAfterSeconds) };
  }

  /** Answers whether it applied: not when somebody linked the account again meanwhile, for then nothing is lost. */
  async #requireReauthentication(
    account: LinkedAccount,
    reason: ReauthenticationReason,
    only: { leaseOwner?: string; forgetTokens?: boolean } = {},
  ): Promise<boolean> {
    const required = await this.unitOfWork.run(async () => {
      const changed = await this.accounts.requireReauthentication(account, reason, only);
      if (changed) await this.#record(account, reason);
      return changed;
    });
    if (required) {
      this.#logger.warn(
        { identityProvider: account.identityProvider, reason },
        'the user has to sign in at the provider again',
      );
    }
    return required;
  }

  /** The signature needs the provider's keys, so it is checked after the tokens are safe. Keys out of reach are no failure of the refresh. */
  #verifyLater(account: LinkedAccount, provider: IdentityProvider, idToken: Secret): void {
    const verification = this.upstreamClients
      .for(provider)
      .verifyIdToken(idToken, { subject: account.subject })
      .then(
        () => this.accounts.markVerified(account),
        async (error: unknown) => {
          const rejected = error instanceof UpstreamError && error.kind === 'rejected';
          if (rejected) await this.#requireReauthentication(account, 'id_token_invalid', { forgetTokens: true });
        },
      )
      .catch((error: unknown) => this.#logger.error({ error }, 'an id_token could not be verified'))
      .finally(() => this.#verifications.delete(verification));
    this.#verifications.add(verification);
  }

  /** A lease outlives a slow call, up to a cap: a holder that hangs does not keep it for ever. */
  #renewWhileRunning(id: string, owner: string): () => void {
    const { UPSTREAM_LEASE_MS: leaseMs } = this.configuration.environment;
    let renewals = 3;
    const timer = setInterval(() => {
      renewals -= 1;
      if (renewals < 0) {
        clearInterval(timer);
        return;
      }
      this.accounts
        .renewLease(id, owner, leaseMs)
        .catch((error: unknown) => this.#logger.warn({ error }, 'a lease was not renewed'));
    }, leaseMs / 3);
    return () => clearInterval(timer);
  }

  /** Without a reason it is a success. */
  #record(account: LinkedAccount, reason: string | undefined): Promise<void> {
    return this.audit.record({
      event: 'upstream-token.refreshed',
      outcome: reason === undefined ? 'success' : 'failure',
      userId: account.userId,
      identityProvider: account.identityProvider,
      reason,
    });
  }
}
