/**
 * Where the service gets the time from. Everything that decides on a lifetime (leases, expiry, JWT times)
 * asks one clock, so that replicas whose wall clocks differ agree and tests can move time.
 */
export abstract class Clock {
  /** Milliseconds since the epoch. */
  abstract now(): number;
}

/** What lies further in the future than it can have been meant to was written before the clock was turned back. Replicas differ by less. */
export const CLOCK_TOLERANCE_MS = 10_000;

/** Whole seconds since the epoch, as JWT `iat` and `exp` count them. @see RFC 7519 section 2, NumericDate */
export function epochSeconds(nowMs: number): number {
  return Math.floor(nowMs / 1000);
}
