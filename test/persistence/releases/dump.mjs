// @ts-check

/** Small dumps in SQL. PostgreSQL's binaries from npm come without pg_dump, so this reads its catalogue. */

const quoted = (/** @type {unknown} */ name) => `"${String(name).replaceAll('"', '""')}"`;

/**
 * @param {unknown} value
 * @returns {string}
 */
function literal(value) {
  if (value === null) return 'NULL';
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
}

/**
 * @param {unknown} table
 * @param {Record<string, unknown>[]} rows
 */
function inserts(table, rows) {
  return rows.map((row) => {
    const names = Object.keys(row).map(quoted).join(', ');
    return `INSERT INTO ${quoted(table)} (${names}) VALUES (${Object.values(row).map(literal).join(', ')});`;
  });
}

/**
 * @param {import('libsql').Database} database
 * @returns {string}
 */
export function dumpSqlite(database) {
  const rows = (/** @type {string} */ sql) =>
    /** @type {Record<string, string | number | null>[]} */ (database.prepare(sql).all());
  const things = rows(
    `SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid`,
  );
  const lines = things.map(({ sql }) => `${sql};`);
  for (const { type, name } of things) {
    if (type === 'table') lines.push(...inserts(name, rows(`SELECT * FROM ${quoted(name)}`)));
  }
  return `${lines.join('\n')}\n`;
}

/**
 * @param {import('pg').Client} client
 * @returns {Promise<string>}
 */
export async function dumpPostgres(client) {
  const rows = async (/** @type {string} */ sql) => (await client.query(sql)).rows;
  const lines = [];
  for (const { name } of await rows(
    `SELECT sequencename AS name FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1`,
  )) {
    lines.push(`CREATE SEQUENCE ${quoted(name)} AS integer;`);
  }
  const tables = await rows(
    `SELECT oid, relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2`,
  );
  for (const { oid, name } of tables) {
    const columns = await rows(
      `SELECT quote_ident(attname) || ' ' || format_type(atttypid, atttypmod)
              || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
              || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '') AS sql
       FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       WHERE attrelid = ${oid} AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    );
    const constraints = await rows(
      `SELECT 'CONSTRAINT ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid) AS sql
       FROM pg_constraint WHERE conrelid = ${oid} AND contype IN ('p', 'u', 'c') ORDER BY conname`,
    );
    const parts = [...columns, ...constraints].map(({ sql }) => `  ${sql}`);
    lines.push(`CREATE TABLE ${quoted(name)} (\n${parts.join(',\n')}\n);`);
  }
  for (const { sql } of await rows(
    `SELECT indexdef AS sql FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT IN
       (SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace) ORDER BY indexname`,
  )) {
    lines.push(`${sql};`);
  }
  for (const { oid, name } of tables) {
    lines.push(...inserts(name, await rows(`SELECT * FROM ${quoted(name)}`)));
    for (const { sql } of await rows(
      `SELECT 'ALTER SEQUENCE ' || d.objid::regclass || ' OWNED BY ' || d.refobjid::regclass || '.' || quote_ident(attname)
              || '; SELECT setval(' || quote_literal(d.objid::regclass) || ', (SELECT max(' || quote_ident(attname)
              || ') FROM ' || d.refobjid::regclass || '));' AS sql
       FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
       JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE d.refobjid = ${oid}`,
    )) {
      lines.push(sql);
    }
  }
  return `${lines.join('\n')}\n`;
}
