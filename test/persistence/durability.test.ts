import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataSource } from '../../ormconfig.js';
import { migrate } from '../../src/database/index.js';
import { databases, type DatabaseUnderTest } from '../support/databases.js';
import { startWorker } from './support/workers.js';

/** In each round the process is killed in the midst of its writing, after so many acknowledged pairs. */
const ROUNDS = [1, 30, 80];

describe.each(databases)('a process that is killed while it writes, on $name', ({ name, create }) => {
  let database: DatabaseUnderTest;
  beforeAll(async () => {
    database = await create();
    const dataSource = await openDataSource(database.url).initialize();
    await migrate(dataSource);
    await dataSource.destroy();
  });
  afterAll(() => database.cleanup());

  const pairs = async (): Promise<Map<string, number>> => {
    const rows = await database.query('SELECT name, count(*) AS halves FROM applied_declarations GROUP BY name');
    return new Map(rows.map((row) => [String(row['name']), Number(row['halves'])]));
  };

  it('loses nothing that was acknowledged, and keeps no half of a transaction', async () => {
    const acknowledged: string[] = [];
    for (const [round, enough] of ROUNDS.entries()) {
      const worker = startWorker('write', database.url, `round-${round}`);
      await worker.ready;
      worker.go();
      let count = 0;
      for await (const pair of worker.lines) {
        acknowledged.push(pair);
        count += 1;
        // What it says until it is dead counts as well.
        if (count === enough) worker.kill();
      }
      expect(await worker.ended).toBeNull();
      const kept = await pairs();
      expect(count).toBeGreaterThanOrEqual(enough);
      expect(acknowledged.filter((pair) => kept.get(pair) !== 2)).toEqual([]);
      expect([...kept.values()].filter((halves) => halves !== 2)).toEqual([]);
    }
  });

  it('leaves a database that opens, is whole and goes on', async () => {
    const dataSource = await openDataSource(database.url).initialize();
    await migrate(dataSource);
    if (name === 'sqlite') {
      expect(await dataSource.query('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    }
    expect((await dataSource.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
    await dataSource.destroy();
    await database.query(`INSERT INTO consents (user_id, client_id, scope, granted_at) VALUES ('u', 'c', 'openid', 1)`);
    expect(await database.query('SELECT user_id FROM consents')).toEqual([{ user_id: 'u' }]);
  });
});
