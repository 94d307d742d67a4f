import { performance } from 'node:perf_hooks';
import type { DataSource } from 'typeorm';
import { Clock } from '../common/clock.js';

const RESYNCHRONISE_MS = 30_000;

/**
 * The database's time. Between two looks at it the monotonic clock counts, so a wall clock that is wrong or
 * stepped on one replica moves no lease and no expiry. With SQLite, which has no clock of its own, it is the wall
 * clock at start advanced by the monotonic one.
 */
export class DatabaseClock extends Clock {
  #offsetMs = Date.now() - performance.now();
  #timer: NodeJS.Timeout | undefined;

  now(): number {
    return Math.floor(performance.now() + this.#offsetMs);
  }

  async start(dataSource: DataSource, onError: (error: unknown) => void): Promise<void> {
    if (dataSource.options.type !== 'postgres') return;
    await this.#synchronise(dataSource);
    this.#timer = setInterval(() => {
      this.#synchronise(dataSource).catch(onError);
    }, RESYNCHRONISE_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #synchronise(dataSource: DataSource): Promise<void> {
    const before = performance.now();
    const rows: unknown = await dataSource.query(
      'SELECT (extract(epoch from clock_timestamp()) * 1000)::float8 AS now',
    );
    const after = performance.now();
    const [{ now }] = rows as [{ now: number }];
    this.#offsetMs = now - (before + after) / 2;
  }
}
