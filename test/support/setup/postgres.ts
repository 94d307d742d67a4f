import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { Client } from 'pg';
import { startPostgres } from '../postgres-server.mjs';
import type { PostgresContext } from '../postgres.js';
import { usesDatabase } from '../database-names.js';

interface Running extends PostgresContext {
  stop: () => Promise<void>;
}

declare global {
  /** Vitest calls this setup once per project, each time in a module graph of its own: they share one server. */
  var symbolonTestPostgres: { projects: number; running: Promise<Running> } | undefined;
}

async function start(): Promise<Running> {
  const server = await startPostgres();
  return {
    adminUrl: server.url,
    databasePrefix: `symbolon_test_${randomBytes(4).toString('hex')}_`,
    stop: server.stop,
  };
}

/** A server of the developer's own must not collect the databases of tests that were killed. */
async function dropLeftovers({ adminUrl, databasePrefix }: Running): Promise<void> {
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    const { rows } = await admin.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [databasePrefix],
    );
    for (const { datname } of rows) await admin.query(`DROP DATABASE IF EXISTS "${datname}" WITH (FORCE)`);
  } finally {
    await admin.end();
  }
}

async function end(running: Running): Promise<void> {
  try {
    if (process.env['TEST_DATABASE_URL']) await dropLeftovers(running);
  } finally {
    await running.stop();
  }
}

/** Vitest global setup: starts PostgreSQL and tells the tests where it is. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!usesDatabase('postgres')) {
    project.provide('postgres', undefined);
    return () => Promise.resolve();
  }
  const shared = (globalThis.symbolonTestPostgres ??= { projects: 0, running: start() });
  shared.projects += 1;
  const running = await shared.running;
  project.provide('postgres', { adminUrl: running.adminUrl, databasePrefix: running.databasePrefix });
  return async () => {
    shared.projects -= 1;
    if (shared.projects > 0) return;
    globalThis.symbolonTestPostgres = undefined;
    await end(running);
  };
}
