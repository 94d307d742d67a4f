import { Inject, Injectable, Logger } from '@nestjs/common';
import { inBatches } from '../common/batches.js';
import { Clock } from '../common/clock.js';
import { UnitOfWork } from '../database/index.js';
import { IdentityProvidersRepository, type IdentityProvider } from '../identity-providers/index.js';
import { Jobs } from '../jobs/index.js';
import { UsersRepository } from '../users/index.js';
import { AccountJournal } from './account-journal.js';
import { passedLimit, type LinkedAccount } from './linked-account.js';
import { LinkedAccountsRepository } from './linked-accounts.repository.js';
import { UpstreamRevocation } from './upstream-revocation.js';

const EVERY_MS = 15 * 60_000;
const BATCH = 100;
/** For how long it is known that somebody who is gone had an account: longer than it takes to give its tokens back. */
const UNLINKED_KEPT_MS = 30 * 24 * 3_600_000;

/**
 * Forgets accounts that were kept for as long as their provider's entry lets them be, and gives their tokens back as
 * unlinking does; and the last traces of accounts of users who are gone.
 */
@Injectable()
export class Retention {
  readonly #logger = new Logger('Retention');

  constructor(
    @Inject(LinkedAccountsRepository) private readonly accounts: LinkedAccountsRepository,
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(UpstreamRevocation) private readonly revocation: UpstreamRevocation,
    @Inject(AccountJournal) private readonly journal: AccountJournal,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Jobs) jobs: Jobs,
  ) {
    jobs.register('retention', { everyMs: EVERY_MS, run: (signal) => this.run(signal) });
  }

  async run(signal: AbortSignal): Promise<void> {
    for (const provider of await this.providers.list()) await this.#expireAt(provider, signal);
    await this.#forgetUnlinked(signal);
  }

  async #expireAt(provider: IdentityProvider, signal: AbortSignal): Promise<void> {
    const { idle = Infinity, absolute = Infinity } = provider.retention;
    const now = this.clock.now();
    const before = {
      authorizedBefore: Math.max(-1, now - absolute * 1000),
      usedBefore: Math.max(-1, now - idle * 1000),
    };
    const accounts = inBatches<LinkedAccount>((after) =>
      this.accounts.authorizedOrUsedBefore(provider.id, { ...before, after, limit: BATCH }),
    );
    for await (const account of accounts) {
      if (signal.aborted) return;
      await this.#expire(account, provider);
    }
  }

  async #expire(account: LinkedAccount, provider: IdentityProvider): Promise<void> {
    const limit = passedLimit(provider, account, this.clock.now());
    if (!limit) return;
    try {
      await this.unitOfWork.run(async () => {
        const tokens = await this.accounts.openForgotten(account);
        if (!tokens || !(await this.accounts.expire(account))) return;
        await this.revocation.request(account, tokens);
        await this.journal.expired(account, limit);
      });
    } catch (error) {
      this.#logger.warn({ error, identityProvider: provider.id }, 'an account could not be forgotten');
    }
  }

  async #forgetUnlinked(signal: AbortSignal): Promise<void> {
    let after: { id: string } | undefined;
    do {
      const rows = await this.accounts.unlinkedFor(UNLINKED_KEPT_MS, { after, limit: BATCH });
      const users = await this.users.existing(rows.map(({ userId }) => userId));
      await this.accounts.forgetUnlinked(rows.filter(({ userId }) => !users.has(userId)).map(({ id }) => id));
      after = rows.at(-1);
    } while (after && !signal.aborted);
  }
}
