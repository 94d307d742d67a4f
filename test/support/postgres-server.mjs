// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../scripts/free-port.mjs';
import { bindProcess, removeTemporaryDirectory, temporaryDirectory } from './lifeline.mjs';
import { reachableTemporaryParent, runnableBinaries, unprivilegedAccount } from './postgres-binaries.mjs';

/**
 * @typedef {object} PostgresServer
 * @property {string} url an address whose user may create databases
 * @property {() => Promise<void>} stop ends the server and removes its files; does nothing to a server of yours
 */

/**
 * @typedef {object} OwnPostgresServer
 * @property {string} url an address whose user may create databases
 * @property {() => Promise<void>} stop ends the server and removes its files
 * @property {(how: 'fast' | 'immediate') => Promise<void>} restart on the same port and files: `fast` as an
 *   administrator does it, `immediate` as a crash does
 */

const START_ATTEMPTS = 5;
/** @see PostgreSQL, "Shutting Down the Server" */
const SHUTDOWNS = /** @type {const} */ ({ fast: 'SIGINT', immediate: 'SIGQUIT' });

/**
 * @param {string} bin
 * @param {string} data
 * @param {number} port
 * @param {import('./postgres-binaries.mjs').Account} account
 */
async function launch(bin, data, port, account) {
  // Whatever tests do to processes, the machine keeps its power.
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200', 'fsync=off'];
  const flags = settings.flatMap((setting) => ['-c', setting]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...flags], {
    ...account,
    cwd: data,
    env: { LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // SIGQUIT is PostgreSQL's immediate shutdown: it takes its own children along and frees shared memory.
  bindProcess(server, 'SIGQUIT');
  let output = '';
  /** @type {boolean} */
  const ready = await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', () => resolve(false));
    server.stderr.on('data', (/** @type {Buffer} */ chunk) => {
      // After the start the log is read and forgotten, else a full pipe would stop the server.
      if (output.length < 64_000) output += chunk.toString('utf8');
      if (output.includes('ready to accept connections')) resolve(true);
    });
  });
  return ready ? { server } : { output };
}

/**
 * A PostgreSQL server for tests: the one that TEST_DATABASE_URL names, else one of our own on a free loopback port, with
 * a random password, that vanishes with this process.
 * @returns {Promise<PostgresServer>}
 */
export async function startPostgres() {
  const external = process.env['TEST_DATABASE_URL'];
  if (external !== undefined && external !== '') return { url: external, stop: async () => {} };
  return startOwnPostgres();
}

/**
 * One of our own whatever TEST_DATABASE_URL says: for tests that restart it.
 * @returns {Promise<OwnPostgresServer>}
 */
export async function startOwnPostgres() {
  const account = unprivilegedAccount();
  const directory = temporaryDirectory(reachableTemporaryParent(account));
  try {
    chmodSync(directory, 0o755);
    const bin = runnableBinaries(account, directory);
    const data = join(directory, 'data');
    const passwordFile = join(directory, 'password');
    const password = randomBytes(18).toString('hex');
    mkdirSync(data, { mode: 0o700 });
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    for (const path of [data, passwordFile]) {
      if (account.uid !== undefined && account.gid !== undefined) chownSync(path, account.uid, account.gid);
    }
    const initdb = spawnSync(
      join(bin, 'initdb'),
      [
        `--pgdata=${data}`,
        '--username=postgres',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--no-sync',
        '--no-instructions',
      ],
      { ...account, cwd: data, env: { LC_ALL: 'C', TZ: 'UTC' }, encoding: 'utf8' },
    );
    if (initdb.status !== 0) throw new Error(`initdb failed: ${initdb.stderr}`);

    let output = '';
    for (let attempt = 0; attempt < START_ATTEMPTS; attempt += 1) {
      const port = await freePort();
      const started = await launch(bin, data, port, account);
      if (started.server !== undefined) {
        let { server } = started;
        const end = async (/** @type {keyof typeof SHUTDOWNS} */ how) => {
          if (server.exitCode !== null || server.signalCode !== null) return;
          const exited = once(server, 'exit');
          server.kill(SHUTDOWNS[how]);
          await exited;
        };
        return {
          url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
          stop: async () => {
            await end('fast');
            removeTemporaryDirectory(directory);
          },
          restart: async (how) => {
            await end(how);
            const again = await launch(bin, data, port, account);
            if (again.server === undefined) throw new Error(`PostgreSQL did not start again:\n${again.output}`);
            server = again.server;
          },
        };
      }
      output = started.output;
      if (!/could not bind|Address already in use/i.test(output)) break;
    }
    throw new Error(`PostgreSQL did not start:\n${output}`);
  } catch (error) {
    removeTemporaryDirectory(directory);
    throw error;
  }
}
