import { Module } from '@nestjs/common';
import { ThrottlingModule } from '../throttling/index.js';
import { UsersModule } from '../users/index.js';
import { ClientAssertions } from './authentication/client-assertions.js';
import { ClientAuthentication } from './authentication/client-authentication.js';
import { ClientKeys } from './authentication/client-keys.js';
import { ClientRegistry } from './client-registry.js';
import { ClientSecrets } from './client-secrets.js';
import { ClientsRepository } from './clients.repository.js';
import { DeclaredClients } from './declared-clients.js';

@Module({
  imports: [ThrottlingModule, UsersModule],
  providers: [
    ClientsRepository,
    ClientSecrets,
    ClientRegistry,
    ClientAssertions,
    ClientAuthentication,
    ClientKeys,
    DeclaredClients,
  ],
  exports: [ClientsRepository, ClientRegistry, ClientAuthentication],
})
export class ClientsModule {}
