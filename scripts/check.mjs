// @ts-check
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bindProcess } from './lifeline.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');

/** Linting needs no network: no notice of a newer release, no telemetry. */
const ENVIRONMENT = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };

/** From the quickest to the slowest, so that most mistakes are told within seconds. */
const STEPS = [
  { name: 'format', run: ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'] },
  { name: 'lint', run: ['oxlint/bin/oxlint', '--deny-warnings'] },
  { name: 'types of the service', run: ['typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'] },
  { name: 'types of the tests', run: ['typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.test.json'] },
  {
    name: 'architecture',
    run: [
      'dependency-cruiser/bin/dependency-cruise.mjs',
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err',
      'src',
      'ormconfig.ts',
    ],
  },
  { name: 'OpenAPI drift', run: [join(ROOT, 'scripts/openapi.mjs'), '--check'] },
  { name: 'OpenAPI lint', run: ['@redocly/cli/bin/cli.js', 'lint', '--format', 'summary'] },
  { name: 'tests', run: [join(ROOT, 'scripts/test.mjs')] },
];

/**
 * @param {string[]} command a script of ours by its whole path, else one of a package
 * @returns {Promise<boolean>}
 */
function succeeds([script = '', ...options]) {
  const path = script.startsWith(ROOT) ? script : join(MODULES, script);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, ...options], { cwd: ROOT, stdio: 'inherit', env: ENVIRONMENT });
    bindProcess(child, 'SIGTERM');
    child.once('error', reject);
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** Everything that has to be true before a change is committed. It stops at the first thing that is not. */
for (const { name, run } of STEPS) {
  const startedAt = performance.now();
  const passed = await succeeds(run);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
  console.log(`${passed ? '✔' : '✘'} ${name.padEnd(22)}${seconds} s`);
  if (!passed) {
    console.error(`\ncheck failed: ${name}`);
    process.exitCode = 1;
    break;
  }
}
if (process.exitCode === undefined) console.log('\ncheck passed');
