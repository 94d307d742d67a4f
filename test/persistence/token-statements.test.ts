import { type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AbstractLogger, DataSource, type LogMessage } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppModule } from '../../src/app.module.js';
import { requestContext } from '../../src/common/request-context.js';
import { Secret } from '../../src/common/secret.js';
import { parseDeclarations } from '../../src/config/config-file.js';
import { readEnvironment } from '../../src/config/environment.js';
import { Configuration } from '../../src/config/index.js';
import { TokenEngine } from '../../src/tokens/engine/token-engine.js';
import { databases, type DatabaseUnderTest } from '../support/databases.js';
import { encryptionKeys } from '../support/service.js';

const SECRET = 'statements-secret-0123456789abcdef0123456789abc';
const COUNTED = { requestId: 'counted', address: undefined };
const clients = (['jwt', 'opaque'] as const).map((access_token_format) => ({
  client_id: access_token_format,
  client_secret: SECRET,
  grant_types: ['client_credentials'],
  scope: 'accounts:read',
  access_token_format,
}));

/** What one request has the database do, as `VERB table`; what others do beside it is theirs. */
class Statements extends AbstractLogger {
  readonly seen: string[] = [];

  override logQuery(query: string): void {
    if (requestContext.getStore()?.requestId !== COUNTED.requestId) return;
    const [, verb, table] = /^\s*(\w+).*?(?:FROM|INTO|UPDATE) "?(\w+)/is.exec(query) ?? [];
    // SQLite's transactions are not seen here, and signing keys are read once a second, however many requests there are.
    if (verb !== undefined && table !== 'signing_keys') this.seen.push(`${verb} ${table}`);
  }

  protected override writeLog(): LogMessage[] {
    return [];
  }
}

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

  async function statementsOf(clientId: string): Promise<string[]> {
    const engine = app.get(TokenEngine, { strict: false });
    const exchange = () =>
      engine.exchange({
        client: { method: 'client_secret_basic', clientId, secret: new Secret(SECRET) },
        grantType: 'client_credentials',
        parameters: new Map(),
      });
    await exchange();
    const statements = new Statements();
    app.get(DataSource).logger = statements;
    await requestContext.run(COUNTED, exchange);
    return statements.seen;
  }

  it('client_credentials with a JWT: who it is, and one row that says so', async () => {
    expect(await statementsOf('jwt')).toEqual(['SELECT clients', 'SELECT client_secrets', 'INSERT audit_events']);
  });

  it('client_credentials with an opaque token: the token and the row that says so, together', async () => {
    expect(await statementsOf('opaque')).toEqual([
      'SELECT clients',
      'SELECT client_secrets',
      'INSERT access_tokens',
      'INSERT audit_events',
    ]);
  });
});
