import { Inject, Module } from '@nestjs/common';
import { Faces } from '../common/http/face.js';
import { IdentityProvidersModule } from '../identity-providers/index.js';
import { OutboxModule } from '../outbox/index.js';
import { TokensModule } from '../tokens/index.js';
import { UsersModule } from '../users/index.js';
import { ConnectTickets } from './connect-tickets.js';
import { IdpAccessTokenController } from './dialects/onezone/idp-access-token.controller.js';
import { onezoneFace } from './dialects/onezone/onezone.face.js';
import { LinkedAccounts } from './linked-accounts.js';
import { LinkedAccountsRepository } from './linked-accounts.repository.js';
import { OfflineRefresh } from './offline-refresh.js';
import { UpstreamAccess } from './upstream-access.js';
import { UpstreamCircuits } from './upstream-circuits.js';
import { UpstreamRevocation } from './upstream-revocation.js';
import { UpstreamTokens } from './upstream-tokens.js';

@Module({
  imports: [TokensModule, UsersModule, IdentityProvidersModule, OutboxModule],
  controllers: [IdpAccessTokenController],
  providers: [
    ConnectTickets,
    LinkedAccounts,
    LinkedAccountsRepository,
    OfflineRefresh,
    UpstreamAccess,
    UpstreamCircuits,
    UpstreamRevocation,
    UpstreamTokens,
  ],
  exports: [ConnectTickets, LinkedAccounts, UpstreamAccess],
})
export class IdpOfflineAccessModule {
  constructor(@Inject(Faces) faces: Faces) {
    faces.register(onezoneFace);
  }
}
