import { Inject, Module } from '@nestjs/common';
import { Faces } from '../common/http/face.js';
import { IdentityProvidersModule } from '../identity-providers/index.js';
import { OutboxModule } from '../outbox/index.js';
import { TokensModule } from '../tokens/index.js';
import { UserDeletion, UsersModule } from '../users/index.js';
import { WebhooksModule } from '../webhooks/index.js';
import { AccountJournal } from './account-journal.js';
import { ConnectTickets } from './connect-tickets.js';
import { ConfigurationController } from './dialects/onezone/configuration.controller.js';
import { CurrentUserController } from './dialects/onezone/current-user.controller.js';
import { IdpAccessTokenController } from './dialects/onezone/idp-access-token.controller.js';
import { NamedTokensController } from './dialects/onezone/named-tokens.controller.js';
import { OnezoneTokens } from './dialects/onezone/onezone-tokens.js';
import { onezoneFace } from './dialects/onezone/onezone.face.js';
import { TokenVerificationController } from './dialects/onezone/token-verification.controller.js';
import { UserTokensController } from './dialects/onezone/user-tokens.controller.js';
import { LinkedAccounts } from './linked-accounts.js';
import { LinkedAccountsRepository } from './linked-accounts.repository.js';
import { OfflineRefresh } from './offline-refresh.js';
import { UpstreamAccess } from './upstream-access.js';
import { UpstreamCircuits } from './upstream-circuits.js';
import { UpstreamRevocation } from './upstream-revocation.js';
import { UpstreamTokens } from './upstream-tokens.js';

@Module({
  imports: [TokensModule, UsersModule, WebhooksModule, IdentityProvidersModule, OutboxModule],
  controllers: [
    ConfigurationController,
    CurrentUserController,
    IdpAccessTokenController,
    NamedTokensController,
    TokenVerificationController,
    UserTokensController,
  ],
  providers: [
    AccountJournal,
    ConnectTickets,
    LinkedAccounts,
    LinkedAccountsRepository,
    OfflineRefresh,
    OnezoneTokens,
    UpstreamAccess,
    UpstreamCircuits,
    UpstreamRevocation,
    UpstreamTokens,
  ],
  exports: [ConnectTickets, LinkedAccounts, UpstreamAccess],
})
export class IdpOfflineAccessModule {
  constructor(
    @Inject(Faces) faces: Faces,
    @Inject(UserDeletion) deletion: UserDeletion,
    @Inject(LinkedAccounts) accounts: LinkedAccounts,
  ) {
    faces.register(onezoneFace);
    deletion.register((userId) => accounts.unlinkAll(userId));
  }
}
