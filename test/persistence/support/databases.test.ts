import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatabaseUnderTest, databases, numberedPlaceholders } from '../../support/databases.js';
import { SecretLedger } from '../../support/secret-ledger.js';

it('numbers placeholders, but not question marks in quotes', () => {
  expect(numberedPlaceholders(`SELECT '?', "a?" FROM t WHERE a = ? AND b = ?`)).toBe(
    `SELECT '?', "a?" FROM t WHERE a = $1 AND b = $2`,
  );
});

describe.each(databases)('a test database on $name', ({ name, create }) => {
  const binary = name === 'postgres' ? 'bytea' : 'blob';
  let one: DatabaseUnderTest;
  let other: DatabaseUnderTest;

  beforeAll(async () => {
    [one, other] = [await create(), await create()];
    await one.query(`CREATE TABLE things (id bigint, "text" varchar(100), raw ${binary})`);
  });
  afterAll(() => Promise.all([one.cleanup(), other.cleanup()]));

  it('answers queries and statements with ?-placeholders', async () => {
    const values = [1, 'a "quoted" text', Buffer.from('binary-secret')];
    expect(await one.query('INSERT INTO things VALUES (?, ?, ?)', values)).toEqual([]);
    const rows = await one.query('SELECT id, "text" FROM things WHERE id = ?', [1]);
    expect(rows.map((row) => [Number(row['id']), row['text']])).toEqual([[1, 'a "quoted" text']]);
    expect(await one.query('UPDATE things SET "text" = ? WHERE id = ? RETURNING id', ['x | y', 1])).toHaveLength(1);
    expect(await one.query('SELECT * FROM things WHERE id = ?', [2])).toEqual([]);
    await expect(one.query('SELECT * FROM nothing')).rejects.toThrow('nothing');
  });

  it('dumps every value so that planted secrets are found', async () => {
    const ledger = new SecretLedger();
    await one.query('INSERT INTO things VALUES (?, ?, ?)', [2, 'text-"secret"\\', Buffer.from('bytes-secret')]);
    ledger.add('text-"secret"\\', 'text column');
    ledger.add('bytes-secret', 'binary column');
    const labels = ledger.findLeaks(await one.dump(), 'the dump').map(({ label }) => label);
    expect(new Set(labels)).toEqual(new Set(['text column', 'binary column']));
  });

  it('is a database of its own', async () => {
    expect(await other.dump()).toBe('');
  });
});
