import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bindProcess } from '../../support/lifeline.mjs';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));

export interface Worker {
  /** Resolves when the worker has opened the database. */
  ready: Promise<void>;
  go: () => void;
  /** What it said after `ready`, line by line; ends with the process. */
  lines: AsyncIterable<string>;
  kill: () => void;
  /** The exit code, null after a signal. Rejects with what the worker complained about, if it did. */
  ended: Promise<number | null>;
}

/** Starts the built service's database code in a process of its own, which waits at `ready` until told to go. */
export function startWorker(task: 'migrate' | 'write', url: string, name = ''): Worker {
  const child = spawn(process.execPath, [WORKER, task, url, name], { stdio: ['pipe', 'pipe', 'pipe'] });
  bindProcess(child);
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  // A worker that is killed cannot be told anything any more.
  child.stdin.on('error', () => undefined);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = once(child, 'close').then(() => {
    if (complaint !== '') throw new Error(complaint);
    return child.exitCode;
  });
  ended.catch(() => undefined);
  const ready = lines.next().then(async ({ value }) => {
    if (value === 'ready') return;
    await ended;
    throw new Error('the worker ended instead of starting');
  });
  return {
    ready,
    go: () => child.stdin.write('go\n'),
    lines: { [Symbol.asyncIterator]: () => lines },
    kill: () => child.kill('SIGKILL'),
    ended,
  };
}
