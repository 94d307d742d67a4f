import { fileURLToPath, pathToFileURL } from 'node:url';
import { eventually } from '../../support/vault.js';
import type { Service } from '../../support/service.js';

const PRELOAD = fileURLToPath(new URL('./skewed-clock.mjs', import.meta.url));

/** For the environment of a process whose wall clock is to be wrong, together with CLOCK_OFFSET_MS and CLOCK_STEP_MS. */
export const SKEWED_CLOCK = { NODE_OPTIONS: `--import=${pathToFileURL(PRELOAD).href}` };

/** Steps the process's wall clock by its CLOCK_STEP_MS while it runs. */
export async function stepClock({ pid, output }: Pick<Service, 'pid' | 'output'>): Promise<void> {
  const steps = (): number => output().split('the clock was stepped').length;
  const before = steps();
  process.kill(pid, 'SIGUSR2');
  await eventually('the clock is stepped', () => steps() > before);
}
