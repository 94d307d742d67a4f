import { Inject, Module } from '@nestjs/common';
import { below, Faces } from '../common/http/face.js';
import { pagesFace } from '../common/http/pages.face.js';
import { IdentityProvidersModule } from '../identity-providers/index.js';
import { IdpOfflineAccessModule } from '../idp-offline-access/index.js';
import { SessionsModule } from '../sessions/index.js';
import { TokensModule } from '../tokens/index.js';
import { UsersModule } from '../users/index.js';
import { ConnectRequests } from './connect-requests.js';
import { ConnectController } from './connect.controller.js';
import { FederatedIdentitiesController } from './dialects/pace/federated-identities.controller.js';
import { paceFace } from './dialects/pace/pace.face.js';
import { IdentityLinking } from './identity-linking.js';
import { LoginAttempts } from './login-attempts.js';
import { LoginController } from './login.controller.js';
import { SignIn } from './sign-in.js';

@Module({
  imports: [IdpOfflineAccessModule, IdentityProvidersModule, SessionsModule, TokensModule, UsersModule],
  controllers: [LoginController, ConnectController, FederatedIdentitiesController],
  providers: [ConnectRequests, IdentityLinking, LoginAttempts, SignIn],
})
export class FederatedIdentitiesModule {
  constructor(@Inject(Faces) faces: Faces) {
    faces.register(paceFace);
    faces.register(pagesFace('sign-in pages', below('/login', '/connect')));
  }
}
