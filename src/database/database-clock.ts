import { performance } from 'node:perf_hooks';
import type { DataSource } from 'typeorm';
import { Clock } from '../common/clock.js';

const RESYNCHRONISE_MS = 30_000;
/** The first look may have waited for a connection; the next ones say more. */
const FIRST_LOOKS = 3;
/** By so little time may have run ahead that it had better stand still for a moment than go back. */
const STAND_STILL_MS = 1_000;

/**
 * The database's time. Between two looks at it the monotonic clock counts, so a wall clock that is wrong or
 * stepped on one replica moves no lease and no expiry. With SQLite, which has no clock of its own, it is the wall
 * clock at start advanced by the monotonic one.
 */
export class DatabaseClock extends Clock {
  #offsetMs = Date.now() - performance.now();
  #latestMs = 0;
  #timer: NodeJS.Timeout | undefined;

  now(): number {
    const now = Math.floor(performance.now() + this.#offsetMs);
    const aheadMs = this.#latestMs - now;
    if (aheadMs <= 0 || aheadMs > STAND_STILL_MS) this.#latestMs = now;
    return this.#latestMs;
  }

  async start(dataSource: DataSource, onError: (error: unknown) => void): Promise<void> {
    if (dataSource.options.type !== 'postgres') return;
    for (let look = 1; look <= FIRST_LOOKS; look += 1) await this.#synchronise(dataSource);
    this.#timer = setInterval(() => {
      this.#synchronise(dataSource).catch(onError);
    }, RESYNCHRONISE_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * The database read its clock at some time between the question and its answer, and more is not known: an offset that
   * agrees with that stays, and any other moves as little as it must. So an answer that took long moves nothing.
   */
  async #synchronise(dataSource: DataSource): Promise<void> {
    const before = performance.now();
    const rows: unknown = await dataSource.query(
      'SELECT (extract(epoch from clock_timestamp()) * 1000)::float8 AS now',
    );
    const after = performance.now();
    const [{ now }] = rows as [{ now: number }];
    this.#offsetMs = Math.min(Math.max(this.#offsetMs, now - after), now - before);
  }
}
