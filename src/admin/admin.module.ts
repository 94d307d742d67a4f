import { Inject, Module } from '@nestjs/common';
import { ClientsModule } from '../clients/index.js';
import { Faces } from '../common/http/face.js';
import { IdentityProvidersModule } from '../identity-providers/index.js';
import { IdpOfflineAccessModule } from '../idp-offline-access/index.js';
import { TokensModule } from '../tokens/index.js';
import { UsersModule } from '../users/index.js';
import { WebhooksModule } from '../webhooks/index.js';
import { adminFace } from './admin.face.js';
import { ApiKeysController } from './api-keys.controller.js';
import { AuditExportController } from './audit-export.controller.js';
import { AuditController } from './audit.controller.js';
import { ClientsController } from './clients.controller.js';
import { EncryptionKeysController } from './encryption-keys.controller.js';
import { IdentityProvidersController } from './identity-providers.controller.js';
import { ImportsController } from './imports.controller.js';
import { SigningKeysController } from './signing-keys.controller.js';
import { UsersController } from './users.controller.js';
import { WebhooksController } from './webhooks.controller.js';

@Module({
  imports: [ClientsModule, IdentityProvidersModule, IdpOfflineAccessModule, TokensModule, UsersModule, WebhooksModule],
  controllers: [
    ClientsController,
    IdentityProvidersController,
    UsersController,
    ImportsController,
    WebhooksController,
    AuditController,
    AuditExportController,
    EncryptionKeysController,
    ApiKeysController,
    SigningKeysController,
  ],
})
export class AdminModule {
  constructor(@Inject(Faces) faces: Faces) {
    faces.register(adminFace);
  }
}
