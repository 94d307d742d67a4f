import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Jobs } from '../../src/jobs/index.js';
import { databases } from '../support/databases.js';
import { openStorage, type Storage } from './support/storage.js';

const EVERY_MS = 60_000;
const AN_HOUR_MS = 3_600_000;

/** Longer than a poll. */
const eventually = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 10_000, interval: 10 });

describe.each(databases)('jobs whose clock is turned back, on $name', (kind) => {
  let storage: Storage;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    storage = await openStorage(kind);
  });
  afterAll(() => storage.close());

  const row = async () => (await storage.database.query('SELECT * FROM jobs'))[0];
  const start = async (run: () => Promise<void>): Promise<Jobs> => {
    const { unitOfWork, clock, randomness } = storage.first;
    const jobs = new Jobs(unitOfWork, clock, randomness);
    jobs.register('sweep', { everyMs: EVERY_MS, run });
    await jobs.onApplicationBootstrap();
    return jobs;
  };

  it.each([
    ['the next run', { next_run_at: AN_HOUR_MS, lease_owner: null, lease_expires_at: null }],
    ['the lease of a holder that died', { next_run_at: null, lease_owner: 'dead', lease_expires_at: AN_HOUR_MS }],
  ])('wait for %s no longer than it could ever take', async (_, { next_run_at, lease_owner, lease_expires_at }) => {
    const run = vi.fn(() => Promise.resolve());
    await (await start(run)).beforeApplicationShutdown();
    const at = (ms: number | null) => (ms === null ? null : storage.clock.now() + ms);
    await storage.database.query('UPDATE jobs SET next_run_at = ?, lease_owner = ?, lease_expires_at = ?', [
      at(next_run_at),
      lease_owner,
      at(lease_expires_at),
    ]);
    const jobs = await start(run);
    await eventually(async () => expect(await row()).toMatchObject({ outcome: 'done', lease_owner: null }));
    await jobs.beforeApplicationShutdown();
    expect(run).toHaveBeenCalledOnce();
    expect(Number((await row())?.['next_run_at'])).toBe(storage.clock.now() + EVERY_MS);
  });
});
