import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { Clock } from '../common/clock.js';
import { DomainError } from '../common/domain-error.js';
import { AppliedDeclarations, Configuration, ConfigurationError } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import { IdentityProvidersRepository, type TokenResponse } from '../identity-providers/index.js';
import type { Session } from '../sessions/index.js';
import { UsersRepository } from '../users/index.js';
import { AccountJournal } from './account-journal.js';
import { isFrom, passedLimit, type LinkedAccount, type UpstreamCredentials } from './linked-account.js';
import { LinkedAccountsRepository, type AccountIdentity, type NewAccount } from './linked-accounts.repository.js';
import { UpstreamCircuits } from './upstream-circuits.js';
import { toCredentials } from './upstream-credentials.js';
import { UpstreamRevocation, type Revocation } from './upstream-revocation.js';

/** Who somebody is at a provider. */
export interface UpstreamIdentity {
  identityProvider: string;
  /** The `iss` of the provider as it is declared now. */
  issuer: string;
  subject: string;
}

export interface Link extends UpstreamIdentity, AccountIdentity {
  userId: string;
  tokens: TokenResponse;
  /** Granted as it was asked for, where the provider does not say otherwise. @see RFC 6749 section 5.1 */
  requestedScope: string;
  /** The browser session in which the user confirmed that the account is to be connected; nothing for a sign-in. */
  connectedInSession?: string | undefined;
  /** Why it was linked, for the audit, where the user neither signed up with it nor asked for it. */
  reason?: string | undefined;
}

/** What became of tokens that were unlinked, at their provider. */
export interface RevocationOfUser extends Revocation {
  identityProvider: string;
  subject: string;
}

/** How long a connected account waits to be made the default. */
const CHOICE_MS = 10 * 60_000;
/** An unlinking that meets a sign-in or a refresh looks again this often. */
const ATTEMPTS = 10;

/** Which account at a provider is which user's, and the linking of accounts. */
@Injectable()
export class LinkedAccounts implements OnModuleInit {
  constructor(
    @Inject(LinkedAccountsRepository) private readonly accounts: LinkedAccountsRepository,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(UpstreamRevocation) private readonly revocation: UpstreamRevocation,
    @Inject(UpstreamCircuits) private readonly circuits: UpstreamCircuits,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(AccountJournal) private readonly journal: AccountJournal,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(AppliedDeclarations) private readonly applied: AppliedDeclarations,
  ) {}

  /**
   * The user who is known by that subject at that provider.
   * @throws DomainError `identity.held-by-another-user` when the subject was linked under another issuer: a provider
   * that was replaced under the same id must not let its subjects in as the old one's.
   */
  async userOf(identity: UpstreamIdentity): Promise<string | undefined> {
    return (await this.#find(identity))?.userId;
  }

  /** Whether the user once had that account and unlinked it, or had it unlinked for them. */
  wasUnlinked(userId: string, { identityProvider, subject }: UpstreamIdentity): Promise<boolean> {
    return this.accounts.wasUnlinked({ userId, identityProvider, subject });
  }

  /**
   * Links the account to the user and keeps its tokens; linking again replaces them, save that a sign-in takes nothing
   * away of what the user granted by connecting. The first account at a provider is
   * the default there, and so is one that comes when the default has to be linked again. Answers the account's id.
   * @throws DomainError `identity.held-by-another-user`
   */
  async link({ userId, identityProvider, subject, tokens, requestedScope, ...link }: Link): Promise<string> {
    const { connectedInSession, reason, ...identity } = link;
    const credentials = toCredentials({ ...tokens, scope: tokens.scope ?? requestedScope });
    return this.unitOfWork.run(async () => {
      const before = await this.accounts.findOfUser(userId, identityProvider);
      const connected = connectedInSession !== undefined;
      const account = await this.#store({ userId, identityProvider, subject }, identity, credentials, connected);
      const { id } = account;
      await this.circuits.answered(identityProvider, { probe: false });
      if (connected) await this.accounts.noteConnected(id, connectedInSession);
      if (before?.id !== id && before?.status !== 'active') await this.accounts.makeDefault(id);
      await this.journal.linked(account, {
        reason,
        recovered: account.status === 'reauthentication-required',
        renewed: account.status === 'active',
      });
      return id;
    });
  }

  /** Answers the account as it was before. */
  async #store(
    account: NewAccount,
    identity: AccountIdentity,
    credentials: UpstreamCredentials,
    connected: boolean,
  ): Promise<LinkedAccount> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      await this.accounts.insertOnce(account);
      const found = await this.#find({ ...account, issuer: identity.issuer });
      if (found && found.userId !== account.userId) throw new DomainError('identity.held-by-another-user');
      if (found && (await this.accounts.storeLinked(found.id, identity, credentials, { connected }))) return found;
    }
    throw new Error('an account is unlinked as fast as it is linked');
  }

  /**
   * Makes one of the user's accounts the default at its provider: the one that was connected in this session a short
   * while ago, or else the one with which the session began. Repeating it changes nothing.
   * @throws DomainError `identity.not-linked` where there is no such account, or none that has tokens
   */
  async choose(userId: string, identityProvider: string, session: Session | undefined): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.users.hold(userId);
      const accounts = (await this.accounts.listOfUser(userId)).filter(
        (account) => account.identityProvider === identityProvider && account.status !== 'sign-in-only',
      );
      const since = this.clock.now() - CHOICE_MS;
      const connected = accounts
        .filter(({ linkedSessionId, linkedAt }) => linkedSessionId === session?.id && (linkedAt ?? 0) >= since)
        .toSorted((one, other) => other.linkedAt! - one.linkedAt!);
      const chosen = connected[0] ?? accounts.find(({ id }) => id === session?.linkedAccountId);
      if (!session || !chosen) throw new DomainError('identity.not-linked');
      if (chosen !== accounts[0]) await this.accounts.makeDefault(chosen.id);
      await this.audit.record({ event: 'identity.linked', outcome: 'success', userId, identityProvider });
    });
  }

  /**
   * Unlinks the user's accounts at a provider: their tokens are erased first, whatever happens at the provider later.
   * Where no other account is left that the user can sign in with, one stays known as a subject. Answers how many were unlinked.
   */
  async unlink(userId: string, identityProvider: string): Promise<number> {
    return this.#unlinkWhere(userId, (account) => account.identityProvider === identityProvider, { keepLast: true });
  }

  /** Unlinks everything, for a user who is deleted: no subject of theirs signs in to anything any more. */
  async unlinkAll(userId: string): Promise<number> {
    return this.#unlinkWhere(userId, () => true, { keepLast: false });
  }

  /**
   * The user's accounts as they can be used, the default of each provider before the others there. One whose provider
   * has changed since, or that was authorized too long ago, shows as one that its user has to link again, which it is
   * to every reader.
   */
  async ofUser(userId: string): Promise<LinkedAccount[]> {
    const providers = new Map((await this.providers.list()).map((provider) => [provider.id, provider]));
    return (await this.accounts.listOfUser(userId)).map((account) => {
      const provider = providers.get(account.identityProvider);
      if (account.status !== 'active' || !provider) return account;
      const reason = !isFrom(provider, account)
        ? 'provider_changed'
        : passedLimit(provider, account, this.clock.now()) === 'absolute' && 'expired';
      return reason ? { ...account, status: 'reauthentication-required', reason } : account;
    });
  }

  /** What became of the tokens of accounts that the user unlinked, or had unlinked for them, the latest first. */
  async revocationsOf(userId: string): Promise<RevocationOfUser[]> {
    const accounts = new Map((await this.accounts.everLinkedBy(userId)).map((account) => [account.id, account]));
    const revocations = await this.revocation.of([...accounts.keys()]);
    return revocations.map((revocation) => {
      const { identityProvider, subject } = accounts.get(revocation.accountId)!;
      return { ...revocation, identityProvider, subject };
    });
  }

  #unlinkWhere(
    userId: string,
    leaves: (account: LinkedAccount) => boolean,
    { keepLast }: { keepLast: boolean },
  ): Promise<number> {
    return this.unitOfWork.run(async () => {
      // Of two at once the second sees what the first has left.
      await this.users.hold(userId);
      const enabled = new Set((await this.providers.names()).map(({ id }) => id));
      const accounts = await this.accounts.listOfUser(userId);
      const leaving = accounts.filter(leaves);
      const stays = accounts.some((account) => !leaves(account) && enabled.has(account.identityProvider));
      const kept = keepLast && !stays ? leaving[0]?.id : undefined;
      const unlinked = leaving.filter(({ id, status }) => id !== kept || status !== 'sign-in-only');
      for (const account of unlinked) await this.#unlinkOne(account, account.id === kept);
      return unlinked.length;
    });
  }

  async #unlinkOne(account: LinkedAccount, keepSubject: boolean): Promise<void> {
    let current: LinkedAccount | undefined = account;
    for (let attempt = 1; current && attempt <= ATTEMPTS; attempt += 1) {
      const tokens = await this.accounts.openForgotten(current);
      if (tokens && (await this.accounts.unlink(current, { keepSubject }))) {
        await this.revocation.request(current, tokens);
        await this.journal.unlinked(current);
        return;
      }
      current = await this.accounts.find(account.id);
    }
    if (current) throw new Error('an account changes faster than it can be unlinked');
  }

  async #find({ identityProvider, issuer, subject }: UpstreamIdentity): Promise<LinkedAccount | undefined> {
    const account = await this.accounts.findBySubject(identityProvider, subject);
    if (account?.issuer !== undefined && account.issuer !== issuer) {
      throw new DomainError('identity.held-by-another-user', { privateDetail: 'linked under another issuer' });
    }
    return account;
  }

  /** Applies the identities of the users of CONFIG_FILE: subjects that may sign in before anything is linked. */
  async onModuleInit(): Promise<void> {
    const declared = this.configuration.declared.users.flatMap(({ username, identities }) =>
      identities.map((identity) => ({ username, ...identity })),
    );
    await this.applied.apply(declared, {
      kind: 'identity',
      name: ({ identity_provider, subject }) => `${identity_provider}:${subject}`,
      apply: async ({ username, identity_provider: identityProvider, subject }) => {
        const user = await this.users.findByUsername(username);
        if (!user) throw new Error('the declared user is missing');
        await this.accounts.insertOnce({ userId: user.id, identityProvider, subject });
        if ((await this.accounts.findBySubject(identityProvider, subject))?.userId !== user.id) {
          throw new ConfigurationError(
            `CONFIG_FILE users[${username}].identities: a subject at ${identityProvider} is another user's; remove it`,
          );
        }
      },
      // What the user has linked since is theirs; a subject that was only declared signs in no more.
      disable: (name) =>
        this.accounts.forgetDeclared(name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)),
    });
  }
}
