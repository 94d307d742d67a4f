import { type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AbstractLogger, DataSource, type LogMessage } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppModule } from '../../src/app.module.js';
import { ClientsRepository } from '../../src/clients/clients.repository.js';
import { requestContext } from '../../src/common/request-context.js';
import { Secret } from '../../src/common/secret.js';
import { parseDeclarations } from '../../src/config/config-file.js';
import { readEnvironment } from '../../src/config/environment.js';
import { Configuration } from '../../src/config/index.js';
import { TokenEngine } from '../../src/tokens/engine/token-engine.js';
import { GrantsRepository } from '../../src/tokens/grants/grants.repository.js';
import { Introspection } from '../../src/tokens/introspection/introspection.js';
import { RefreshTokens } from '../../src/tokens/refresh-tokens/refresh-tokens.js';
import { UsersRepository } from '../../src/users/index.js';
import { databases, type DatabaseUnderTest } from '../support/databases.js';
import { encryptionKeys } from '../support/service.js';
import { present } from './support/tokens-room.js';

const SECRET = 'statements-secret-0123456789abcdef0123456789abc';
const COUNTED = { requestId: 'counted', address: undefined };
const clients = (['jwt', 'opaque'] as const).map((access_token_format) => ({
  client_id: access_token_format,
  client_secret: SECRET,
  grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
  redirect_uris: ['https://app.example/callback'],
  scope: 'accounts:read',
  access_token_format,
}));
type ClientId = (typeof clients)[number]['client_id'];

/** What one request has the database do, as `VERB table`; what others do beside it is theirs. */
class Statements extends AbstractLogger {
  readonly seen: string[] = [];

  override logQuery(query: string): void {
    if (requestContext.getStore()?.requestId !== COUNTED.requestId) return;
    const [, verb, table] =
      /^\s*(SELECT|INSERT|UPDATE|DELETE)\b(?:.*?\b(?:FROM|INTO)\b)?\s+"?(\w+)/is.exec(query) ?? [];
    // SQLite's transactions are not seen here, and signing keys are read once a second, however many requests there are.
    if (verb !== undefined && table !== 'signing_keys') this.seen.push(`${verb} ${table}`);
  }

  protected override writeLog(): LogMessage[] {
    return [];
  }
}

const proof = (clientId: ClientId) => ({
  method: 'client_secret_basic' as const,
  clientId,
  secret: new Secret(SECRET),
});

/** docs/adr/0017 says why each of these has to be: one that is added here needs a reason there. */
describe.each(databases)('the statements of the token path on $name', ({ create }) => {
  let database: DatabaseUnderTest;
  let app: INestApplicationContext;
  beforeAll(async () => {
    database = await create();
    const environment = readEnvironment({ ENCRYPTION_KEYS: encryptionKeys(), DATABASE_URL: database.url });
    const configuration = new Configuration(environment, parseDeclarations({ clients }));
    app = await NestFactory.createApplicationContext(AppModule.with(configuration), { logger: false });
  });
  afterAll(async () => {
    await app.close();
    await database.cleanup();
  });

  const exchange = (clientId: ClientId, grantType: string, parameters: Record<string, string> = {}) =>
    app.get(TokenEngine, { strict: false }).exchange({
      client: proof(clientId),
      grantType,
      parameters: new Map(Object.entries(parameters)),
    });
  const introspect = (clientId: ClientId, token: Secret) =>
    app.get(Introspection, { strict: false }).introspect({ client: proof(clientId), token });

  /** Of the second one of two, for the first one of a process reads what is kept. */
  async function statementsOf<Result>(request: (before: Result | undefined) => Promise<Result>): Promise<string[]> {
    const before = await request(undefined);
    const statements = new Statements();
    app.get(DataSource).logger = statements;
    await requestContext.run(COUNTED, () => request(before));
    return statements.seen;
  }

  async function refreshTokenOf(clientId: ClientId): Promise<Secret> {
    const user = await app.get(UsersRepository, { strict: false }).create({ fullName: 'Ada' });
    const granted = {
      userId: user.id,
      clientId,
      scope: ['accounts:read'],
      sessionId: undefined,
      authTime: 0,
      claims: {},
    };
    const grant = await app.get(GrantsRepository, { strict: false }).create(granted);
    const client = await app.get(ClientsRepository, { strict: false }).find(clientId);
    const family = { grantId: grant.id, scope: grant.scope, expiresAt: undefined };
    return (await app.get(RefreshTokens, { strict: false }).issue(client!, family)).token;
  }

  it('client_credentials with a JWT: who it is, and one row that says so', async () => {
    expect(await statementsOf(() => exchange('jwt', 'client_credentials'))).toEqual([
      'SELECT clients',
      'INSERT audit_events',
    ]);
  });

  it('client_credentials with an opaque token: the token and the row that says so, together', async () => {
    expect(await statementsOf(() => exchange('opaque', 'client_credentials'))).toEqual([
      'SELECT clients',
      'INSERT access_tokens',
      'INSERT audit_events',
    ]);
  });

  it('introspection of an opaque token: who asks, what it stands for, and whether its client stands', async () => {
    const { accessToken } = await exchange('opaque', 'client_credentials');
    expect(await statementsOf(() => introspect('opaque', accessToken))).toEqual([
      'SELECT clients',
      'SELECT access_tokens',
      'SELECT clients',
    ]);
  });

  it('introspection of a JWT: the same, where only its revocation is kept', async () => {
    const { accessToken } = await exchange('jwt', 'client_credentials');
    expect(await statementsOf(() => introspect('jwt', accessToken))).toEqual([
      'SELECT clients',
      'SELECT access_tokens',
      'SELECT clients',
    ]);
  });

  it('refreshing: whose it is and what it rests on, then all that is spent and made together', async () => {
    const first = await refreshTokenOf('jwt');
    const statements = await statementsOf<Secret>(async (token = first) => {
      const { refreshToken } = await exchange('jwt', 'refresh_token', { refresh_token: token.reveal() });
      return present(refreshToken);
    });
    expect(statements).toEqual([
      'SELECT clients',
      'SELECT refresh_tokens',
      'SELECT grants',
      'SELECT users',
      'UPDATE refresh_tokens',
      'SELECT refresh_tokens',
      'UPDATE refresh_tokens',
      'INSERT refresh_tokens',
      'UPDATE refresh_tokens',
      'INSERT audit_events',
    ]);
  });
});
