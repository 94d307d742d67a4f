import { Inject, Module } from '@nestjs/common';
import { ClientRegistry, ClientsModule } from '../clients/index.js';
import { below, Faces } from '../common/http/face.js';
import { pagesFace } from '../common/http/pages.face.js';
import { SessionsModule } from '../sessions/index.js';
import { TokensModule } from '../tokens/index.js';
import { UserDeletion, UsersModule } from '../users/index.js';
import { AuthorizationController } from './authorization.controller.js';
import { AuthorizationService } from './authorization.service.js';
import { Consents } from './consents.js';
import { PendingRequests } from './pending-requests.js';

@Module({
  imports: [ClientsModule, SessionsModule, TokensModule, UsersModule],
  controllers: [AuthorizationController],
  providers: [AuthorizationService, Consents, PendingRequests],
})
export class AuthorizationModule {
  constructor(
    @Inject(Faces) faces: Faces,
    @Inject(ClientRegistry) clients: ClientRegistry,
    @Inject(UserDeletion) deletion: UserDeletion,
    @Inject(Consents) consents: Consents,
  ) {
    clients.onDeleted((clientId) => consents.forgetClient(clientId));
    deletion.register((userId) => consents.forget(userId));
    faces.register(pagesFace('authorization pages', below('/auth')));
  }
}
