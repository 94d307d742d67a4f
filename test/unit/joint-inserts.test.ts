import { expect, it } from 'vitest';
import { JointInserts } from '../../src/database/index.js';

/** Remembers what was written together, and refuses some rows. */
function table(refused: readonly string[] = []) {
  const writes: string[][] = [];
  const inserts = new JointInserts(async (rows: string[]) => {
    writes.push(rows);
    await Promise.resolve();
    const wrong = rows.find((row) => refused.includes(row));
    if (wrong !== undefined) throw new Error(`refused ${wrong}`);
  });
  return { writes, inserts };
}

it('writes together what comes in together, and answers once it is written', async () => {
  const { writes, inserts } = table();
  const both = [inserts.add('a'), inserts.add('b')];
  expect(writes).toEqual([]);
  await Promise.all(both);
  expect(writes).toEqual([['a', 'b']]);
  await inserts.add('c');
  expect(writes).toEqual([['a', 'b'], ['c']]);
});

it('writes what comes in meanwhile next, and never too much at once', async () => {
  const { writes, inserts } = table();
  const rows = Array.from({ length: 450 }, (_, index) => String(index));
  await Promise.all([...rows.map((row) => inserts.add(row)), inserts.add('last')]);
  expect(writes.map((each) => each.length)).toEqual([200, 200, 51]);
  expect(writes.flat()).toEqual([...rows, 'last']);
});

it('fails nobody for the row of another', async () => {
  const { writes, inserts } = table(['b']);
  const results = await Promise.allSettled(['a', 'b', 'c'].map((row) => inserts.add(row)));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(writes).toEqual([['a', 'b', 'c'], ['a'], ['b'], ['c']]);
  await inserts.add('d');
});

it('asks a database that is away no more than once, and tells everybody so', async () => {
  const writes: string[][] = [];
  const inserts = new JointInserts((rows: string[]) => {
    writes.push(rows);
    return Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNRESET' }));
  });
  const results = await Promise.allSettled(['a', 'b', 'c'].map((row) => inserts.add(row)));
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(writes).toEqual([['a', 'b', 'c']]);
});
