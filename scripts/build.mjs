// @ts-check
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = ['src', 'scripts/bundle.mjs', 'ormconfig.ts', 'tsconfig.json', 'nest-cli.json', 'package.json'];

/** The program that `npm start` runs. */
export const MAIN = join(ROOT, 'dist/src/main.js');

/**
 * @param {string} path
 * @returns {number}
 */
function newestChange(path) {
  if (!existsSync(path)) return 0;
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(found.mtimeMs, ...readdirSync(path).map((name) => newestChange(join(path, name))));
}

/** Whether dist exists and no source is newer. */
export function isBuilt() {
  const newest = Math.max(...SOURCES.map((source) => newestChange(join(ROOT, source))));
  return existsSync(MAIN) && statSync(MAIN).mtimeMs > newest;
}

/**
 * Builds dist unless it is fresh, so that nothing runs an old build. Where the compiler is not installed, in production,
 * what was built is what there is.
 * @throws Error with what the compiler said
 */
export function ensureBuilt() {
  const nest = join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');
  if (isBuilt() || (existsSync(MAIN) && !existsSync(nest))) return;
  build();
}

/** What `npm run build` does. */
export function build() {
  for (const step of [
    [join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js'), 'build'],
    [join(ROOT, 'scripts/bundle.mjs')],
  ]) {
    const result = spawnSync(process.execPath, step, { cwd: ROOT, encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`the build failed:\n${result.stdout}${result.stderr}`);
  }
}
