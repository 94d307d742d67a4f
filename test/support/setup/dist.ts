import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAIN = join(ROOT, 'dist/src/main.js');
const SOURCES = ['src', 'ormconfig.ts', 'tsconfig.json', 'nest-cli.json', 'package.json'];

function newestChange(path: string): number {
  if (!existsSync(path)) return 0;
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newestChange(join(path, name))));
}

function isFresh(): boolean {
  const newest = Math.max(...SOURCES.map((source) => newestChange(join(ROOT, source))));
  return existsSync(MAIN) && statSync(MAIN).mtimeMs > newest;
}

/** Vitest global setup: tests of `dist` never run an old build. SYMBOLON_DIST=1 says that the caller has just built. */
export default function setup(): void {
  if (process.env['SYMBOLON_DIST'] === '1' || isFresh()) return;
  const nest = join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');
  const result = spawnSync(process.execPath, [nest, 'build'], { cwd: ROOT, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`nest build failed:\n${result.stdout}${result.stderr}`);
}
