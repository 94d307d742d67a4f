import { Module, type DynamicModule } from '@nestjs/common';
import { openDataSource } from '../ormconfig.js';
import { AdminModule } from './admin/index.js';
import { AuditModule } from './audit/index.js';
import { AuthorizationModule } from './authorization/index.js';
import { ClientsModule } from './clients/index.js';
import { CommonModule } from './common/common.module.js';
import { ConfigModule, type Configuration } from './config/index.js';
import { DatabaseModule } from './database/index.js';
import { EncryptionModule } from './encryption/index.js';
import { FederatedIdentitiesModule } from './federated-identities/index.js';
import { HealthModule } from './health/index.js';
import { IdentityProvidersModule } from './identity-providers/index.js';
import { IdpOfflineAccessModule } from './idp-offline-access/index.js';
import { JobsModule } from './jobs/index.js';
import { MetricsModule } from './metrics/index.js';
import { SessionsModule } from './sessions/index.js';
import { TokensModule } from './tokens/index.js';
import { UsersModule } from './users/index.js';

const LEASE_MARGIN_MS = 2_000;

/** The composition: which rooms the house has. */
@Module({})
export class AppModule {
  static with(configuration: Configuration): DynamicModule {
    const {
      DATABASE_URL: url,
      MIGRATIONS_RUN: migrate,
      DATABASE_POOL_SIZE: poolSize,
      DATABASE_TIMEOUT_MS: statementMs,
      UPSTREAM_LEASE_MS: leaseMs,
    } = configuration.environment;
    // Who waits for one statement longer than its lease lasts could not store what it was given under it.
    const timeoutMs = Math.min(statementMs, leaseMs - LEASE_MARGIN_MS);
    return {
      module: AppModule,
      imports: [
        CommonModule,
        ConfigModule.with(configuration),
        DatabaseModule.with({ dataSource: () => openDataSource(url, { poolSize, timeoutMs }), migrate }),
        MetricsModule.with(configuration),
        EncryptionModule,
        JobsModule,
        HealthModule,
        AuditModule,
        UsersModule,
        ClientsModule,
        IdentityProvidersModule,
        SessionsModule,
        TokensModule,
        IdpOfflineAccessModule,
        FederatedIdentitiesModule,
        AuthorizationModule,
        AdminModule,
      ],
    };
  }
}
