import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { Clock, CLOCK_TOLERANCE_MS } from '../common/clock.js';
import type { Secret } from '../common/secret.js';
import { Configuration } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import type { IdentityProvider } from '../identity-providers/index.js';
import { isFrom, passedLimit, READ_NOTED_EVERY_MS, type LinkedAccount, type OpenedTokens } from './linked-account.js';
import { LinkedAccountsRepository } from './linked-accounts.repository.js';
import { OfflineRefresh, WRITE_MARGIN_MS, type RefreshOutcome } from './offline-refresh.js';
import { VaultMetrics } from './vault-metrics.js';

/** How long a reader who has a valid token waits for a fresher one. */
const PATIENCE_MS = 1_000;
const LATER = { kind: 'unavailable', retryAfterSeconds: 1 } as const;
/** What faces say of a token that never expires: how long it may be kept before asking again. */
const NEVER_EXPIRES_SECONDS = 3600;

export interface UpstreamToken {
  kind: 'token';
  accessToken: Secret;
  refreshToken: Secret | undefined;
  tokenType: string;
  /** Seconds that the access token really has left, at least 1; an hour for one that never expires. */
  expiresInSeconds: number;
  scope: readonly string[];
}

/** What the vault answers; every face words it in its own way. */
export type UpstreamTokenAnswer =
  | UpstreamToken
  | { kind: 'not-linked' }
  | { kind: 'reauthentication-required' }
  | { kind: 'missing-scopes' }
  | { kind: 'unavailable'; retryAfterSeconds: number }
  | { kind: 'misconfigured' };

export interface TokenWanted {
  userId: string;
  /** For the audit; absent when the user asks by their own credentials. */
  clientId?: string;
  provider: IdentityProvider;
  scopes?: readonly string[];
}

/** The one function through which every face obtains upstream tokens. A token past its expiry is never handed out. */
@Injectable()
export class UpstreamTokens implements BeforeApplicationShutdown {
  readonly #logger = new Logger('UpstreamTokens');
  readonly #notes = new Map<string, Promise<void>>();
  #waiting = 0;

  constructor(
    @Inject(LinkedAccountsRepository) private readonly accounts: LinkedAccountsRepository,
    @Inject(OfflineRefresh) private readonly offlineRefresh: OfflineRefresh,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(VaultMetrics) private readonly metrics: VaultMetrics,
  ) {}

  /** Callers that wait for a refresh. */
  get waiting(): number {
    return this.#waiting;
  }

  async acquire(wanted: TokenWanted): Promise<UpstreamTokenAnswer> {
    const ended = this.metrics.reading(wanted.provider.id);
    try {
      const answer = await this.#answer(wanted);
      await this.#record(wanted, answer.kind);
      ended(answer.kind);
      return answer;
    } catch (error) {
      // Refused because it cannot be answered, or because it cannot be audited.
      await this.#record(wanted, 'error').catch(() => undefined);
      ended('error');
      throw error;
    }
  }

  async #answer({ userId, provider, scopes = [] }: TokenWanted): Promise<UpstreamTokenAnswer> {
    let waitsSince: number | undefined;
    // As often as the row changes: others may have had it refreshed, and by the time we look it has expired again.
    for (;;) {
      const account = await this.accounts.findOfUser(userId, provider.id);
      if (!account || account.status === 'sign-in-only') return { kind: 'not-linked' };
      if (account.status === 'reauthentication-required' || !isFrom(provider, account)) {
        return { kind: 'reauthentication-required' };
      }
      // Retention may not have come by yet.
      if (passedLimit(provider, account, this.clock.now()) === 'absolute') return { kind: 'reauthentication-required' };
      this.#noteRead(account);
      if (scopes.some((scope) => !account.scope.includes(scope))) return { kind: 'missing-scopes' };
      const tokens = await this.accounts.openTokens(account);
      if (!tokens) continue;
      const valid = this.#toToken(account, tokens);
      const patienceMs = this.#patienceMs((waitsSince ??= this.clock.now()), valid);
      if (valid && (this.#remainingMs(account) > this.#thresholdMs(account) || patienceMs <= 0)) return valid;
      if (!tokens.refreshToken || !provider.offlineAccess) return valid ?? { kind: 'reauthentication-required' };
      if (patienceMs <= 0) return LATER;
      const outcome = await this.#refresh(account, provider, { hasValidToken: valid !== undefined, patienceMs });
      if (outcome.kind === 'changed') continue;
      // Meanwhile time has passed, and the account may have been refreshed, linked again or unlinked.
      const now = await this.accounts.openTokens(account);
      if (now) return this.#toToken(account, now) ?? outcome;
    }
  }

  /** How much longer a reader waits: for as long as one refresh can take, but not long with a valid token. */
  #patienceMs(waitsSince: number, valid: UpstreamToken | undefined): number {
    const allMs = valid ? PATIENCE_MS : this.configuration.environment.UPSTREAM_TIMEOUT_MS + 2 * WRITE_MARGIN_MS;
    return Math.min(allMs, waitsSince + allMs - this.clock.now());
  }

  #hasRoom(): boolean {
    const { MAX_WAITING_READERS: maximum } = this.configuration.environment;
    return this.#waiting < maximum && this.offlineRefresh.underWay < maximum;
  }

  /**
   * Waits for the refresh as long as the reader's patience lasts: it goes on without them. Where too many wait already,
   * nobody else does.
   */
  async #refresh(
    account: LinkedAccount,
    provider: IdentityProvider,
    { hasValidToken, patienceMs }: { hasValidToken: boolean; patienceMs: number },
  ): Promise<RefreshOutcome> {
    if (!this.#hasRoom()) return LATER;
    const refresh = this.offlineRefresh.refresh(account, provider);
    const patience = new AbortController();
    this.#waiting += 1;
    try {
      return await Promise.race([
        hasValidToken ? refresh.catch(() => LATER) : refresh,
        delay(patienceMs, LATER, { signal: patience.signal }),
      ]);
    } finally {
      patience.abort();
      this.#waiting -= 1;
    }
  }

  /** No reader waits for it, and of many at once one does it. */
  #noteRead(account: LinkedAccount): void {
    const { id, readAt = -Infinity } = account;
    if (this.clock.now() - readAt < READ_NOTED_EVERY_MS || this.#notes.has(id)) return;
    const note = this.unitOfWork
      .outside(() => this.accounts.noteRead(account))
      .catch((error: unknown) => this.#logger.warn({ error }, 'it was not noted that an account was read'))
      .finally(() => this.#notes.delete(id));
    this.#notes.set(id, note);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.#notes.values());
  }

  #record({ userId, clientId, provider }: TokenWanted, outcome: UpstreamTokenAnswer['kind'] | 'error'): Promise<void> {
    return this.audit.record({
      event: 'upstream-token.read',
      outcome: outcome === 'token' ? 'success' : 'failure',
      userId,
      clientId,
      identityProvider: provider.id,
      reason: outcome === 'token' ? undefined : outcome,
    });
  }

  #toToken(account: LinkedAccount, { accessToken, refreshToken }: OpenedTokens): UpstreamToken | undefined {
    const expiresInSeconds =
      account.expiresAt === undefined ? NEVER_EXPIRES_SECONDS : Math.floor(this.#remainingMs(account) / 1000);
    if (!accessToken || expiresInSeconds < 1) return undefined;
    return {
      kind: 'token',
      accessToken,
      refreshToken,
      tokenType: account.tokenType,
      expiresInSeconds,
      scope: account.scope,
    };
  }

  /** Nothing of what was obtained in the future: the clock was turned back, and only the provider knows how much is left. */
  #remainingMs({ expiresAt = Infinity, obtainedAt = 0 }: LinkedAccount): number {
    const now = this.clock.now();
    const turnedBack = obtainedAt > now + CLOCK_TOLERANCE_MS;
    return turnedBack && expiresAt !== Infinity ? 0 : expiresAt - now;
  }

  /** Never more than half of the token's own lifetime: a short-lived token is not refreshed on every read. */
  #thresholdMs({ expiresAt = 0, obtainedAt = 0 }: LinkedAccount): number {
    return Math.min(
      this.configuration.environment.UPSTREAM_REFRESH_THRESHOLD * 1000,
      Math.max(0, expiresAt - obtainedAt) / 2,
    );
  }
}
