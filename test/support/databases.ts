import { join } from 'node:path';
import Libsql from 'libsql';
import { type DatabaseName, usesDatabase } from './database-names.js';
import { createDatabase, withPostgres } from './postgres.js';
import { removeTemporaryDirectory, temporaryDirectory } from './temporary-directory.js';

export type Row = Record<string, unknown>;

/** A fresh, empty database for one test file, seen from outside the service. */
export interface DatabaseUnderTest {
  /** What goes into DATABASE_URL. */
  url: string;
  /** Every column of every row of every table as text: what a thief of the database would read. */
  dump: () => Promise<string>;
  /** Placeholders are `?` on both databases. bigint columns come back as number here and as string on PostgreSQL. */
  query: (sql: string, parameters?: readonly unknown[]) => Promise<Row[]>;
  cleanup: () => Promise<void>;
}

export interface DatabaseKind {
  name: DatabaseName;
  create: () => Promise<DatabaseUnderTest>;
}

const BUSY_TIMEOUT_MS = 10_000;

/** Raw, not JSON: escapes inside escapes would hide a secret from a search. */
function cell(value: unknown): string {
  if (value instanceof ArrayBuffer) return cell(Buffer.from(value));
  if (value instanceof Uint8Array)
    return `${Buffer.from(value).toString('latin1')} ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function asRow(value: unknown): Row {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function rowsAsText(table: string, rows: readonly Row[]): string {
  return rows
    .map(
      (row) =>
        `${table}: ${Object.entries(row)
          .map(([name, value]) => `${name}=${cell(value)}`)
          .join(' | ')}\n`,
    )
    .join('');
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** `?` to `$n`, but not inside quotes. */
export function numberedPlaceholders(sql: string): string {
  let count = 0;
  return sql.replace(/'[^']*'|"[^"]*"|\?/g, (part) => (part === '?' ? `$${(count += 1)}` : part));
}

function createSqlite(): Promise<DatabaseUnderTest> {
  const directory = temporaryDirectory();
  const file = join(directory, 'test.sqlite');

  /** Opened anew each time: the service may have created, migrated or replaced the file meanwhile. */
  const query = (sql: string, parameters: readonly unknown[] = []): Row[] => {
    const database = new Libsql(file);
    try {
      database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      const statement = database.prepare(sql);
      if (statement.reader) return statement.all([...parameters]).map((row) => asRow(row));
      statement.run([...parameters]);
      return [];
    } finally {
      database.close();
    }
  };

  return Promise.resolve({
    url: `sqlite:${file}`,
    query: (sql, parameters) => Promise.resolve().then(() => query(sql, parameters)),
    dump: () =>
      Promise.resolve().then(() =>
        query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
          .map(({ name }) => rowsAsText(String(name), query(`SELECT * FROM ${quoted(String(name))}`)))
          .join(''),
      ),
    cleanup: () => Promise.resolve(removeTemporaryDirectory(directory)),
  });
}

async function createPostgres(): Promise<DatabaseUnderTest> {
  const { url, drop } = await createDatabase();
  return postgresUnderTest(url, drop);
}

/** A database of any PostgreSQL server, as the tests see it. */
export function postgresUnderTest(url: string, cleanup: () => Promise<void>): DatabaseUnderTest {
  return {
    url,
    query: (sql, parameters = []) =>
      withPostgres(url, async (client) => {
        const { rows } = await client.query<Row>(numberedPlaceholders(sql), [...parameters]);
        return rows;
      }),
    dump: () =>
      withPostgres(url, async (client) => {
        const tables = await client.query<{ schema: string; name: string }>(
          `SELECT schemaname AS schema, tablename AS name FROM pg_tables
           WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`,
        );
        let text = '';
        for (const { schema, name } of tables.rows) {
          const { rows } = await client.query<Row>(`SELECT * FROM ${quoted(schema)}.${quoted(name)}`);
          text += rowsAsText(name, rows);
        }
        return text;
      }),
    cleanup,
  };
}

const kinds: DatabaseKind[] = [
  { name: 'sqlite', create: createSqlite },
  { name: 'postgres', create: createPostgres },
];

/** The matrix: `describe.each(databases)('… on $name', ({ create }) => …)`. */
export const databases: DatabaseKind[] = kinds.filter(({ name }) => usesDatabase(name));
