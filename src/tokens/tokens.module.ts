import { Inject, Module } from '@nestjs/common';
import { ClientRegistry, ClientsModule } from '../clients/index.js';
import { Faces } from '../common/http/face.js';
import { ThrottlingModule } from '../throttling/index.js';
import { PasswordChanges, UserDeletion, UsersModule } from '../users/index.js';
import { AccessTokenRecords } from './access-tokens/access-token-records.js';
import { AccessTokens } from './access-tokens/access-tokens.js';
import { Callers } from './access-tokens/callers.js';
import { Administrators } from './administrators/administrators.js';
import { ApiKeys } from './administrators/api-keys.js';
import { IntrospectionController } from './dialects/raidiam/introspection.controller.js';
import { MetadataController } from './dialects/raidiam/metadata.controller.js';
import { raidiamFace } from './dialects/raidiam/raidiam.face.js';
import { RevocationController } from './dialects/raidiam/revocation.controller.js';
import { TokenController } from './dialects/raidiam/token.controller.js';
import { OAuthClientsController } from './dialects/slashid/clients.controller.js';
import { slashidFace } from './dialects/slashid/slashid.face.js';
import { OAuthTokensController } from './dialects/slashid/tokens.controller.js';
import { GrantHandlers } from './engine/grant-handler.js';
import { TokenEngine } from './engine/token-engine.js';
import { AuthorizationCodeGrant } from './grants/authorization-code.grant.js';
import { AuthorizationCodes } from './grants/authorization-codes.js';
import { ClientCredentialsGrant } from './grants/client-credentials.grant.js';
import { EndedGrants } from './grants/ended-grants.js';
import { GrantsRepository } from './grants/grants.repository.js';
import { RefreshTokenGrant } from './grants/refresh-token.grant.js';
import { Introspection } from './introspection/introspection.js';
import { RefreshTokens } from './refresh-tokens/refresh-tokens.js';
import { Revocation } from './revocation/revocation.js';
import { JwtSigner } from './signing/jwt-signer.js';
import { SigningKeyRotation } from './signing/signing-key-rotation.js';
import { SigningKeys } from './signing/signing-keys.js';
import { UserTokens } from './user-tokens/user-tokens.js';

@Module({
  imports: [ClientsModule, ThrottlingModule, UsersModule],
  controllers: [
    TokenController,
    IntrospectionController,
    RevocationController,
    MetadataController,
    OAuthClientsController,
    OAuthTokensController,
  ],
  providers: [
    AccessTokenRecords,
    AccessTokens,
    Administrators,
    ApiKeys,
    AuthorizationCodeGrant,
    AuthorizationCodes,
    Callers,
    ClientCredentialsGrant,
    EndedGrants,
    GrantHandlers,
    GrantsRepository,
    Introspection,
    JwtSigner,
    RefreshTokenGrant,
    RefreshTokens,
    Revocation,
    SigningKeyRotation,
    SigningKeys,
    TokenEngine,
    UserTokens,
  ],
  exports: [AccessTokens, Administrators, ApiKeys, AuthorizationCodes, SigningKeyRotation, UserTokens],
})
export class TokensModule {
  constructor(
    @Inject(Faces) faces: Faces,
    @Inject(ClientRegistry) clients: ClientRegistry,
    @Inject(UserDeletion) deletion: UserDeletion,
    @Inject(PasswordChanges) passwordChanges: PasswordChanges,
    @Inject(GrantsRepository) grants: GrantsRepository,
    @Inject(RefreshTokens) refreshTokens: RefreshTokens,
    @Inject(UserTokens) userTokens: UserTokens,
  ) {
    faces.register(slashidFace);
    faces.registerFallback(raidiamFace);
    clients.onDeleted((clientId) => grants.revokeAllOfClient(clientId, 'client deleted'));
    deletion.register((userId) => grants.forgetUser(userId));
    deletion.register((userId) => refreshTokens.forgetUser(userId));
    deletion.register((userId) => userTokens.forgetUser(userId));
    passwordChanges.register((userId) => grants.revokeAllOfUser(userId, 'password changed'));
    passwordChanges.register((userId) => userTokens.forgetMadeByPassword(userId));
  }
}
