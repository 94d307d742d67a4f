import { Inject, Module } from '@nestjs/common';
import { Faces } from '../common/http/face.js';
import { IdentityProvidersModule } from '../identity-providers/index.js';
import { IdpOfflineAccessModule } from '../idp-offline-access/index.js';
import { ThrottlingModule } from '../throttling/index.js';
import { TokensModule } from '../tokens/index.js';
import { UsersModule } from '../users/index.js';
import { WebhooksModule } from '../webhooks/index.js';
import { adminFace } from './admin.face.js';
import { AuditExportController } from './audit-export.controller.js';
import { AuditController } from './audit.controller.js';
import { EncryptionKeysController } from './encryption-keys.controller.js';
import { IdentityProvidersController } from './identity-providers.controller.js';
import { ImportsController } from './imports.controller.js';
import { SigningKeysController } from './signing-keys.controller.js';
import { UsersController } from './users.controller.js';
import { WebhooksController } from './webhooks.controller.js';

@Module({
  imports: [
    IdentityProvidersModule,
    IdpOfflineAccessModule,
    ThrottlingModule,
    TokensModule,
    UsersModule,
    WebhooksModule,
  ],
  controllers: [
    IdentityProvidersController,
    UsersController,
    ImportsController,
    WebhooksController,
    AuditController,
    AuditExportController,
    EncryptionKeysController,
    SigningKeysController,
  ],
})
export class AdminModule {
  constructor(@Inject(Faces) faces: Faces) {
    faces.register(adminFace);
  }
}
