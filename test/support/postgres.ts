import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';

export { startPostgres } from './postgres-server.mjs';

/** What the global setup of a project tells its tests. */
export interface PostgresContext {
  adminUrl: string;
  /** All databases of one run begin with it, so that those of a killed worker are found and dropped at the end. */
  databasePrefix: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    postgres: PostgresContext | undefined;
  }
}

export interface TestDatabase {
  url: string;
  drop: () => Promise<void>;
}

/** One connection, one piece of work; the connection is closed whatever happens. */
export async function withPostgres<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A database of its own, so that test files never see each other's rows. Dropping ends connections that are left. */
export async function createDatabase(): Promise<TestDatabase> {
  const context = inject('postgres');
  if (context === undefined)
    throw new Error('no PostgreSQL here: TEST_DATABASES leaves it out, or the project has none');
  const name = `${context.databasePrefix}${randomBytes(6).toString('hex')}`;
  await withPostgres(context.adminUrl, (admin) => admin.query(`CREATE DATABASE "${name}"`));
  const url = new URL(context.adminUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => {
      await withPostgres(context.adminUrl, (admin) => admin.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`));
    },
  };
}
