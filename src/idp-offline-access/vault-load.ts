import { Inject, Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Configuration } from '../config/index.js';
import { UpstreamClients } from '../identity-providers/index.js';
import { Metrics } from '../metrics/index.js';
import { UpstreamTokens } from './upstream-tokens.js';

/** How much of what is limited is used in this process, beside its limit. */
@Injectable()
export class VaultLoad {
  constructor(
    @Inject(Metrics) { registry }: Metrics,
    @Inject(UpstreamTokens) tokens: UpstreamTokens,
    @Inject(UpstreamClients) upstreamClients: UpstreamClients,
    @Inject(Configuration) { environment }: Configuration,
  ) {
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(value());
        },
      });
    gauge('symbolon_vault_waiting_readers', 'Readers that wait for a refresh', () => tokens.waiting);
    gauge(
      'symbolon_vault_waiting_readers_max',
      'The most readers of this process that may wait for a refresh (MAX_WAITING_READERS)',
      () => environment.MAX_WAITING_READERS,
    );
    gauge('symbolon_upstream_connections', 'Open connections to providers', () => upstreamClients.openSockets);
    gauge(
      'symbolon_upstream_connections_max',
      'The most connections of this process to one origin of a provider (UPSTREAM_MAX_CONNECTIONS)',
      () => environment.UPSTREAM_MAX_CONNECTIONS,
    );
    gauge(
      'symbolon_upstream_requests_pending',
      'Requests to providers that wait for a connection',
      () => upstreamClients.pending,
    );
  }
}
