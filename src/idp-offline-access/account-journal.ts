import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../audit/index.js';
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
  constructor(@Inject(Audit) private readonly audit: Audit) {}

  /** @param how.recovered says that until now its user had to link it again. */
  async linked(
    account: JournalAccount,
    { reason }: { reason?: string | undefined; recovered: boolean },
  ): Promise<void> {
    await this.#record('identity.linked', account, 'success', reason);
  }

  async unlinked(account: JournalAccount): Promise<void> {
    await this.#record('identity.unlinked', account, 'success');
  }

  async refreshed(account: JournalAccount): Promise<void> {
    await this.#record('upstream-token.refreshed', account, 'success');
  }

  /** It stays as it is, and somebody tries again. */
  async refreshFailed(account: JournalAccount, reason: string): Promise<void> {
    await this.#record('upstream-token.refreshed', account, 'failure', reason);
  }

  async reauthenticationRequired(account: JournalAccount, reason: ReauthenticationReason): Promise<void> {
    await this.#record('upstream-token.refreshed', account, 'failure', reason);
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
