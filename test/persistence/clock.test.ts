import { performance } from 'node:perf_hooks';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openDataSource } from '../../ormconfig.js';
import { DatabaseClock } from '../../src/database/database-clock.js';
import { databases, type DatabaseUnderTest } from '../support/databases.js';

const SKEW_MS = 5 * 60_000;
/** Far below the skew, far above what a query on a busy machine takes. */
const BOUND_MS = 10_000;
const RESYNCHRONISED_WITHIN_MS = 60_000;

describe.each(databases)('the clock of the database on $name', ({ name, create }) => {
  let database: DatabaseUnderTest;
  let dataSource: DataSource;
  const clocks: DatabaseClock[] = [];
  beforeAll(async () => {
    database = await create();
    dataSource = await openDataSource(database.url).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.cleanup();
  });
  afterEach(() => {
    for (const clock of clocks.splice(0)) clock.stop();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  const realNow = Date.now;
  /** The clock of a replica whose wall clock is wrong by so much. */
  const startClock = async (wrongByMs: number, onError: (error: unknown) => void = () => expect.unreachable()) => {
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + wrongByMs);
    const clock = new DatabaseClock();
    clocks.push(clock);
    await clock.start(dataSource, onError);
    return clock;
  };

  it('does not go back when the wall clock does', async () => {
    const clock = await startClock(0);
    const before = clock.now();
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() - SKEW_MS);
    const after = clock.now();
    expect(after).toBeGreaterThanOrEqual(before);
    expect(Number.isInteger(after)).toBe(true);
    expect(Math.abs(after - realNow())).toBeLessThan(BOUND_MS);
  });

  it.runIf(name === 'postgres')('agrees between replicas whose wall clocks do not', async () => {
    const [fast, slow] = [await startClock(SKEW_MS), await startClock(-SKEW_MS)];
    expect(Math.abs(fast.now() - slow.now())).toBeLessThan(BOUND_MS);
    const rows = await database.query('SELECT (extract(epoch from clock_timestamp()) * 1000)::float8 AS now');
    for (const clock of [fast, slow]) expect(Math.abs(clock.now() - Number(rows[0]?.['now']))).toBeLessThan(BOUND_MS);
  });

  it.runIf(name === 'postgres')(
    'looks at the database again and again, as this process may have been suspended',
    async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      const clock = await startClock(0);
      // The monotonic clock stands still while a machine sleeps; seen from after the sleep it is behind.
      const realElapsed = performance.now.bind(performance);
      vi.spyOn(performance, 'now').mockImplementation(() => realElapsed() - SKEW_MS);
      expect(realNow() - clock.now()).toBeGreaterThan(SKEW_MS - BOUND_MS);
      vi.advanceTimersByTime(RESYNCHRONISED_WITHIN_MS);
      await vi.waitFor(() => expect(Math.abs(clock.now() - realNow())).toBeLessThan(BOUND_MS), { timeout: 10_000 });
    },
  );

  it.runIf(name === 'postgres')('goes on when the database cannot be asked, and says so', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const errors: unknown[] = [];
    const clock = await startClock(SKEW_MS, (error) => errors.push(error));
    const query = vi.spyOn(dataSource, 'query').mockRejectedValue(new Error('the database is away'));
    vi.advanceTimersByTime(RESYNCHRONISED_WITHIN_MS);
    await vi.waitFor(() => expect(errors).not.toEqual([]));
    query.mockRestore();
    expect(errors[0]).toEqual(new Error('the database is away'));
    expect(Math.abs(clock.now() - realNow())).toBeLessThan(BOUND_MS);
  });

  it.runIf(name === 'postgres')('does not believe an answer that took long further than it must', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const clock = await startClock(0);
    const difference = clock.now() - realNow();
    const realQuery = dataSource.query.bind(dataSource);
    const realElapsed = performance.now.bind(performance);
    const late = vi.spyOn(dataSource, 'query').mockImplementation(async (sql: string) => {
      const rows: unknown = await realQuery(sql);
      // As if the answer had been on its way for five minutes, in which the monotonic clock went on.
      vi.spyOn(performance, 'now').mockImplementation(() => realElapsed() + SKEW_MS);
      return rows;
    });
    vi.advanceTimersByTime(RESYNCHRONISED_WITHIN_MS / 2);
    await vi.waitFor(() => expect(late).toHaveResolved());
    late.mockRestore();
    expect(Math.abs(clock.now() - SKEW_MS - realNow() - difference)).toBeLessThan(BOUND_MS);
  });

  it('stands still rather than go back a little', async () => {
    const clock = await startClock(0);
    const before = clock.now();
    const realElapsed = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => realElapsed() - 500);
    for (let look = 0; look < 10; look += 1) expect(clock.now()).toBeGreaterThanOrEqual(before);
  });
});
