import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { UsersRepository } from '../users/index.js';
import { Webhooks, type WebhookEvent } from '../webhooks/index.js';
import type { LinkedAccount, ReauthenticationReason } from './linked-account.js';

/** Which account something happened to. */
export type JournalAccount = Pick<LinkedAccount, 'id' | 'userId' | 'identityProvider' | 'subject'> & {
  /** The lease that it happened under, which makes one record and no second. */
  leaseOwner?: string;
};

/**
 * What happens to linked accounts, said once for everybody who wants to know. Called inside the transaction that makes
 * it true: it is told if that is committed, and never if it is rolled back.
 */
@Injectable()
export class AccountJournal {
  constructor(
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Webhooks) private readonly webhooks: Webhooks,
    @Inject(UsersRepository) private readonly users: UsersRepository,
  ) {}

  /**
   * @param how.recovered says that until now its user had to link it again.
   * @param how.renewed says that it had tokens already, as where somebody signs in once more: nobody is told of that.
   */
  async linked(
    account: JournalAccount,
    { reason, recovered, renewed = false }: { reason?: string | undefined; recovered: boolean; renewed?: boolean },
  ): Promise<void> {
    await this.#record('identity.linked', account, 'success', reason);
    if (recovered) await this.#tell('identity.recovered', account);
    else if (!renewed) await this.#tell('identity.linked', account);
  }

  async unlinked(account: JournalAccount): Promise<void> {
    await this.#record('identity.unlinked', account, 'success');
    await this.#tell('identity.unlinked', account);
  }

  async refreshed(account: JournalAccount): Promise<void> {
    await this.#record('upstream-token.refreshed', account, 'success');
    await this.#tell('upstream-token.refreshed', account);
  }

  /** It stays as it is, and somebody tries again. */
  async refreshFailed(account: JournalAccount, reason: string): Promise<void> {
    await this.#record('upstream-token.refreshed', account, 'failure', reason);
  }

  async reauthenticationRequired(account: JournalAccount, reason: ReauthenticationReason): Promise<void> {
    await this.#record('upstream-token.refreshed', account, 'failure', reason);
    await this.#tell('identity.reauthentication-required', account, reason);
  }

  #tell(event: WebhookEvent, account: JournalAccount, reason?: string): Promise<void> {
    return this.webhooks.emit(event, async () => {
      // Nobody, where the user is being deleted.
      const user = await this.users.find(account.userId);
      return {
        user_id: account.userId,
        ...(user?.username !== undefined && { username: user.username }),
        account_id: account.id,
        identity_provider: account.identityProvider,
        subject: account.subject,
        ...(reason !== undefined && { reason }),
      };
    });
  }

  /** What was recorded under a lease, if it was: whoever lost the answer to its COMMIT learns here what came of it. */
  outcomeUnder(leaseOwner: string): Promise<'success' | 'failure' | undefined> {
    return this.audit.outcomeOf(leaseOwner);
  }

  #record(
    event: Parameters<Audit['record']>[0]['event'],
    { userId, identityProvider, leaseOwner }: JournalAccount,
    outcome: 'success' | 'failure',
    reason?: string,
  ): Promise<void> {
    return this.audit.record({ id: leaseOwner, event, outcome, userId, identityProvider, reason });
  }
}
