import { Module } from '@nestjs/common';
import { UsersModule } from '../users/index.js';
import { ClientAuthentication } from './authentication/client-authentication.js';
import { ClientRegistry } from './client-registry.js';
import { ClientsRepository } from './clients.repository.js';
import { DeclaredClients } from './declared-clients.js';

@Module({
  imports: [UsersModule],
  providers: [ClientsRepository, ClientRegistry, ClientAuthentication, DeclaredClients],
  exports: [ClientsRepository, ClientRegistry, ClientAuthentication],
})
export class ClientsModule {}
