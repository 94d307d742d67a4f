import { performance } from 'node:perf_hooks';
import { Inject, Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import { Counter, Gauge, Histogram } from 'prom-client';
import { UnitOfWork } from '../database/index.js';
import { Metrics } from '../metrics/index.js';
import { LinkedAccountEntity } from './linked-account.entity.js';

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

/**
 * What the vault does, counted. A provider becomes a label once it is known to be one of ours, never because somebody
 * asked for it.
 */
@Injectable()
export class VaultMetrics {
  readonly #refreshes: Counter<'provider' | 'outcome'>;
  readonly #reauthentications: Counter<'provider' | 'reason'>;
  readonly #reads: Counter<'provider' | 'outcome'>;
  readonly #readDurations: Histogram<'outcome'>;
  readonly #coalesced: Counter<'provider'>;
  readonly #leaseWaits: Counter<'provider'>;
  readonly #leaseTakeovers: Counter<'provider'>;

  constructor(
    @Inject(Metrics) metrics: Metrics,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
  ) {
    const registers = [metrics.registry];
    const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
      new Counter({ name, help, labelNames, registers });
    this.#refreshes = counter(
      'symbolon_upstream_refreshes_total',
      'Refreshes of upstream tokens, each counted once, when its outcome is stored',
      ['provider', 'outcome'],
    );
    this.#reauthentications = counter(
      'symbolon_reauthentications_required_total',
      'Accounts that became ones that their user has to link again',
      ['provider', 'reason'],
    );
    this.#reads = counter('symbolon_vault_reads_total', 'Upstream tokens that were asked for', ['provider', 'outcome']);
    this.#readDurations = new Histogram({
      name: 'symbolon_vault_read_duration_seconds',
      help: 'Time to answer who asks for an upstream token, refreshing it included',
      labelNames: ['outcome'],
      buckets: BUCKETS,
      registers,
    });
    this.#coalesced = counter(
      'symbolon_vault_coalesced_reads_total',
      'Readers that shared a refresh that another reader of this process had begun',
      ['provider'],
    );
    this.#leaseWaits = counter(
      'symbolon_vault_lease_waits_total',
      'Refreshes that found another process refreshing the account, and waited for it',
      ['provider'],
    );
    this.#leaseTakeovers = counter(
      'symbolon_vault_lease_takeovers_total',
      'Leases that were taken over from a holder who let them expire: it died, or hangs',
      ['provider'],
    );
    this.#lookUpAccounts(metrics);
  }

  /** Called once the outcome of a refresh is stored, or is known to be lost. */
  refreshed(provider: string, outcome: string): void {
    this.#refreshes.inc({ provider, outcome });
  }

  reauthenticationRequired(provider: string, reason: string): void {
    this.#reauthentications.inc({ provider, reason });
  }

  /** Measures from now on; the answer is to be called with the outcome. */
  reading(provider: string): (outcome: string) => void {
    const startedAt = performance.now();
    return (outcome) => {
      this.#reads.inc({ provider, outcome });
      this.#readDurations.observe({ outcome }, (performance.now() - startedAt) / 1000);
    };
  }

  coalesced(provider: string): void {
    this.#coalesced.inc({ provider });
  }

  leaseAwaited(provider: string): void {
    this.#leaseWaits.inc({ provider });
  }

  leaseTakenOver(provider: string): void {
    this.#leaseTakeovers.inc({ provider });
  }

  #lookUpAccounts(metrics: Metrics): void {
    const gauge = new Gauge({
      name: 'symbolon_linked_accounts',
      help: 'Linked accounts of all replicas, by provider and status',
      labelNames: ['provider', 'status'],
      registers: [metrics.registry],
    });
    metrics.lookUp('linked_accounts', {
      gauges: [gauge],
      read: async () =>
        (await this.#countAccounts()).map(({ provider, status, accounts }) => ({
          gauge,
          labels: { provider, status },
          value: Number(accounts),
        })),
    });
  }

  #countAccounts(): Promise<{ provider: string; status: string; accounts: number | string }[]> {
    return this.unitOfWork
      .repository(LinkedAccountEntity)
      .createQueryBuilder('account')
      .select('account.identityProvider', 'provider')
      .addSelect('account.status', 'status')
      .addSelect('count(*)', 'accounts')
      .where({ unlinkedAt: IsNull() })
      .groupBy('account.identityProvider')
      .addGroupBy('account.status')
      .getRawMany();
  }
}
