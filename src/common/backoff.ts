import type { Randomness } from './random.js';

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
