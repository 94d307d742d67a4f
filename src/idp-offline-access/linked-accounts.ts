import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { DomainError } from '../common/domain-error.js';
import { AppliedDeclarations, Configuration, ConfigurationError } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import type { TokenResponse } from '../identity-providers/index.js';
import { UsersRepository } from '../users/index.js';
import type { LinkedAccount } from './linked-account.js';
import { LinkedAccountsRepository, type AccountIdentity } from './linked-accounts.repository.js';
import { toCredentials } from './upstream-credentials.js';

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
}

/** Which account at a provider is which user's, and the linking of accounts. */
@Injectable()
export class LinkedAccounts implements OnModuleInit {
  constructor(
    @Inject(LinkedAccountsRepository) private readonly accounts: LinkedAccountsRepository,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
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

  /**
   * Links the account to the user and keeps its tokens; linking again replaces them.
   * @throws DomainError `identity.held-by-another-user`
   */
  async link({ userId, identityProvider, subject, tokens, requestedScope, ...identity }: Link): Promise<void> {
    const credentials = toCredentials({ ...tokens, scope: tokens.scope ?? requestedScope });
    await this.unitOfWork.run(async () => {
      await this.accounts.insertOnce({ userId, identityProvider, subject });
      const account = await this.#find({ identityProvider, subject, issuer: identity.issuer });
      if (account?.userId !== userId) throw new DomainError('identity.held-by-another-user');
      await this.accounts.storeLinked(account.id, identity, credentials);
      await this.audit.record({ event: 'identity.linked', outcome: 'success', userId, identityProvider });
    });
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
