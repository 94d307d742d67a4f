import { Inject, Injectable } from '@nestjs/common';
import { IsNull, MoreThan } from 'typeorm';
import { Clock } from '../common/clock.js';
import { digest, Randomness } from '../common/random.js';
import { Secret } from '../common/secret.js';
import { ExpiredRows, UnitOfWork } from '../database/index.js';
import { EncryptedTables, Envelopes } from '../encryption/index.js';
import { LoginAttemptEntity } from './login-attempt.entity.js';

const TABLE = 'login_attempts';
const SECRETS_COLUMN = 'secrets';
const LIFETIME_MS = 10 * 60_000;

/** What a browser is on its way for. */
export interface Destination {
  identityProvider: string;
  browser: Secret;
  /** A local path. */
  returnTo: string;
  /** What the provider is asked for, space-separated. */
  scope: string;
  /** Link the account to this user instead of signing in with it. */
  connectUserId?: string;
}

export interface LoginAttempt {
  nonce: string;
  codeVerifier: string;
  returnTo: string;
  scope: string;
  connectUserId: string | undefined;
}

/**
 * Sign-ins that are under way at a provider. Each has a `state`, a nonce and a PKCE verifier of its own, comes back
 * once, at the provider it went to, in the browser that started it. @see RFC 9700 sections 4.4, 4.5 and 4.7
 */
@Injectable()
export class LoginAttempts {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(EncryptedTables) encryptedTables: EncryptedTables,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    encryptedTables.register(LoginAttemptEntity);
    expiredRows.register(LoginAttemptEntity);
  }

  /** Answers the `state`. */
  async start(destination: Destination, secrets: { nonce: string; codeVerifier: string }): Promise<string> {
    const state = this.randomness.token();
    const stateDigest = digest(state);
    const envelope = this.envelopes.create({ table: TABLE, id: stateDigest });
    const { returnTo, scope } = destination;
    const now = this.clock.now();
    await this.#rows.insert({
      stateDigest,
      identityProvider: destination.identityProvider,
      browserDigest: digest(destination.browser.reveal()),
      secrets: envelope.seal(SECRETS_COLUMN, new Secret(JSON.stringify({ ...secrets, returnTo, scope }))),
      ...envelope.wrapped,
      connectUserId: destination.connectUserId ?? null,
      createdAt: now,
      expiresAt: now + LIFETIME_MS,
      consumedAt: null,
    });
    return state;
  }

  /** Whether an answer with that `state` is expected of the provider, in whatever browser. */
  isExpected(state: string, identityProvider: string): Promise<boolean> {
    return this.#rows.existsBy({ stateDigest: digest(state), identityProvider, ...this.#live() });
  }

  /** The attempt that a callback belongs to; once, and only for its provider and its browser. */
  async finish(state: string, identityProvider: string, browser: Secret): Promise<LoginAttempt | undefined> {
    const stateDigest = digest(state);
    const { affected } = await this.#rows.update(
      { stateDigest, identityProvider, browserDigest: digest(browser.reveal()), ...this.#live() },
      { consumedAt: this.clock.now() },
    );
    if (affected !== 1) return undefined;
    const row = await this.#rows.findOneByOrFail({ stateDigest });
    const secrets = this.envelopes.open({ table: TABLE, id: stateDigest }, row).unseal(SECRETS_COLUMN, row.secrets);
    const opened = JSON.parse(secrets.reveal()) as Pick<LoginAttempt, 'nonce' | 'codeVerifier' | 'returnTo' | 'scope'>;
    return { ...opened, connectUserId: row.connectUserId ?? undefined };
  }

  #live() {
    return { consumedAt: IsNull(), expiresAt: MoreThan(this.clock.now()) };
  }

  get #rows() {
    return this.unitOfWork.repository(LoginAttemptEntity);
  }
}
