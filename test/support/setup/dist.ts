import { ensureBuilt } from '../../../scripts/build.mjs';

/** Vitest global setup: tests of `dist` never run an old build. SYMBOLON_DIST=1 says that the caller has just built. */
export default function setup(): void {
  if (process.env['SYMBOLON_DIST'] !== '1') ensureBuilt();
}
