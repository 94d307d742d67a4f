import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Jobs, type Job } from '../../src/jobs/index.js';
import { databases, type Row } from '../support/databases.js';
import { Latch } from './support/latch.js';
import { openStorage, type Replica, type Storage } from './support/storage.js';

const POLL_MS = 1_000;
const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
const EVERY_MS = 60_000;

/** Work that lasts until the test says so, or until it is told to stop. */
const work = () => {
  const runs: { signal: AbortSignal; finish: () => void }[] = [];
  const run = (signal: AbortSignal): Promise<void> => {
    const end = new Latch();
    runs.push({ signal, finish: end.open });
    signal.addEventListener('abort', end.open);
    if (signal.aborted) end.open();
    return end.opened;
  };
  return { run, runs };
};

/** Polls pass while it has not happened yet. */
const eventually = async (check: () => unknown): Promise<void> => {
  const deadline = performance.now() + 10_000;
  for (;;) {
    vi.advanceTimersByTime(POLL_MS);
    await delay(5);
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
};

describe.each(databases)('jobs on $name', (kind) => {
  let storage: Storage;
  let started: Jobs[] = [];
  beforeAll(async () => {
    Logger.overrideLogger(false);
    storage = await openStorage(kind);
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await storage.database.query('DELETE FROM jobs');
  });
  afterEach(async () => {
    for (const jobs of started) await jobs.beforeApplicationShutdown();
    started = [];
    vi.useRealTimers();
  });

  const start = async (replica: Replica, registered: Record<string, Job>): Promise<Jobs> => {
    const jobs = new Jobs(replica.unitOfWork, replica.clock, replica.randomness);
    for (const [name, job] of Object.entries(registered)) jobs.register(name, job);
    started.push(jobs);
    await jobs.onApplicationBootstrap();
    return jobs;
  };
  /** Everybody has looked, more than once. */
  const severalPolls = async (): Promise<void> => {
    for (let poll = 0; poll < 5; poll += 1) {
      vi.advanceTimersByTime(POLL_MS);
      await storage.database.query('SELECT 1');
      await delay(5);
    }
  };
  const row = async (name = 'work'): Promise<Row> => {
    const [found = {}] = await storage.database.query('SELECT * FROM jobs WHERE name = ?', [name]);
    return Object.fromEntries(
      Object.entries(found).map(([key, value]) => [key, key.endsWith('_at') && value !== null ? Number(value) : value]),
    );
  };
  const hasEnded = (outcome: string) => eventually(async () => expect(await row()).toMatchObject({ outcome }));

  it('are done by one of ten replicas at a time, and again after their interval', async () => {
    let [running, most, runs] = [0, 0, 0];
    const run = async (): Promise<void> => {
      runs += 1;
      running += 1;
      most = Math.max(most, running);
      await delay(20);
      running -= 1;
    };
    for (let index = 0; index < 10; index += 1) {
      await start(index % 2 === 0 ? storage.first : storage.second, { work: { everyMs: EVERY_MS, run } });
    }
    await hasEnded('done');
    const begun = storage.clock.now();
    await severalPolls();
    expect(runs).toBe(1);
    expect(await row()).toMatchObject({
      lease_owner: null,
      lease_expires_at: null,
      started_at: begun,
      ended_at: begun,
      next_run_at: begun + EVERY_MS,
    });
    storage.clock.advance(EVERY_MS);
    await eventually(() => expect(runs).toBe(2));
    expect(most).toBe(1);
  });

  it('are taken over when their holder has died, not before its lease has ended', async () => {
    await start(storage.first, {});
    const { run, runs } = work();
    const jobs = await start(storage.second, { work: { everyMs: EVERY_MS, run } });
    await storage.database.query(
      `UPDATE jobs SET lease_owner = 'dead', lease_expires_at = ?, next_run_at = NULL WHERE name = 'work'`,
      [storage.clock.now() + LEASE_MS],
    );
    expect(await jobs.state('work')).toMatchObject({ running: true, outcome: undefined });
    storage.clock.advance(LEASE_MS - 1);
    await severalPolls();
    expect(runs).toHaveLength(0);
    storage.clock.advance(1);
    expect(await jobs.state('work')).toMatchObject({ running: true });
    await eventually(() => expect(runs).toHaveLength(1));
    runs[0]?.finish();
    await hasEnded('done');
    expect(await row()).toMatchObject({ lease_owner: null });
  });

  it('stay with a holder that goes on, however long it takes', async () => {
    const [here, elsewhere] = [work(), work()];
    await start(storage.first, { work: { everyMs: EVERY_MS, run: here.run } });
    await eventually(() => expect(here.runs).toHaveLength(1));
    await start(storage.second, { work: { everyMs: EVERY_MS, run: elsewhere.run } });
    for (let renewal = 0; renewal < 6; renewal += 1) {
      storage.clock.advance(RENEW_MS);
      vi.advanceTimersByTime(RENEW_MS);
      const until = storage.clock.now() + LEASE_MS;
      await eventually(async () => expect(await row()).toMatchObject({ lease_expires_at: until }));
    }
    expect(here.runs[0]?.signal.aborted).toBe(false);
    expect(elsewhere.runs).toHaveLength(0);
    here.runs[0]?.finish();
    await hasEnded('done');
  });

  it('run once more when they are asked for while they run, however often', async () => {
    const { run, runs } = work();
    const jobs = await start(storage.first, { work: { run } });
    await severalPolls();
    expect(runs).toHaveLength(0);
    await jobs.request('work');
    await eventually(() => expect(runs).toHaveLength(1));
    for (let time = 0; time < 3; time += 1) await jobs.request('work');
    await severalPolls();
    expect(runs).toHaveLength(1);
    runs[0]?.finish();
    await eventually(() => expect(runs).toHaveLength(2));
    runs[1]?.finish();
    await hasEnded('done');
    await severalPolls();
    expect(runs).toHaveLength(2);
    expect(await row()).toMatchObject({ next_run_at: null });
  });

  it('do not run for a request that is rolled back', async () => {
    const { run, runs } = work();
    const jobs = await start(storage.first, { work: { run } });
    const asking = storage.first.unitOfWork.run(async () => {
      await jobs.request('work');
      throw new Error('on second thoughts');
    });
    await expect(asking).rejects.toThrow('on second thoughts');
    await severalPolls();
    expect(runs).toHaveLength(0);
  });

  it('are told to stop with their process, and another one goes on at once', async () => {
    const [here, elsewhere] = [work(), work()];
    const stopping = await start(storage.first, { work: { everyMs: EVERY_MS, run: here.run } });
    await eventually(() => expect(here.runs).toHaveLength(1));
    await start(storage.second, { work: { everyMs: EVERY_MS, run: elsewhere.run } });
    await stopping.beforeApplicationShutdown();
    expect(here.runs[0]?.signal.aborted).toBe(true);
    expect(await row()).toMatchObject({ outcome: 'stopped', lease_owner: null, next_run_at: storage.clock.now() });
    await eventually(() => expect(elsewhere.runs).toHaveLength(1));
    expect(here.runs).toHaveLength(1);
  });

  it('are told to stop when somebody else has them by now, whose they then are', async () => {
    const { run, runs } = work();
    await start(storage.first, { work: { everyMs: EVERY_MS, run } });
    await eventually(() => expect(runs).toHaveLength(1));
    const theirs = { lease_owner: 'heir', lease_expires_at: storage.clock.now() + LEASE_MS };
    await storage.database.query('UPDATE jobs SET lease_owner = ?, lease_expires_at = ?', Object.values(theirs));
    vi.advanceTimersByTime(RENEW_MS);
    await eventually(() => expect(runs[0]?.signal.aborted).toBe(true));
    await severalPolls();
    expect(await row()).toMatchObject({ ...theirs, ended_at: null, outcome: null });
    expect(runs).toHaveLength(1);
  });

  it('are told to stop when their lease ends while the database does not answer', async () => {
    const { run, runs } = work();
    await start(storage.first, { work: { everyMs: EVERY_MS, run } });
    await eventually(() => expect(runs).toHaveLength(1));
    const [held, release] = [new Latch(), new Latch()];
    const holding = storage.second.unitOfWork.run(async () => {
      await storage.second.unitOfWork.manager.query('UPDATE jobs SET outcome = outcome');
      held.open();
      await release.opened;
    });
    await held.opened;
    storage.clock.advance(LEASE_MS - 1);
    vi.advanceTimersByTime(RENEW_MS);
    expect(runs[0]?.signal.aborted).toBe(false);
    storage.clock.advance(1);
    vi.advanceTimersByTime(RENEW_MS);
    expect(runs[0]?.signal.aborted).toBe(true);
    release.open();
    await holding;
  });

  it('that fail do not keep others from running, and run again after their interval', async () => {
    const { run, runs } = work();
    const failing = vi.fn(() => Promise.reject(new Error('no')));
    await start(storage.first, { work: { everyMs: EVERY_MS, run: failing }, other: { everyMs: EVERY_MS, run } });
    await hasEnded('failed');
    await eventually(() => expect(runs).toHaveLength(1));
    await severalPolls();
    expect(failing).toHaveBeenCalledOnce();
    storage.clock.advance(EVERY_MS);
    await eventually(() => expect(failing).toHaveBeenCalledTimes(2));
  });
});
