import 'reflect-metadata';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import Libsql from 'libsql';
import { Client } from 'pg';
import { stringify } from 'yaml';
import { AppModule } from '../../../dist/src/app.module.js';
import { Secret } from '../../../dist/src/common/secret.js';
import { loadConfiguration } from '../../../dist/src/config/index.js';
import { LinkedAccounts } from '../../../dist/src/idp-offline-access/index.js';
import { TokenEngine } from '../../../dist/src/tokens/engine/token-engine.js';
import { AuthorizationCodes } from '../../../dist/src/tokens/grants/authorization-codes.js';
import { ApiKeys, UserTokens } from '../../../dist/src/tokens/index.js';
import { UsersRepository } from '../../../dist/src/users/index.js';
import { Webhooks } from '../../../dist/src/webhooks/index.js';
import { temporaryDirectory } from '../../support/lifeline.mjs';
import { startPostgres } from '../../support/postgres-server.mjs';
import { dumpPostgres, dumpSqlite } from './dump.mjs';
import {
  ACCOUNT,
  API_KEY_NAME,
  CONFIG,
  ENCRYPTION_KEYS,
  KEEPER,
  LEGACY,
  LEGACY_ACCOUNT,
  LEGACY_TOKEN,
  SIGNER,
  TOKENS,
  USER_TOKEN_NAME,
  WEBHOOK_SECRET,
  WEBHOOK_URL,
} from './fixture.mjs';

/**
 * Writes <version>.sqlite.sql and <version>.postgres.sql: what a database of this release looks like, filled by the
 * release's own code. Run it on the built release, once; a dump that is committed is never made again.
 */
const version = process.argv[2] ?? '';
if (!/^\d+\.\d+\.\d+$/.test(version)) {
  console.error('usage: npm run build && node test/persistence/releases/make.mjs <version>');
  process.exit(1);
}

function target(name) {
  const path = join(import.meta.dirname, `${version}.${name}.sql`);
  if (existsSync(path)) throw new Error(`${path} is there already; a release's dump does not change`);
  return path;
}

const directory = temporaryDirectory();

/**
 * The service, without its HTTP door, starts on an empty database (so it declares a client, a user and a provider and
 * makes signing keys), links an account and issues a grant.
 */
async function fill(url) {
  const file = join(directory, 'config.yaml');
  const clients = [...CONFIG.clients, KEEPER, SIGNER];
  const config = { ...CONFIG, clients, identity_providers: [...CONFIG.identity_providers, LEGACY] };
  writeFileSync(file, stringify(config), { mode: 0o600 });
  const configuration = loadConfiguration({ DATABASE_URL: url, ENCRYPTION_KEYS, CONFIG_FILE: file });
  const app = await NestFactory.createApplicationContext(AppModule.with(configuration), { logger: ['error'] });
  const alice = await app.get(UsersRepository, { strict: false }).findByUsername('alice');
  if (!alice) throw new Error('the declared user is missing');
  const accounts = app.get(LinkedAccounts, { strict: false });
  await accounts.link({
    userId: alice.id,
    ...ACCOUNT,
    requestedScope: 'openid email offline_access',
    tokens: {
      accessToken: new Secret(TOKENS.access),
      refreshToken: new Secret(TOKENS.refresh),
      idToken: undefined,
      tokenType: 'Bearer',
      expiresInSeconds: 3600,
      scope: 'openid email offline_access',
      receivedAt: Date.now(),
    },
  });
  const linkAtLegacy = (userId, subject) =>
    accounts.link({
      userId,
      ...LEGACY_ACCOUNT,
      subject,
      requestedScope: '',
      connectedInSession: 'a session',
      tokens: {
        accessToken: new Secret(LEGACY_TOKEN),
        refreshToken: undefined,
        idToken: undefined,
        tokenType: 'Bearer',
        expiresInSeconds: 'none',
        scope: undefined,
        receivedAt: Date.now(),
      },
    });
  await linkAtLegacy(alice.id, LEGACY_ACCOUNT.subject);
  await linkAtLegacy('bob', 'bob');
  await accounts.unlink('bob', LEGACY.id);
  await app
    .get(UserTokens, { strict: false })
    .createNamed({ user: alice, scope: new Set() }, { name: USER_TOKEN_NAME, metadata: { for: 'nights' } });
  await app.get(AuthorizationCodes, { strict: false }).issue({
    grant: {
      userId: alice.id,
      clientId: 'app',
      scope: ['openid', 'email'],
      sessionId: undefined,
      authTime: Date.now(),
      claims: { name: 'Alice' },
    },
    redirectUri: 'https://app.example/callback',
    codeChallenge: undefined,
    nonce: 'a nonce',
  });
  const [redirectUri = ''] = KEEPER.redirect_uris;
  const code = await app.get(AuthorizationCodes, { strict: false }).issue({
    grant: {
      userId: alice.id,
      clientId: KEEPER.client_id,
      scope: KEEPER.scope.split(' '),
      sessionId: undefined,
      authTime: Date.now(),
      claims: {},
    },
    redirectUri,
    codeChallenge: undefined,
    nonce: undefined,
  });
  const engine = app.get(TokenEngine, { strict: false });
  const exchange = (grantType, parameters) =>
    engine.exchange({
      client: {
        method: 'client_secret_basic',
        clientId: KEEPER.client_id,
        secret: new Secret(KEEPER.client_secret),
      },
      grantType,
      parameters: new Map(Object.entries(parameters)),
    });
  const { refreshToken } = await exchange('authorization_code', { code: code.reveal(), redirect_uri: redirectUri });
  await exchange('refresh_token', { refresh_token: refreshToken.reveal() });
  await app.get(ApiKeys, { strict: false }).create({ name: API_KEY_NAME, scope: ['admin'], expiresAt: undefined });
  await app
    .get(Webhooks, { strict: false })
    .create(WEBHOOK_URL, { events: ['identity.linked'], enabled: false }, new Secret(WEBHOOK_SECRET));
  await app.close();
}

const sqliteTarget = target('sqlite');
const postgresTarget = target('postgres');

const file = join(directory, 'release.sqlite');
await fill(`sqlite:${file}`);
const sqlite = new Libsql(file);
writeFileSync(sqliteTarget, dumpSqlite(sqlite));
sqlite.close();

const server = await startPostgres();
const admin = new Client({ connectionString: server.url });
await admin.connect();
const name = `symbolon_release_${process.pid}`;
await admin.query(`CREATE DATABASE ${name}`);
try {
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  await fill(url.href);
  const client = new Client({ connectionString: url.href });
  await client.connect();
  writeFileSync(postgresTarget, await dumpPostgres(client));
  await client.end();
} finally {
  await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await admin.end();
  await server.stop();
}
console.log(`written:\n  ${sqliteTarget}\n  ${postgresTarget}`);
