import { CLOCK_TOLERANCE_MS } from './clock.js';
import type { Randomness } from './random.js';

/** An hour, the longest that anybody is left alone, and a minute for clocks that differ. */
const LONGEST_PAUSE_MS = 61 * 60_000;

/** The longest that anybody holds a lease, `UPSTREAM_LEASE_MS` at its maximum, and as much for clocks. */
const LONGEST_LEASE_MS = 11 * 60_000;

export interface Backoff {
  firstMs: number;
  maxMs: number;
  /** By what each wait is longer than the one before. */
  factor: number;
}

/**
 * How long to wait after so many failures in a row (from 1): exponentially longer, and between half and all of it, so
 * that those whom one outage hit do not come back together.
 */
export function backoffMs(failures: number, { firstMs, maxMs, factor }: Backoff, randomness: Randomness): number {
  const longest = Math.min(maxMs, firstMs * factor ** (failures - 1));
  return Math.ceil((longest * (256 + randomness.bytes(1)[0]!)) / 512);
}

/**
 * How long a pause still lasts; 0 for one that is over, and for one that must have been written before the clock was
 * turned back: in the future, or so that it would last longer than any pause does.
 */
export function remainingPauseMs(retryAt: number, nowMs: number, writtenAt = nowMs): number {
  const remainingMs = retryAt - nowMs;
  const turnedBack = remainingMs > LONGEST_PAUSE_MS || writtenAt > nowMs + CLOCK_TOLERANCE_MS;
  return remainingMs > 0 && !turnedBack ? remainingMs : 0;
}

/** The first instant that is too far away to be the end of a pause. */
export function beyondPauses(nowMs: number): number {
  return nowMs + LONGEST_PAUSE_MS + 1;
}

/** The first instant that is too far away to be the end of a lease: the clock must have been turned back since. */
export function beyondLeases(nowMs: number): number {
  return nowMs + LONGEST_LEASE_MS + 1;
}
