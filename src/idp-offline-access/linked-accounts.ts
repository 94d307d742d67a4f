import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { DomainError } from '../common/domain-error.js';
import { AppliedDeclarations, Configuration, ConfigurationError } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import type { TokenResponse } from '../identity-providers/index.js';
import { UsersRepository } from '../users/index.js';
import { LinkedAccountsRepository, type AccountIdentity } from './linked-accounts.repository.js';
import { toCredentials } from './upstream-credentials.js';

export interface Link extends AccountIdentity {
  userId: string;
  identityProvider: string;
  subject: string;
  tokens: TokenResponse;
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

  /** The user who is known by that subject at that provider. */
  async userOf(identityProvider: string, subject: string): Promise<string | undefined> {
    return (await this.accounts.findBySubject(identityProvider, subject))?.userId;
  }

  /**
   * Links the account to the user and keeps its tokens; linking again replaces them.
   * @throws DomainError `identity.held-by-another-user`
   */
  async link({ userId, identityProvider, subject, tokens, ...identity }: Link): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.accounts.insertOnce({ userId, identityProvider, subject });
      const account = await this.accounts.findBySubject(identityProvider, subject);
      if (account?.userId !== userId) throw new DomainError('identity.held-by-another-user');
      await this.accounts.storeLinked(account.id, identity, toCredentials(tokens));
      await this.audit.record({ event: 'identity.linked', outcome: 'success', userId, identityProvider });
    });
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
        if ((await this.userOf(identityProvider, subject)) !== user.id) {
          throw new ConfigurationError(
            `CONFIG_FILE users[${username}].identities: a subject at ${identityProvider} is another user's; remove it`,
          );
        }
      },
      disable: async () => undefined,
    });
  }
}
