import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import type { LinkedAccount, ReauthenticationReason } from './linked-account.js';

/** Which account something happened to. */
export type JournalAccount = Pick<LinkedAccount, 'id' | 'userId' | 'identityProvider' | 'subject'>;

/**
 * What happens to linked accounts, said once for everybody who wants to know. Called inside the transaction that makes
 * it true: it is told if that is committed, and never if it is rolled back.
 */
@Injectable()
export class AccountJournal {
  constructor(@Inject(Audit) private readonly audit: Audit) {}

  /**
   * @param how.recovered says that until now its user had to link it again.
   * @param how.imported says that an administrator brought the tokens, and not the user.
   */
  async linked(
    account: JournalAccount,
    { reason, imported = false }: { reason?: string | undefined; recovered: boolean; imported?: boolean },
  ): Promise<void> {
    await this.#record(imported ? 'identity.imported' : 'identity.linked', account, 'success', reason);
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

  #record(
    event: Parameters<Audit['record']>[0]['event'],
    { userId, identityProvider }: JournalAccount,
    outcome: 'success' | 'failure',
    reason?: string,
  ): Promise<void> {
    return this.audit.record({ event, outcome, userId, identityProvider, reason });
  }
}
