import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { backoffMs, remainingPauseMs } from '../common/backoff.js';
import { Clock } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import type { Secret } from '../common/secret.js';
import { Configuration } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import {
  UnknownKeyError,
  UpstreamClients,
  UpstreamError,
  type ConnectionSlot,
  type IdentityProvider,
  type TokenResponse,
} from '../identity-providers/index.js';
import { AccountJournal } from './account-journal.js';
import type { LinkedAccount, OpenedTokens, ReauthenticationReason } from './linked-account.js';
import { LinkedAccountsRepository, type Setback } from './linked-accounts.repository.js';
import { UpstreamCircuits } from './upstream-circuits.js';
import { toCredentials } from './upstream-credentials.js';
import { UpstreamRevocation } from './upstream-revocation.js';
import { VaultMetrics } from './vault-metrics.js';

/** How often somebody whose refresh is done elsewhere looks whether it has happened: soon, and then less and less. */
const POLL = { firstMs: 100, maxMs: 1_000, factor: 1.3 };
/** When somebody who found all connections to the provider taken may try again. */
const BUSY_PAUSE_MS = 1_000;
/** What storing the answer may take, beyond the call's own time-out. */
export const WRITE_MARGIN_MS = 5_000;
const WRITE_RETRY_MS = 250;
/** Between two refreshes of an account that fail, unless the provider asks for more. */
const BACKOFF = { firstMs: 2_000, maxMs: 5 * 60_000, factor: 2 };
/** The operator has to act, and sees soon whether it helped. */
const MISCONFIGURED_PAUSE_MS = 10_000;
/** Less than this is left of a token that nobody can be served. */
const SERVABLE_MS = 1_000;
/** Refused not because the refresh token is dead, but because the provider wants to see its user. @see OpenID Connect Core 1.0 section 3.1.2.6 */
const WANTS_USER: readonly unknown[] = [
  'interaction_required',
  'login_required',
  'consent_required',
  'account_selection_required',
];

export type RefreshOutcome =
  /** The row is as fresh as it gets, or gone: read it again. */
  { kind: 'changed' } | { kind: 'unavailable'; retryAfterSeconds: number } | { kind: 'misconfigured' };

/** One account to be refreshed, by whoever holds its lease. */
interface Task {
  account: LinkedAccount;
  provider: IdentityProvider;
  owner: string;
  /** Whether the refresh token may have been sent, by us or by somebody before us who got no answer. */
  maybeSpent: boolean;
}

/** A call that the provider's circuit admitted. */
interface Call extends Omit<Task, 'maybeSpent'> {
  probe: boolean;
  /** Why what it brought can be kept, but not served. */
  shortfall?: string | undefined;
}

/** What came of a refresh that somebody else was faster than. */
const SUPERSEDED = 'superseded';

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
  readonly #releases = new Set<Promise<void>>();
  #stopping = false;

  constructor(
    @Inject(LinkedAccountsRepository) private readonly accounts: LinkedAccountsRepository,
    @Inject(UpstreamClients) private readonly upstreamClients: UpstreamClients,
    @Inject(UpstreamCircuits) private readonly circuits: UpstreamCircuits,
    @Inject(UpstreamRevocation) private readonly revocation: UpstreamRevocation,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(AccountJournal) private readonly journal: AccountJournal,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(VaultMetrics) private readonly metrics: VaultMetrics,
  ) {}

  /** How many accounts this process refreshes, or waits for another to. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Refreshes the account as it was read, or waits until somebody else has; neither while it is too early to ask again. */
  refresh(account: LinkedAccount, provider: IdentityProvider): Promise<RefreshOutcome> {
    const key = `${account.id}:${account.generation}`;
    const underWay = this.#underWay.get(key);
    if (underWay) {
      this.metrics.coalesced(provider.id);
      return underWay;
    }
    const started = this.unitOfWork
      .outside(() => this.#leaseAndRefresh(account, provider))
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, started);
    return started;
  }

  /**
   * Verifies the id_token of an account whose provider's keys were out of reach when it came. False where they still are;
   * one whose key has been retired since proves nothing, and waits for its successor.
   */
  async verify(account: LinkedAccount, provider: IdentityProvider): Promise<boolean> {
    const tokens = await this.accounts.openTokens(account);
    return !tokens?.idToken || this.#verify(account, provider, tokens.idToken, { late: true });
  }

  /** A refresh that has begun is finished: its answer exists nowhere else. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
    await Promise.allSettled(this.#verifications);
    this.#stopping = true;
    await Promise.allSettled(this.#releases);
  }

  async #leaseAndRefresh(account: LinkedAccount, provider: IdentityProvider): Promise<RefreshOutcome> {
    const { UPSTREAM_LEASE_MS: leaseMs, UPSTREAM_TIMEOUT_MS: timeoutMs } = this.configuration.environment;
    const postponed = this.#postponed(account) ?? (await this.#paused(provider));
    if (postponed) return postponed;
    // Nobody has looked yet.
    const task: Task = { account, provider, owner: this.randomness.id(), maybeSpent: true };
    const deadline = this.clock.now() + timeoutMs + WRITE_MARGIN_MS;
    let { leaseEndsAt } = account;
    for (let look = 1, free = true; ; look += 1) {
      if (free && (await this.#acquired(task, leaseMs))) {
        if (leaseEndsAt !== undefined && leaseEndsAt <= this.clock.now()) this.metrics.leaseTakenOver(provider.id);
        return this.#holdingLease(task);
      }
      const current = await this.accounts.find(account.id);
      if (current?.generation !== account.generation) return { kind: 'changed' };
      const failedMeanwhile = this.#postponed(current);
      if (failedMeanwhile) return failedMeanwhile;
      const now = this.clock.now();
      ({ leaseEndsAt } = current);
      if (now >= deadline) return unavailable((leaseEndsAt ?? now) - now);
      if (look === 1) this.metrics.leaseAwaited(provider.id);
      await delay(backoffMs(look, POLL, this.randomness));
      free = (leaseEndsAt ?? now) <= this.clock.now();
    }
  }

  async #acquired(task: Task, leaseMs: number): Promise<boolean> {
    try {
      return await this.accounts.acquireLease(task.account, task.owner, leaseMs);
    } catch (error) {
      // It may have been written all the same.
      this.#letGo(task);
      throw error;
    }
  }

  #postponed({ retryAt = 0, lastError, updatedAt }: LinkedAccount): RefreshOutcome | undefined {
    const remainingMs = remainingPauseMs(retryAt, this.clock.now(), updatedAt);
    if (remainingMs === 0) return undefined;
    return lastError === ('misconfigured' satisfies UpstreamError['kind'])
      ? { kind: 'misconfigured' }
      : unavailable(remainingMs);
  }

  async #paused({ id }: IdentityProvider): Promise<RefreshOutcome | undefined> {
    const pausedMs = await this.circuits.pausedMs(id);
    return pausedMs > 0 ? unavailable(pausedMs) : undefined;
  }

  async #holdingLease(task: Task): Promise<RefreshOutcome> {
    const { account, provider, owner } = task;
    const stopRenewing = this.#renewWhileRunning(account.id, owner);
    try {
      return await this.#redeemOnce(task);
    } catch (error) {
      this.#letGo(task);
      this.metrics.refreshed(provider.id, 'error');
      throw error;
    } finally {
      stopRenewing();
    }
  }

  async #redeemOnce(task: Task): Promise<RefreshOutcome> {
    const { account: read, provider, owner } = task;
    const account = await this.accounts.find(read.id);
    const tokens = account && (await this.accounts.openTokens(account));
    const moved = account?.generation !== read.generation || account.expiresAt !== read.expiresAt;
    if (moved || !tokens?.refreshToken) {
      await this.accounts.releaseLease(read.id, owner);
      return { kind: 'changed' };
    }
    const interrupted = account.refreshIntentAt !== undefined;
    task.maybeSpent = interrupted;
    const call: Call = { account, provider, owner, probe: false };
    const client = this.upstreamClients.for(provider);
    let sent = false;
    let slot: ConnectionSlot | undefined;
    let answer: TokenResponse;
    try {
      // First, so that a provider who cannot be found, or has no time for us, is not mistaken for one who may have the token.
      slot = await client.reserve();
      const admission = slot
        ? await this.circuits.admit(provider.id)
        : ({ kind: 'paused', remainingMs: BUSY_PAUSE_MS } as const);
      if (admission.kind === 'paused') {
        await this.accounts.releaseLease(account.id, owner);
        return unavailable(admission.remainingMs);
      }
      call.probe = admission.probe;
      const { UPSTREAM_LEASE_MS: leaseMs } = this.configuration.environment;
      if (!(await this.accounts.recordIntent(account.id, owner, leaseMs))) return { kind: 'changed' };
      sent = task.maybeSpent = true;
      answer = await client.refresh({ refreshToken: tokens.refreshToken, ...(slot && { slot }) });
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      return this.#failed(error, call, { sent, interrupted });
    } finally {
      slot?.release();
    }
    const { idToken } = answer;
    // Network-free, so nothing can be lost between the provider's answer and the write.
    const match = idToken ? client.checkIdTokenOffline(idToken, account) : 'match';
    if (match !== 'match') {
      const reason = match === 'mismatch' ? 'subject_mismatch' : 'id_token_invalid';
      // Not even kept: a later login without a refresh token of its own must not revive somebody else's.
      const verdict = () => this.#requireReauthentication(call, reason, { forgetTokens: true });
      const applied = await this.#untilWritten(owner, verdict);
      if (!applied) await this.accounts.releaseLease(account.id, owner, { intentAnswered: true });
      this.metrics.refreshed(provider.id, applied ? reason : SUPERSEDED);
      return { kind: 'changed' };
    }
    const { refreshToken } = tokens;
    const stored = await this.#untilWritten(owner, () => this.#store(call, { ...tokens, refreshToken }, answer));
    this.metrics.refreshed(provider.id, stored ? (call.shortfall ?? 'success') : SUPERSEDED);
    if (stored && idToken) this.#verifyLater({ ...account, generation: account.generation + 1 }, provider, idToken);
    return { kind: 'changed' };
  }

  /**
   * Stores the answer, unless a sign-in was faster; even then the successor of what was spent is not lost. Where the
   * account was unlinked meanwhile, the answer goes back to the provider: nobody else knows of these tokens.
   */
  #store(call: Call, spent: OpenedTokens & { refreshToken: Secret }, answer: TokenResponse): Promise<boolean> {
    const { account, owner, probe } = call;
    return this.unitOfWork.run(async () => {
      const credentials = toCredentials(answer);
      const { expiresAt = Infinity } = credentials;
      // Asking again at once would bring another such token, and another.
      const setback =
        expiresAt - this.clock.now() < SERVABLE_MS
          ? this.#setback(account, 'expired-on-arrival', this.#backoffMs(account))
          : undefined;
      call.shortfall = setback?.lastError;
      const verified = account.verified && answer.idToken === undefined;
      const stored = await this.accounts.storeRefreshed(account, credentials, { verified, setback, kept: spent });
      if (!stored) await this.#rescue({ account, owner }, spent.refreshToken, answer);
      await this.circuits.answered(account.identityProvider, { probe });
      const shortfall = stored ? setback?.lastError : SUPERSEDED;
      const happened = { ...account, leaseOwner: owner };
      if (shortfall === undefined) await this.journal.refreshed(happened);
      else await this.journal.refreshFailed(happened, shortfall);
      return stored;
    });
  }

  async #rescue({ account, owner }: Pick<Task, 'account' | 'owner'>, spent: Secret, answer: TokenResponse) {
    const { refreshToken } = answer;
    if (refreshToken) {
      await this.accounts.replaceRefreshToken(account, spent, { ...toCredentials(answer), refreshToken });
    }
    await this.accounts.releaseLease(account.id, owner, { intentAnswered: true });
    const current = await this.accounts.find(account.id);
    if (!current || current.status === 'sign-in-only' || current.reason === 'expired') {
      await this.revocation.request(account, answer);
    }
  }

  /**
   * The provider has rotated the refresh token and its successor exists nowhere but here, so a database that is away
   * is asked again for as long as the lease keeps others from using up the old one. It may have committed and failed to
   * say so: what is in the journal is not done again, and if that commits later still, the journal refuses the second record.
   */
  async #untilWritten(owner: string, write: () => Promise<boolean>): Promise<boolean> {
    const deadline = this.clock.now() + this.configuration.environment.UPSTREAM_LEASE_MS;
    for (let again = false; ; again = true) {
      try {
        const outcome = again ? await this.journal.outcomeUnder(owner) : undefined;
        return outcome ? outcome === 'success' : await write();
      } catch (error) {
        if (this.clock.now() >= deadline) throw error;
        this.#logger.warn({ error }, 'what came of a refresh could not be stored yet');
        await delay(WRITE_RETRY_MS);
      }
    }
  }

  /**
   * The next one may try at once, and finds no intent where nothing was sent. Nobody waits for that: while the database is
   * away it is tried again, until the lease has run out by itself, or is left to do so because this process ends.
   */
  #letGo({ account, owner, maybeSpent }: Task): void {
    const deadline = this.clock.now() + this.configuration.environment.UPSTREAM_LEASE_MS;
    const letGo = async (): Promise<void> => {
      while (this.clock.now() < deadline) {
        try {
          return await this.accounts.releaseLease(account.id, owner, { intentAnswered: !maybeSpent });
        } catch {
          if (this.#stopping) return;
          await delay(WRITE_RETRY_MS);
        }
      }
    };
    const release = letGo().finally(() => this.#releases.delete(release));
    this.#releases.add(release);
  }

  async #failed(
    error: UpstreamError,
    call: Call,
    { sent, interrupted }: { sent: boolean; interrupted: boolean },
  ): Promise<RefreshOutcome> {
    const { account, owner, probe } = call;
    const { identityProvider } = account;
    if (error.kind === 'invalid_grant') {
      const refused = interrupted ? 'rotation_lost' : 'invalid_grant';
      const reason = WANTS_USER.includes(error.oauthError) ? 'interaction_required' : refused;
      const verdict = () => this.#requireReauthentication(call, reason, { leaseOwner: owner });
      const applied = await this.#untilWritten(owner, verdict);
      if (!applied) await this.accounts.releaseLease(account.id, owner, { intentAnswered: true });
      this.metrics.refreshed(identityProvider, applied ? reason : SUPERSEDED);
      return { kind: 'changed' };
    }
    const { retryAfterMs = 0 } = error;
    const isAway = error.kind === 'unavailable';
    if (isAway) await this.circuits.failed(identityProvider, { probe, retryAfterMs });
    else await this.circuits.answered(identityProvider, { probe });
    const delayMs = isAway ? Math.max(retryAfterMs, this.#backoffMs(account)) : MISCONFIGURED_PAUSE_MS;
    const setback = this.#setback(account, error.kind, delayMs);
    // Where no answer came, now or earlier, the token may be spent all the same: the intent stays and the next holder knows.
    const intentAnswered = sent && !interrupted && (!isAway || error.untouched);
    await this.accounts.releaseLease(account.id, owner, { intentAnswered, setback });
    await this.journal.refreshFailed(account, error.kind);
    this.metrics.refreshed(identityProvider, error.kind);
    this.#logger.warn({ identityProvider, kind: error.kind, detail: error.message }, 'upstream refresh failed');
    return isAway ? unavailable(setback.retryAt - this.clock.now()) : { kind: 'misconfigured' };
  }

  #setback({ failures }: LinkedAccount, lastError: string, delayMs: number): Setback {
    return { lastError, failures: failures + 1, retryAt: this.clock.now() + delayMs };
  }

  #backoffMs({ failures }: LinkedAccount): number {
    return backoffMs(failures + 1, BACKOFF, this.randomness);
  }

  /** Answers whether it applied: not when somebody linked the account again meanwhile, for then nothing is lost. */
  async #requireReauthentication(
    { account, owner, probe }: Pick<Call, 'account' | 'probe'> & { owner?: string },
    reason: ReauthenticationReason,
    only: { leaseOwner?: string; forgetTokens?: boolean } = {},
  ): Promise<boolean> {
    const required = await this.unitOfWork.run(async () => {
      const changed = await this.accounts.requireReauthentication(account, reason, only);
      // Whoever refuses answers.
      await this.circuits.answered(account.identityProvider, { probe });
      const happened = { ...account, ...(owner !== undefined && { leaseOwner: owner }) };
      if (changed) await this.journal.reauthenticationRequired(happened, reason);
      return changed;
    });
    if (required) {
      this.metrics.reauthenticationRequired(account.identityProvider, reason);
      this.#logger.warn(
        { identityProvider: account.identityProvider, reason },
        'the user has to sign in at the provider again',
      );
    }
    return required;
  }

  /** The signature needs the provider's keys, so it is checked after the tokens are safe. Keys out of reach are no failure of the refresh. */
  #verifyLater(account: LinkedAccount, provider: IdentityProvider, idToken: Secret): void {
    const verification = this.#verify(account, provider, idToken)
      .then(() => undefined)
      .catch((error: unknown) => this.#logger.error({ error }, 'an id_token could not be verified'))
      .finally(() => this.#verifications.delete(verification));
    this.#verifications.add(verification);
  }

  async #verify(
    account: LinkedAccount,
    provider: IdentityProvider,
    idToken: Secret,
    { late = false } = {},
  ): Promise<boolean> {
    const { subject } = account;
    try {
      await this.upstreamClients.for(provider).verifyIdToken(idToken, { subject, atAnyTime: true });
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (late && error instanceof UnknownKeyError) return true;
      if (error.kind !== 'rejected') return false;
      await this.#requireReauthentication({ account, probe: false }, 'id_token_invalid', { forgetTokens: true });
      return true;
    }
    await this.accounts.markVerified(account);
    return true;
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
}

function unavailable(remainingMs: number): RefreshOutcome {
  return { kind: 'unavailable', retryAfterSeconds: Math.max(1, Math.ceil(remainingMs / 1000)) };
}
