// @ts-check
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { MAIN } from '../../scripts/build.mjs';
import { startService } from '../../scripts/demo/service.mjs';
import { freePort } from '../../scripts/free-port.mjs';
import { bindProcess, temporaryDirectory } from '../../scripts/lifeline.mjs';
import { startPostgres } from '../support/postgres-server.mjs';
import { CLIENTS, JWT_RESOURCE, SCOPE } from './scenarios.mjs';

/** @typedef {import('./scenarios.mjs').Target} Target */

const PEER = fileURLToPath(new URL('peer.mjs', import.meta.url));
const LISTENS_WITHIN_MS = 15_000;
const POLL_MS = 50;

/** As JSON, which is YAML, too. */
const CONFIG = JSON.stringify({
  scopes: [{ name: SCOPE, description: 'Read what is measured' }],
  clients: Object.entries(CLIENTS).map(([format, client]) => ({
    ...client,
    grant_types: ['client_credentials'],
    scope: SCOPE,
    access_token_format: format,
  })),
});

/**
 * The built service as `npm start` runs it, with its log.
 * @param {string} name
 * @param {(directory: string) => string} databaseUrl
 * @param {() => Promise<void>} cleanUp
 * @returns {Promise<Target>}
 */
async function symbolon(name, databaseUrl, cleanUp = async () => {}) {
  const directory = temporaryDirectory();
  const config = join(directory, 'config.json');
  writeFileSync(config, CONFIG, { mode: 0o600 });
  mkdirSync(join(directory, 'data'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const environment = {
    NODE_ENV: 'production',
    PORT: String(port),
    ISSUER: url,
    DATABASE_URL: databaseUrl(directory),
    CONFIG_FILE: config,
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  };
  const service = await startService({ main: MAIN, directory, environment, issuer: url });
  return {
    name,
    url,
    tokenPath: '/token',
    introspectionPath: '/token/introspection',
    jwtParameters: {},
    stop: async () => {
      await service.stop();
      await cleanUp();
    },
  };
}

const onSqlite = () =>
  symbolon('Symbolon on SQLite', (directory) => `sqlite:${join(directory, 'data', 'bench.sqlite')}`);

/** A database of its own, whoever the server belongs to. */
async function onPostgres() {
  const server = await startPostgres();
  const name = `symbolon_bench_${randomBytes(6).toString('hex')}`;
  const asAdministrator = async (/** @type {string} */ statement) => {
    const client = new Client({ connectionString: server.url });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await asAdministrator(`CREATE DATABASE "${name}"`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return symbolon(
    'Symbolon on PostgreSQL',
    () => url.href,
    async () => {
      await asAdministrator(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
      await server.stop();
    },
  );
}

/** @returns {Promise<Target>} */
async function peer() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [PEER], {
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  bindProcess(child);
  const closed = once(child, 'close');
  const deadline = Date.now() + LISTENS_WITHIN_MS;
  while (
    !(await fetch(`${url}/.well-known/openid-configuration`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error('the peer does not listen');
    await delay(POLL_MS);
  }
  return {
    name: 'node-oidc-provider in memory',
    url,
    tokenPath: '/token',
    introspectionPath: '/token/introspection',
    jwtParameters: { resource: JWT_RESOURCE },
    stop: async () => {
      child.kill();
      await closed;
    },
  };
}

/** One at a time: what is not measured must not run beside what is. */
export const TARGETS = { sqlite: onSqlite, postgres: onPostgres, peer };
