import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Service } from './service.js';
import { eventually } from './vault.js';

const PRELOAD = fileURLToPath(new URL('./kill-point.mjs', import.meta.url));

/** What a process says that dies there. */
export const KILLED = 'killed at its point\n';

/** For the environment of a process on SQLite that is to die, once it is armed, before it executes such a statement. */
export const killPoint = (statement: string) => ({
  NODE_OPTIONS: `--import=${pathToFileURL(PRELOAD).href}`,
  KILL_POINT: statement,
});

export async function armKillPoint({ pid, output }: Pick<Service, 'pid' | 'output'>): Promise<void> {
  process.kill(pid, 'SIGUSR2');
  await eventually('the process is armed', () => output().includes('armed\n'));
}
