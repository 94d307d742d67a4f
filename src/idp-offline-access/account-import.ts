import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { Clock } from '../common/clock.js';
import { DomainError, invalidParameter } from '../common/domain-error.js';
import type { Secret } from '../common/secret.js';
import { UnitOfWork } from '../database/index.js';
import {
  IdentityProvidersRepository,
  isIssuerOf,
  UpstreamClients,
  UpstreamError,
  type IdentityProvider,
} from '../identity-providers/index.js';
import { UsersRepository, type User } from '../users/index.js';
import { AccountJournal } from './account-journal.js';
import { isFrom, type LinkedAccount, type ReauthenticationReason, type UpstreamCredentials } from './linked-account.js';
import { LinkedAccountsRepository } from './linked-accounts.repository.js';
import { OfflineRefresh } from './offline-refresh.js';
import { UpstreamCircuits } from './upstream-circuits.js';

/** An import that meets a sign-in or a refresh looks again this often. */
const ATTEMPTS = 10;
/** Tokens that were imported before are somebody else's, were given back, or have a successor that is lost. */
const SETTLED: readonly ReauthenticationReason[] = ['subject_mismatch', 'expired', 'rotation_lost'];

/** An account of a user at a provider, with tokens that somebody else has kept until now; at least one of the two. */
export interface ForeignAccount {
  /** One of the two. */
  user: { id: string } | { username: string };
  identityProvider: string;
  subject: string;
  accessToken: Secret | undefined;
  refreshToken: Secret | undefined;
  /** When the access token expires, epoch ms, or in how many seconds from now; nothing where nobody knows. */
  expiresAt: number | undefined;
  expiresInSeconds: number | undefined;
  tokenType: string | undefined;
  scope: string | undefined;
  /** Needed where a provider has several tenants. */
  issuer: string | undefined;
  claims: Readonly<Record<string, unknown>> | undefined;
}

export interface ImportOptions {
  /** Finds out by a first refresh whether the tokens work, and whose they are. */
  verify: boolean;
  /** Replaces tokens that still work, which may be the successors of those that are imported. */
  overwrite: boolean;
  /** Makes a user of a name that nobody has. */
  createUsers: boolean;
}

/**
 * What became of it:
 * - `imported`: stored, and nobody asked the provider.
 * - `exists`: it has tokens that work, and they were left alone.
 * - `unlinked`: its user had it here and unlinked it, and it was left at that.
 * - `verified`: the tokens work, and the provider says that they are this subject's.
 * - `unproven`: stored, but the provider would not say whose they are.
 * - `unverified`: stored, but the provider cannot be asked for now; importing it again asks again.
 * - `reauthentication-required`: the provider refused the tokens, or they are somebody else's.
 */
type Verdict =
  | { status: 'imported' | 'exists' | 'unlinked' | 'verified' | 'unproven' }
  | { status: 'unverified'; error: DomainError }
  | { status: 'reauthentication-required'; reason: ReauthenticationReason };

interface Stored {
  userId: string;
  account?: LinkedAccount | undefined;
  left?: Verdict;
}

/** With the user whose account it is. */
export type ImportResult = Verdict & { userId: string };

/**
 * Brings accounts and their tokens over from where they have been kept until now. Importing the same twice changes
 * nothing: the vault may have rotated the refresh token since, and the old one, sent again, would end the whole grant.
 */
@Injectable()
export class AccountImport {
  constructor(
    @Inject(LinkedAccountsRepository) private readonly accounts: LinkedAccountsRepository,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(OfflineRefresh) private readonly offlineRefresh: OfflineRefresh,
    @Inject(UpstreamClients) private readonly upstreamClients: UpstreamClients,
    @Inject(UpstreamCircuits) private readonly circuits: UpstreamCircuits,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(AccountJournal) private readonly journal: AccountJournal,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Stores the tokens first and verifies them afterwards, by the one refresh that everybody shares: what the provider
   * gives in exchange for a rotating token has to have a place to go.
   * @throws DomainError `provider.unknown`, `resource.not-found` (the user), `request.parameter-invalid`,
   * `identity.held-by-another-user`; nothing is stored then
   */
  async import(foreign: ForeignAccount, options: ImportOptions): Promise<ImportResult> {
    const provider = await this.providers.find(foreign.identityProvider);
    if (!provider) {
      throw new DomainError('provider.unknown', {
        publicDetail: 'identity_provider is unknown or disabled',
        meta: { parameter: 'identity_provider' },
      });
    }
    const issuer = issuerOf(provider, foreign.issuer);
    const credentials = this.#credentialsOf(foreign, provider);
    const { userId, account, left } = await this.unitOfWork.run(() =>
      this.#store(foreign, provider, issuer, credentials, options),
    );
    if (!account || (left && left.status !== 'exists')) return { userId, ...(left ?? { status: 'unlinked' }) };
    if (!options.verify) return { userId, ...(left ?? { status: 'imported' }) };
    if (left && (await this.#isProven(account))) return { userId, ...left };
    return { userId, ...(await this.#verify(account, provider)) };
  }

  #credentialsOf(foreign: ForeignAccount, provider: IdentityProvider): UpstreamCredentials {
    const { accessToken, refreshToken, tokenType = 'Bearer', scope, expiresInSeconds } = foreign;
    const now = this.clock.now();
    const expiresAt = expiresInSeconds === undefined ? foreign.expiresAt : now + expiresInSeconds * 1000;
    const renewable = refreshToken !== undefined && provider.offlineAccess;
    const never = accessToken !== undefined && expiresAt === undefined && provider.accessTokenLifetime === 'none';
    if (!renewable && !accessToken) throw invalidParameter('access_token', 'is needed: nothing is refreshed there');
    if (!renewable && !never && expiresAt === undefined) {
      throw invalidParameter('expires_at', 'is needed, or expires_in: the access token cannot be renewed');
    }
    if (!renewable && !never && expiresAt! <= now) {
      throw invalidParameter('expires_at', 'has passed, and the access token cannot be renewed');
    }
    return {
      accessToken,
      refreshToken,
      idToken: undefined,
      tokenType,
      scope: scope?.split(' ').filter((name) => name !== ''),
      // One of unknown age counts as expired: its refresh token brings another.
      expiresAt: never ? undefined : accessToken ? (expiresAt ?? now) : now,
      obtainedAt: now,
    };
  }

  /** Answers the account as it is now, and why these tokens are not in it, where they are not. */
  async #store(
    foreign: ForeignAccount,
    provider: IdentityProvider,
    issuer: string,
    credentials: UpstreamCredentials,
    { overwrite, createUsers }: ImportOptions,
  ): Promise<Stored> {
    const { id: userId } = await this.#userOf(foreign, createUsers);
    const { subject } = foreign;
    const identity = { issuer, upstreamClientId: provider.clientId };
    const before = await this.accounts.findOfUser(userId, provider.id);
    const wanted = { userId, identityProvider: provider.id, subject };
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const isNew = (await this.accounts.findBySubject(provider.id, subject)) === undefined;
      if (isNew && !overwrite && (await this.accounts.wasUnlinked(wanted)))
        return { userId, left: { status: 'unlinked' } };
      await this.accounts.insertOnce(wanted);
      const found = await this.accounts.findBySubject(provider.id, subject);
      if (!found) continue;
      if (found.userId !== userId) throw new DomainError('identity.held-by-another-user');
      if ((found.issuer ?? issuer) !== issuer) {
        const publicDetail = 'The account is known under another issuer.';
        throw new DomainError('identity.held-by-another-user', { publicDetail });
      }
      const left = overwrite ? undefined : await this.#leftAlone(found, provider);
      if (left) return { userId, account: found, left };
      const claims = foreign.claims ? { ...foreign.claims, sub: subject } : found.claims;
      // Only as it was read: what a sign-in or a refresh has brought meanwhile is newer than what is imported.
      if (!(await this.accounts.storeImported(found, { ...identity, claims }, credentials))) continue;
      if (before?.id !== found.id && before?.status !== 'active') await this.accounts.makeDefault(found.id);
      await this.journal.linked(found, {
        recovered: found.status === 'reauthentication-required',
        renewed: found.status === 'active',
        imported: true,
      });
      return { userId, account: await this.accounts.find(found.id) };
    }
    throw new Error('an account changes faster than it can be imported');
  }

  async #userOf({ user, claims }: ForeignAccount, createUsers: boolean): Promise<User> {
    const [parameter, found] =
      'id' in user
        ? (['user_id', { id: user.id }] as const)
        : (['username', await this.users.findByUsername(user.username)] as const);
    // Held until all is stored: a user who is deleted at this moment leaves no account behind.
    const held = found && (await this.users.hold(found.id));
    if (held) return held;
    if (createUsers && 'username' in user) return this.#createUser(user.username, claims ?? {});
    throw new DomainError('resource.not-found', { publicDetail: `${parameter} names no user`, meta: { parameter } });
  }

  /** Nobody has verified the address: that somebody writes it into a file makes no mailbox theirs. */
  async #createUser(username: string, { name, email }: Readonly<Record<string, unknown>>): Promise<User> {
    try {
      const user = await this.users.create({
        username,
        fullName: typeof name === 'string' ? name : undefined,
        email: typeof email === 'string' ? email : undefined,
      });
      await this.audit.record({ event: 'user.created', outcome: 'success', userId: user.id });
      return user;
    } catch (error) {
      // Two imports that bring accounts of one user at two providers.
      const rival = await this.users.findByUsername(username);
      const held = rival && (await this.users.hold(rival.id));
      if (!(error instanceof DomainError) || !held) throw error;
      return held;
    }
  }

  /** Whether there is something that an import would destroy. */
  /**
   * What came of the account here is newer than what is imported: tokens that work, a user who unlinked it, or a reason for
   * which its tokens are worth nothing any more.
   */
  async #leftAlone(account: LinkedAccount, provider: IdentityProvider): Promise<Verdict | undefined> {
    const { status, reason, obtainedAt } = account;
    if (status === 'sign-in-only') return obtainedAt === undefined ? undefined : { status: 'unlinked' };
    if (reason && SETTLED.includes(reason)) return { status: 'reauthentication-required', reason };
    return (await this.#works(account, provider)) ? { status: 'exists' } : undefined;
  }

  async #works(account: LinkedAccount, provider: IdentityProvider): Promise<boolean> {
    if (account.status !== 'active' || !isFrom(provider, account)) return false;
    const tokens = await this.accounts.openTokens(account);
    const expired = account.expiresAt !== undefined && account.expiresAt <= this.clock.now();
    return tokens?.refreshToken !== undefined || (tokens?.accessToken !== undefined && !expired);
  }

  /** An id_token that came with a refresh was about this subject, or it would not have been kept. */
  async #isProven(account: LinkedAccount): Promise<boolean> {
    return account.verified || (await this.accounts.openTokens(account))?.idToken !== undefined;
  }

  async #verify(account: LinkedAccount, provider: IdentityProvider): Promise<Verdict> {
    const tokens = await this.accounts.openTokens(account);
    if (!tokens?.refreshToken || !provider.offlineAccess) return this.#ask(account, provider);
    const outcome = await this.offlineRefresh.refresh(account, provider);
    if (outcome.kind === 'unavailable') return unverified(outcome.retryAfterSeconds);
    if (outcome.kind === 'misconfigured') return { status: 'unverified', error: misconfigured() };
    const now = await this.accounts.find(account.id);
    if (now?.status === 'reauthentication-required' && now.reason) {
      return { status: 'reauthentication-required', reason: now.reason };
    }
    return now ? this.#ask(now, provider) : { status: 'unproven' };
  }

  /** Where no id_token says whose tokens these are, userinfo may. */
  async #ask(account: LinkedAccount, provider: IdentityProvider): Promise<Verdict> {
    const { accessToken, idToken } = (await this.accounts.openTokens(account)) ?? {};
    if (idToken) return { status: 'verified' };
    if (!accessToken) return { status: 'unproven' };
    const admission = await this.circuits.admit(provider.id);
    if (admission.kind === 'paused') return unverified(Math.ceil(admission.remainingMs / 1000));
    const { probe } = admission;
    let subject: string;
    try {
      subject = await this.upstreamClients.for(provider).subjectOf(accessToken);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.kind !== 'unavailable') {
        await this.circuits.answered(provider.id, { probe });
        return { status: 'unproven' };
      }
      const { retryAfterMs = 0 } = error;
      await this.circuits.failed(provider.id, { probe, retryAfterMs });
      return unverified(Math.ceil(retryAfterMs / 1000));
    }
    await this.circuits.answered(provider.id, { probe });
    if (subject === account.subject) {
      await this.accounts.markVerified(account);
      return { status: 'verified' };
    }
    const reason = 'subject_mismatch';
    await this.unitOfWork.run(async () => {
      const changed = await this.accounts.requireReauthentication(account, reason, { forgetTokens: true });
      if (changed) await this.journal.reauthenticationRequired(account, reason);
    });
    return { status: 'reauthentication-required', reason };
  }
}

/** @throws DomainError `request.parameter-invalid` */
function issuerOf(provider: IdentityProvider, given: string | undefined): string {
  const [tenant, ...others] = provider.tenants;
  const known = tenant === undefined ? provider.issuer : provider.issuer.replace('{tenantid}', tenant);
  if (given === undefined && others.length === 0) return known;
  if (given === undefined) throw invalidParameter('issuer', 'is needed: the provider has several');
  if (!isIssuerOf(provider, given)) throw invalidParameter('issuer', "is not the provider's");
  return given;
}

function unverified(retryAfterSeconds: number): Verdict {
  const meta = { retryAfterSeconds: Math.max(1, retryAfterSeconds) };
  return { status: 'unverified', error: new DomainError('upstream.unavailable', { meta }) };
}

function misconfigured(): DomainError {
  return new DomainError('upstream.misconfigured');
}
