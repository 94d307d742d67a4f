import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { Clock } from '../common/clock.js';
import type { Secret } from '../common/secret.js';
import { Configuration } from '../config/index.js';
import type { IdentityProvider } from '../identity-providers/index.js';
import type { LinkedAccount } from './linked-account.js';
import { LinkedAccountsRepository } from './linked-accounts.repository.js';
import { OfflineRefresh, type RefreshOutcome } from './offline-refresh.js';

/** How long a reader who has a valid token waits for a fresher one. */
const PATIENCE_MS = 1_000;
const RETRY_SECONDS = 1;
/** A row that keeps changing under a reader is read this often. */
const READS = 3;

export interface UpstreamToken {
  kind: 'token';
  accessToken: Secret;
  refreshToken: Secret | undefined;
  tokenType: string;
  /** Seconds that the access token really has left, at least 1. */
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
export class UpstreamTokens {
  constructor(
    @Inject(LinkedAccountsRepository) private readonly accounts: LinkedAccountsRepository,
    @Inject(OfflineRefresh) private readonly offlineRefresh: OfflineRefresh,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  async acquire(wanted: TokenWanted): Promise<UpstreamTokenAnswer> {
    const answer = await this.#answer(wanted);
    await this.audit.record({
      event: 'upstream-token.read',
      outcome: answer.kind === 'token' ? 'success' : 'failure',
      userId: wanted.userId,
      clientId: wanted.clientId,
      identityProvider: wanted.provider.id,
      reason: answer.kind === 'token' ? undefined : answer.kind,
    });
    return answer;
  }

  async #answer({ userId, provider, scopes = [] }: TokenWanted): Promise<UpstreamTokenAnswer> {
    for (let read = 1; ; read += 1) {
      const account = await this.accounts.findOfUser(userId, provider.id);
      if (!account || account.status === 'sign-in-only') return { kind: 'not-linked' };
      if (account.status === 'reauthentication-required') return { kind: 'reauthentication-required' };
      if (scopes.some((scope) => !account.scope.includes(scope))) return { kind: 'missing-scopes' };
      const remainingMs = this.#remainingMs(account);
      if (remainingMs > this.#thresholdMs(account) || read > READS) {
        const token = remainingMs > 0 && (await this.#open(account));
        if (token) return token;
        if (read > READS) return { kind: 'unavailable', retryAfterSeconds: RETRY_SECONDS };
        continue;
      }
      const tokens = await this.accounts.openTokens(account);
      if (!tokens) continue;
      const stillValid = remainingMs > 0 ? await this.#open(account) : undefined;
      if (!tokens.refreshToken) return stillValid ?? { kind: 'reauthentication-required' };
      const outcome = await this.#refresh(account, provider, stillValid !== undefined);
      if (outcome.kind === 'changed') continue;
      // The clock has moved on while the provider was asked.
      return (stillValid && (await this.#open(account))) ?? outcome;
    }
  }

  /** Somebody with a valid token does not wait long for a fresher one; the refresh goes on without them. */
  async #refresh(account: LinkedAccount, provider: IdentityProvider, hasValidToken: boolean): Promise<RefreshOutcome> {
    const refresh = this.offlineRefresh.refresh(account, provider);
    if (!hasValidToken) return refresh;
    const patience = new AbortController();
    try {
      return await Promise.race([
        refresh.catch((): RefreshOutcome => ({ kind: 'unavailable', retryAfterSeconds: RETRY_SECONDS })),
        delay(PATIENCE_MS, { kind: 'unavailable', retryAfterSeconds: RETRY_SECONDS } as const, {
          signal: patience.signal,
        }),
      ]);
    } finally {
      patience.abort();
    }
  }

  async #open(account: LinkedAccount): Promise<UpstreamToken | undefined> {
    const tokens = await this.accounts.openTokens(account);
    const expiresInSeconds = Math.floor(this.#remainingMs(account) / 1000);
    if (!tokens?.accessToken || expiresInSeconds < 1) return undefined;
    return {
      kind: 'token',
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      tokenType: account.tokenType,
      expiresInSeconds,
      scope: account.scope,
    };
  }

  #remainingMs({ expiresAt }: LinkedAccount): number {
    return (expiresAt ?? 0) - this.clock.now();
  }

  /** Never more than half of the token's own lifetime: a short-lived token is not refreshed on every read. */
  #thresholdMs({ expiresAt = 0, obtainedAt = 0 }: LinkedAccount): number {
    return Math.min(
      this.configuration.environment.UPSTREAM_REFRESH_THRESHOLD * 1000,
      Math.max(0, expiresAt - obtainedAt) / 2,
    );
  }
}
