import type { DataSource } from 'typeorm';
import { AuditEventEntity } from './src/audit/audit-event.entity.js';
import { AuthorizationRequestEntity, ConsentEntity } from './src/authorization/authorization.entities.js';
import { UsedAssertionEntity } from './src/clients/authentication/used-assertion.entity.js';
import { ClientEntity, ClientSecretEntity } from './src/clients/client.entity.js';
import { AppliedDeclarationEntity } from './src/config/applied-declaration.entity.js';
import { createDataSource, type ConnectionLimits } from './src/database/data-source.js';
import { Initial1763800000000 } from './src/database/migrations/1763800000000-initial.js';
import { ProvidersAndLinking1764000000000 } from './src/database/migrations/1764000000000-providers-and-linking.js';
import { EventsAndJobs1764100000000 } from './src/database/migrations/1764100000000-events-and-jobs.js';
import { TokenEngine1764200000000 } from './src/database/migrations/1764200000000-token-engine.js';
import { LoginAttemptEntity } from './src/federated-identities/login-attempt.entity.js';
import { IdentityProviderEntity } from './src/identity-providers/identity-provider.entity.js';
import { ConnectTicketEntity } from './src/idp-offline-access/connect-ticket.entity.js';
import { LinkedAccountEntity } from './src/idp-offline-access/linked-account.entity.js';
import { UpstreamCircuitEntity } from './src/idp-offline-access/upstream-circuit.entity.js';
import { JobEntity } from './src/jobs/job.entity.js';
import { OutboxMessageEntity } from './src/outbox/outbox-message.entity.js';
import { PostedParametersEntity } from './src/sessions/posted-parameters.entity.js';
import { SessionEntity } from './src/sessions/session.entity.js';
import { ThrottleEntity } from './src/throttling/throttle.entity.js';
import { AccessTokenEntity } from './src/tokens/access-tokens/access-token.entity.js';
import { ApiKeyEntity } from './src/tokens/administrators/api-key.entity.js';
import { AuthorizationCodeEntity, GrantEntity } from './src/tokens/grants/grant.entities.js';
import { RefreshTokenEntity } from './src/tokens/refresh-tokens/refresh-token.entity.js';
import { SigningKeyEntity } from './src/tokens/signing/signing-key.entity.js';
import { UserTokenEntity } from './src/tokens/user-tokens/user-token.entity.js';
import { UserEntity } from './src/users/user.entity.js';
import { WebhookEntity } from './src/webhooks/webhook.entity.js';

const schema = {
  entities: [
    AccessTokenEntity,
    ApiKeyEntity,
    AppliedDeclarationEntity,
    AuditEventEntity,
    AuthorizationCodeEntity,
    AuthorizationRequestEntity,
    ClientEntity,
    ClientSecretEntity,
    ConnectTicketEntity,
    ConsentEntity,
    GrantEntity,
    IdentityProviderEntity,
    JobEntity,
    LinkedAccountEntity,
    LoginAttemptEntity,
    OutboxMessageEntity,
    PostedParametersEntity,
    RefreshTokenEntity,
    SessionEntity,
    SigningKeyEntity,
    ThrottleEntity,
    UpstreamCircuitEntity,
    UsedAssertionEntity,
    UserEntity,
    UserTokenEntity,
    WebhookEntity,
  ],
  migrations: [
    Initial1763800000000,
    ProvidersAndLinking1764000000000,
    EventsAndJobs1764100000000,
    TokenEngine1764200000000,
  ],
};

/** The one list of what is in the database, for the service, the TypeORM CLI and the tests alike. */
export const openDataSource = (url: string, limits?: ConnectionLimits): DataSource =>
  createDataSource(url, schema, limits);

export default openDataSource(process.env['DATABASE_URL'] ?? 'sqlite:data/symbolon.sqlite');
