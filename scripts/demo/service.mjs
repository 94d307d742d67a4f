// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { bindProcess } from '../lifeline.mjs';

const READY_WITHIN_MS = 30_000;
const POLL_MS = 50;
const EXIT_WITHIN_MS = 15_000;
const KEPT_LINES = 40;

/** The service ended, or did not start: `output` is what it said last. */
export class ServiceFailure extends Error {
  /**
   * @param {string} message
   * @param {string} output
   */
  constructor(message, output) {
    super(message);
    this.name = 'ServiceFailure';
    this.output = output;
  }
}

/** @typedef {{ failed: Promise<never>, output: () => string, stop: () => Promise<void> }} RunningService */

/**
 * The built service as a process of its own, ready to answer. Nothing of our own environment configures it.
 * @param {{ main: string, directory: string, environment: Record<string, string>, issuer: string }} options
 * @returns {Promise<RunningService>}
 */
export async function startService({ main, directory, environment, issuer }) {
  // A group of its own: Ctrl-C reaches the demo alone, which then ends the service in order.
  const child = spawn(process.execPath, [main], {
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', TMPDIR: directory, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  bindProcess(child, 'SIGTERM');
  /** @type {string[]} */
  let lines = [];
  let rest = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      lines = [...lines, ...parts].slice(-KEPT_LINES);
    });
  }
  const output = () => [...lines, rest].join('\n').trim();
  const closed = once(child, 'close');
  let stopping = false;
  /** @type {Promise<never>} */
  const failed = (async () => {
    await closed;
    if (stopping) return new Promise(() => {});
    throw new ServiceFailure(`the service ended by itself (${child.exitCode ?? child.signalCode})`, output());
  })();
  // It is awaited only while something else is; until then nobody handles it.
  failed.catch(() => {});

  const stop = async () => {
    stopping = true;
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), EXIT_WITHIN_MS);
    await closed;
    clearTimeout(late);
  };

  const ready = async () => {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (Date.now() < deadline) {
      try {
        const answer = await fetch(`${issuer}/readyz`, { signal: AbortSignal.timeout(2_000) });
        if (answer.status === 200) return;
      } catch {
        // It does not listen yet.
      }
      await delay(POLL_MS);
    }
    throw new ServiceFailure(`the service was not ready within ${READY_WITHIN_MS / 1000} s`, output());
  };
  try {
    await Promise.race([ready(), failed]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { failed, output, stop };
}
