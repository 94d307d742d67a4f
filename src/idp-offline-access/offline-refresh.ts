import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { Clock } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import type { Secret } from '../common/secret.js';
import { Configuration } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import { UpstreamClients, UpstreamError, type IdentityProvider } from '../identity-providers/index.js';
import type { LinkedAccount, ReauthenticationReason } from './linked-account.js';
import { LinkedAccountsRepository } from './linked-accounts.repository.js';
import { toCredentials } from './upstream-credentials.js';

/** How often a reader whose refresh is done elsewhere looks whether it has happened. */
const POLL_MS = 75;
/** What storing the answer may take, beyond the call's own time-out. */
const WRITE_MARGIN_MS = 5_000;
const DEFAULT_RETRY_SECONDS = 5;

export type RefreshOutcome =
  /** The row is as fresh as it gets, or gone: read it again. */
  { kind: 'changed' } | { kind: 'unavailable'; retryAfterSeconds: number } | { kind: 'misconfigured' };

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
      if (await this.accounts.acquireLease(account, owner, leaseMs))
        return this.#holdingLease(account, provider, owner);
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

  async #holdingLease(account: LinkedAccount, provider: IdentityProvider, owner: string): Promise<RefreshOutcome> {
    const release = (intentAnswered: boolean, lastError?: string) =>
      this.accounts.releaseLease(account.id, owner, { intentAnswered, ...(lastError !== undefined && { lastError }) });
    const current = await this.accounts.find(account.id);
    const tokens = current && (await this.accounts.openTokens(current));
    const moved = !current || current.generation !== account.generation || current.expiresAt !== account.expiresAt;
    if (moved || !tokens?.refreshToken) {
      await release(false);
      return { kind: 'changed' };
    }
    const interrupted = current.refreshIntentAt !== undefined;
    if (!(await this.accounts.recordIntent(account.id, owner))) return { kind: 'changed' };
    const stopRenewing = this.#renewWhileRunning(account.id, owner);
    try {
      return await this.#redeem(current, tokens.refreshToken, provider);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      return await this.#failed(error, { account: current, interrupted, release });
    } finally {
      stopRenewing();
    }
  }

  async #redeem(account: LinkedAccount, refreshToken: Secret, provider: IdentityProvider): Promise<RefreshOutcome> {
    const client = this.upstreamClients.for(provider);
    const answer = await client.refresh({ refreshToken });
    const { idToken } = answer;
    // Network-free, so nothing can be lost between the provider's answer and the write.
    const match = idToken ? client.checkIdTokenOffline(idToken, { subject: account.subject }) : 'match';
    const reason = match === 'match' ? undefined : match === 'mismatch' ? 'subject_mismatch' : 'id_token_invalid';
    const verified = idToken === undefined;
    const stored = await this.unitOfWork.run(async () => {
      const kept = await this.accounts.storeRefreshed(account, toCredentials(answer), {
        verified,
        ...(reason && { reason }),
      });
      await this.#record(account, kept ? reason : 'superseded', !reason);
      return kept;
    });
    if (stored && idToken && !reason) {
      this.#verifyLater({ ...account, generation: account.generation + 1 }, provider, idToken);
    }
    return { kind: 'changed' };
  }

  async #failed(
    error: UpstreamError,
    {
      account,
      interrupted,
      release,
    }: {
      account: LinkedAccount;
      interrupted: boolean;
      release: (answered: boolean, lastError?: string) => Promise<void>;
    },
  ): Promise<RefreshOutcome> {
    if (error.kind === 'invalid_grant') {
      await this.#reauthenticationRequired(account, interrupted ? 'rotation_lost' : 'invalid_grant');
      return { kind: 'changed' };
    }
    const unavailable = error.kind === 'unavailable';
    // Where no answer came, the token may be spent all the same: the intent stays and the next holder knows.
    await release(!unavailable, error.kind);
    await this.#record(account, error.kind, false);
    this.#logger.warn(
      { identityProvider: account.identityProvider, kind: error.kind, detail: error.message },
      'upstream refresh failed',
    );
    if (!unavailable) return { kind: 'misconfigured' };
    const retryAfterSeconds =
      error.retryAfterMs === undefined ? DEFAULT_RETRY_SECONDS : Math.ceil(error.retryAfterMs / 1000);
    return { kind: 'unavailable', retryAfterSeconds: Math.max(1, retryAfterSeconds) };
  }

  async #reauthenticationRequired(account: LinkedAccount, reason: ReauthenticationReason): Promise<void> {
    await this.unitOfWork.run(async () => {
      // False when somebody linked the account again meanwhile: then nothing is lost, and nothing to say.
      if (await this.accounts.requireReauthentication(account, reason)) await this.#record(account, reason, false);
    });
    this.#logger.warn(
      { identityProvider: account.identityProvider, reason },
      'the user has to sign in at the provider again',
    );
  }

  /** The signature needs the provider's keys, so it is checked after the tokens are safe. Keys out of reach are no failure of the refresh. */
  #verifyLater(account: LinkedAccount, provider: IdentityProvider, idToken: Secret): void {
    const verification = this.upstreamClients
      .for(provider)
      .verifyIdToken(idToken, { subject: account.subject })
      .then(
        () => this.accounts.markVerified(account),
        (error: unknown) =>
          error instanceof UpstreamError && error.kind === 'rejected'
            ? this.#reauthenticationRequired(account, 'id_token_invalid')
            : undefined,
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

  #record(account: LinkedAccount, reason: string | undefined, success: boolean): Promise<void> {
    return this.audit.record({
      event: 'upstream-token.refreshed',
      outcome: success ? 'success' : 'failure',
      userId: account.userId,
      identityProvider: account.identityProvider,
      reason,
    });
  }
}
