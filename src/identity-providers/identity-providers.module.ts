import { Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Configuration } from '../config/index.js';
import { DeclaredIdentityProviders } from './declared-identity-providers.js';
import { IdentityProvidersRepository } from './identity-providers.repository.js';
import { ProviderCheck } from './provider-check.js';
import { UpstreamClients } from './upstream-clients.js';

@Injectable()
class UpstreamConnections implements OnApplicationShutdown {
  constructor(@Inject(UpstreamClients) private readonly clients: UpstreamClients) {}

  async onApplicationShutdown(): Promise<void> {
    await this.clients.close();
  }
}

@Module({
  providers: [
    IdentityProvidersRepository,
    DeclaredIdentityProviders,
    {
      provide: UpstreamClients,
      inject: [Configuration, Clock],
      useFactory: ({ environment }: Configuration, clock: Clock) =>
        new UpstreamClients({
          allow: environment.OUTBOUND_ALLOW,
          tokenTimeoutMs: environment.UPSTREAM_TIMEOUT_MS,
          maxConnections: environment.UPSTREAM_MAX_CONNECTIONS,
          clock,
        }),
    },
    UpstreamConnections,
    ProviderCheck,
  ],
  exports: [IdentityProvidersRepository, UpstreamClients, ProviderCheck],
})
export class IdentityProvidersModule {}
