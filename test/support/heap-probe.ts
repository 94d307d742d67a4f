import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Service } from './service.js';
import { eventually } from './vault.js';

const PRELOAD = fileURLToPath(new URL('./heap-probe.mjs', import.meta.url));

/** For the environment of a process whose heap is to be looked at. */
export const HEAP_PROBE = { NODE_OPTIONS: `--import=${pathToFileURL(PRELOAD).href}` };

/** Bytes that the process still uses after a forced collection. */
export async function heapAfterCollection({ pid, output }: Pick<Service, 'pid' | 'output'>): Promise<number> {
  const said = (): string[] =>
    [...output().matchAll(/heap after collection: (\d+)\n/g)].map(([, bytes]) => bytes ?? '');
  const before = said().length;
  process.kill(pid, 'SIGUSR2');
  await eventually('the heap is collected', () => said().length > before);
  return Number(said().at(-1));
}
