import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { inBatches } from '../common/batches.js';
import { Clock } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import { IdentityProvidersRepository, type IdentityProvider } from '../identity-providers/index.js';
import { Jobs } from '../jobs/index.js';
import { isFrom, passedLimit, type LinkedAccount } from './linked-account.js';
import { LinkedAccountsRepository } from './linked-accounts.repository.js';
import { OfflineRefresh } from './offline-refresh.js';
import { UpstreamCircuits } from './upstream-circuits.js';

const EVERY_MS = 60_000;
/** Who has many accounts does not keep the others waiting: the rest is done in the next run. */
const RUN_MS = 120_000;
const BATCH = 50;
/** Between two calls of one provider, and up to twice as long: whoever reads comes first. */
const PAUSE_MS = 200;
/** Whoever refreshed it verifies it first. */
const VERIFY_AFTER_MS = 60_000;

/** One account at a provider as it is now; false where the provider is to be left alone. */
type Care = (account: LinkedAccount, provider: IdentityProvider) => Promise<boolean>;

/**
 * Refreshes accounts whose refresh token would die of not being used, halfway to that: so an outage of the provider, or
 * of ours, may last as long again. And it verifies what could not be verified when it came. Each provider is asked one
 * thing after the other with pauses between, and not at all while it wants to be left alone. What is due is in the
 * database; whichever replica comes next goes on.
 */
@Injectable()
export class KeepAlive {
  readonly #logger = new Logger('KeepAlive');

  constructor(
    @Inject(LinkedAccountsRepository) private readonly accounts: LinkedAccountsRepository,
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(UpstreamCircuits) private readonly circuits: UpstreamCircuits,
    @Inject(OfflineRefresh) private readonly offlineRefresh: OfflineRefresh,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Jobs) jobs: Jobs,
  ) {
    jobs.register('keep-alive', { everyMs: EVERY_MS, run: (signal) => this.run(signal) });
  }

  /** Does all that is due at every provider, side by side. */
  async run(signal: AbortSignal): Promise<void> {
    const providers = await this.providers.list();
    const ends = await Promise.allSettled(providers.map((provider) => this.#tend(provider, signal)));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #tend({ id, offlineAccess, refreshTokenIdleLifetime }: IdentityProvider, signal: AbortSignal): Promise<void> {
    const idle = refreshTokenIdleLifetime === undefined ? {} : { idleLifetimeMs: refreshTokenIdleLifetime * 1000 };
    const due = inBatches<LinkedAccount>((after) => this.accounts.dueForRefresh(id, { ...idle, after, limit: BATCH }));
    if (offlineAccess) await this.#eachPaced(due, this.#refresh, signal);
    const unverified = inBatches<LinkedAccount>((after) =>
      this.accounts.unverified(id, { sinceMs: VERIFY_AFTER_MS, after, limit: BATCH }),
    );
    await this.#eachPaced(unverified, (account, provider) => this.offlineRefresh.verify(account, provider), signal);
  }

  async #eachPaced(accounts: AsyncIterable<LinkedAccount>, care: Care, signal: AbortSignal): Promise<void> {
    const endsAt = this.clock.now() + RUN_MS;
    for await (const account of accounts) {
      if (signal.aborted || this.clock.now() >= endsAt) return;
      // It may have been changed or disabled since, or asked to be left alone.
      const provider = await this.providers.find(account.identityProvider);
      if (!provider || (await this.circuits.pausedMs(provider.id)) > 0) return;
      if (!isFrom(provider, account) || passedLimit(provider, account, this.clock.now())) continue;
      if (!(await this.#careOf(account, provider, care))) return;
      await delay(PAUSE_MS + (this.randomness.bytes(1)[0]! % PAUSE_MS), undefined, { signal }).catch(() => undefined);
    }
  }

  /** One account that cannot be opened does not keep the others from what they need. */
  async #careOf(account: LinkedAccount, provider: IdentityProvider, care: Care): Promise<boolean> {
    try {
      return await care(account, provider);
    } catch (error) {
      this.#logger.warn({ error, identityProvider: provider.id }, 'an account could not be kept alive');
      return true;
    }
  }

  readonly #refresh: Care = async (account, provider) => {
    if (!provider.offlineAccess) return false;
    const { kind } = await this.offlineRefresh.refresh(account, provider);
    return kind !== 'misconfigured';
  };
}
