// @ts-check
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Child processes and directories that must not outlive this process, however it ends. `process.on('exit')` covers the
 * orderly ends; a test runner that kills its workers is covered by a tiny shell that waits for the end of its standard
 * input, which is the end of this process, and then cleans up. Plain JavaScript, so that scripts can use it too.
 */
const WATCHER = `
pids=""
set --
while IFS=' ' read -r verb value; do
  case $verb in
    pid) pids="$pids $value" ;;
    gone) rest=""; for p in $pids; do [ "\${p%:*}" = "$value" ] || rest="$rest $p"; done; pids=$rest ;;
    dir) set -- "$@" "$value" ;;
  esac
done
for p in $pids; do kill -s "\${p#*:}" "\${p%:*}" 2>/dev/null; done
for p in $pids; do
  tries=0
  while [ $tries -lt 100 ] && kill -0 "\${p%:*}" 2>/dev/null; do tries=$((tries + 1)); sleep 0.1; done
  kill -s KILL "\${p%:*}" 2>/dev/null
done
for directory in "$@"; do rm -rf "$directory"; done
`;

/** @type {Map<number, { child: import('node:child_process').ChildProcess, signal: NodeJS.Signals }>} */
const children = new Map();
/** @type {Set<string>} */
const directories = new Set();
/** @type {((line: string) => void) | undefined} */
let tellWatcher;

/** @param {string} line */
function tell(line) {
  tellWatcher ??= startWatcher();
  tellWatcher(line);
}

function startWatcher() {
  process.on('exit', cleanUp);
  if (process.platform === 'win32') return () => {};
  const watcher = spawn('/bin/sh', ['-c', WATCHER], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
  watcher.on('error', () => {});
  watcher.stdin.on('error', () => {});
  watcher.unref();
  if ('unref' in watcher.stdin && typeof watcher.stdin.unref === 'function') watcher.stdin.unref();
  return (/** @type {string} */ line) => void watcher.stdin.write(`${line}\n`);
}

function cleanUp() {
  for (const { child, signal } of children.values()) child.kill(signal);
  for (const directory of directories) {
    try {
      rmSync(directory, { recursive: true, force: true, maxRetries: 3, retryDelay: 20 });
    } catch {
      // A dying process still writes there: the watcher removes it once that process is gone.
    }
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} [signal] what ends it when this process ends first
 */
export function bindProcess(child, signal = 'SIGKILL') {
  const { pid } = child;
  if (pid === undefined) return;
  children.set(pid, { child, signal });
  tell(`pid ${pid}:${signal.slice(3)}`);
  child.once('exit', () => {
    children.delete(pid);
    tell(`gone ${pid}`);
  });
}

/**
 * A fresh directory that only this user can enter, removed when this process ends.
 * @param {string} [parent]
 * @returns {string}
 */
export function temporaryDirectory(parent = tmpdir()) {
  const directory = mkdtempSync(join(parent, 'symbolon-'));
  directories.add(directory);
  tell(`dir ${directory}`);
  return directory;
}

/**
 * Removes a temporary directory early.
 * @param {string} directory
 */
export function removeTemporaryDirectory(directory) {
  rmSync(directory, { recursive: true, force: true, maxRetries: 3, retryDelay: 20 });
  directories.delete(directory);
}
