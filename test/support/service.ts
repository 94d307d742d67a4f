import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { freePort } from '../../scripts/free-port.mjs';
import { bindProcess } from './lifeline.mjs';
import type { SecretLedger } from './secret-ledger.js';
import { removeTemporaryDirectory, temporaryDirectory } from './temporary-directory.js';

const MAIN = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
const POLL_MS = 50;
const READY_WITHIN_MS = 30_000;
const EXIT_WITHIN_MS = 20_000;
const PORT_ATTEMPTS = 5;

export interface ServiceAddress {
  url: string;
  port: number;
}

type Configuration = Record<string, unknown>;

export interface ServiceOptions {
  databaseUrl: string;
  /** Becomes CONFIG_FILE. As a function it learns the address first: to register the redirect URI upstream. */
  config?: Configuration | ((self: ServiceAddress) => Configuration | Promise<Configuration>) | undefined;
  /** Added to the clean environment; undefined removes a default. */
  env?: Record<string, string | undefined> | undefined;
  /** Default: a free one, replaced on collision. */
  port?: number | undefined;
  /** Another program than the built service: for tests of this file. */
  main?: string | undefined;
  /** Learns the keys in the environment. */
  ledger?: SecretLedger | undefined;
}

export interface Service extends ServiceAddress {
  readonly pid: number;
  /** Everything it has written to standard output and error so far. */
  output: () => string;
  /** SIGTERM, then the exit code (null when a signal ended it). Rejects when it does not end in time. */
  stop: () => Promise<number | null>;
  /** SIGKILL: what a power failure looks like to the database. */
  kill: () => Promise<void>;
  /** Pass to startService() for another process with the same port, keys and configuration: a restart. */
  readonly settings: ServiceOptions;
}

/** A fresh ENCRYPTION_KEYS value. */
export function encryptionKeys(id = 'k1'): string {
  return `${id}:${randomBytes(32).toString('base64')}`;
}

/** Nothing of the developer's environment leaks in, except where to find Node. Undefined removes a default. */
function environment(address: ServiceAddress, directory: string, options: ServiceOptions): Record<string, string> {
  const wanted: Record<string, string | undefined> = {
    PATH: process.env['PATH'],
    HOME: directory,
    TMPDIR: directory,
    HOST: '127.0.0.1',
    PORT: String(address.port),
    ISSUER: address.url,
    DATABASE_URL: options.databaseUrl,
    OUTBOUND_ALLOW: '127.0.0.1',
    LOG_LEVEL: 'debug',
    ...options.env,
  };
  return Object.fromEntries(
    Object.entries(wanted).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function recordKeys(ledger: SecretLedger, env: Record<string, string | undefined>): void {
  for (const entry of (env['ENCRYPTION_KEYS'] ?? '').split(',')) {
    ledger.add(entry.slice(entry.indexOf(':') + 1), 'encryption key');
  }
  ledger.add(env['ADMIN_API_KEY'] ?? '', 'admin API key');
}

/** Waits for /readyz; false when it takes too long or the process ends before. */
async function becomesReady(url: string, ended: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline && !ended.aborted) {
    try {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.any([ended, AbortSignal.timeout(2000)]) });
      await answer.arrayBuffer();
      if (answer.status === 200) return !ended.aborted;
      await delay(POLL_MS, undefined, { signal: ended });
    } catch {
      // Not listening yet, or ended: the loop's condition tells which.
      await delay(POLL_MS);
    }
  }
  return false;
}

async function launch(options: ServiceOptions, port: number): Promise<Service | { ended: string }> {
  const address: ServiceAddress = { port, url: `http://127.0.0.1:${port}` };
  const directory = temporaryDirectory();
  const env = environment(address, directory, options);
  const config = typeof options.config === 'function' ? await options.config(address) : options.config;
  if (config !== undefined) {
    env['CONFIG_FILE'] = join(directory, 'config.yaml');
    writeFileSync(env['CONFIG_FILE'], stringify(config), { mode: 0o600 });
  }

  const child = spawn(process.execPath, [options.main ?? MAIN], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  bindProcess(child);
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const output = (): string => Buffer.concat(chunks).toString('utf8');
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;

  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (!hasEnded()) child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), EXIT_WITHIN_MS);
    await closed;
    clearTimeout(late);
    removeTemporaryDirectory(directory);
    return child.exitCode;
  };

  if (!(await becomesReady(address.url, ended.signal))) {
    const why = hasEnded() ? `ended with ${child.exitCode ?? child.signalCode}` : 'did not become ready';
    await end('SIGKILL');
    return { ended: `the service ${why}:\n${output()}` };
  }
  return {
    ...address,
    pid: child.pid ?? 0,
    output,
    settings: { ...options, port, config },
    stop: async () => {
      const code = await end('SIGTERM');
      if (child.signalCode === 'SIGKILL') throw new Error(`the service ignored SIGTERM:\n${output()}`);
      return code;
    },
    kill: async () => {
      await end('SIGKILL');
    },
  };
}

/**
 * The built service as a process of its own, ready to answer. It dies with the test process. Rejects with everything
 * that the process wrote when it ends instead of becoming ready.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  if (!existsSync(options.main ?? MAIN)) throw new Error('dist/src/main.js is missing: run `npm run build`');
  const env = { ENCRYPTION_KEYS: encryptionKeys(), ...options.env };
  if (options.ledger !== undefined) recordKeys(options.ledger, env);
  let failure = '';
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt += 1) {
    const started = await launch({ ...options, env }, options.port ?? (await freePort()));
    if (!('ended' in started)) return started;
    failure = started.ended;
    if (options.port !== undefined || !failure.includes('EADDRINUSE')) break;
  }
  throw new Error(failure);
}
