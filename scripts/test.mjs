import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../test/support/postgres-server.mjs';
import { build, ensureBuilt } from './build.mjs';
import { bindProcess, removeTemporaryDirectory, temporaryDirectory } from './lifeline.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SUITES = ['unit', 'persistence', 'contract', 'interop', 'e2e', 'browser', 'fault'];
/** The inner loop of development: under a minute. */
const QUICK = ['unit', 'persistence', 'contract'];
/**
 * What the inner loop leaves out of these: tests of the tests, what has to kill processes, what npm run architecture and
 * npm run openapi show, and the long tables of the two interfaces of administrators.
 */
const NOT_QUICK = [
  'test/unit/support/**',
  'test/architecture/**',
  'test/persistence/durability.test.ts',
  'test/contract/openapi.test.ts',
  'test/contract/admin.test.ts',
  'test/contract/slashid-clients.test.ts',
].flatMap((path) => ['--exclude', path]);
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');

const seconds = (since) => (performance.now() - since) / 1000;

/** Runs Node in the foreground; the exit code, or 1 when a signal ended it. */
function run(args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } });
    bindProcess(child, 'SIGTERM');
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** A test file that does not even load has no failed test: it counts as one, else it would pass unseen. */
function countResults(report, exitCode) {
  if (!existsSync(report)) return { passed: 0, failed: exitCode === 0 ? 0 : 1 };
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const unloadable = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  );
  const failed = numFailedTests + unloadable.length;
  return { passed: numPassedTests, failed: failed === 0 && exitCode !== 0 ? 1 : failed };
}

async function runSuite(name, projects, filters, env, reports) {
  const report = join(reports, `${name}.json`);
  const started = performance.now();
  const exitCode = await run(
    [
      VITEST,
      'run',
      ...projects.flatMap((project) => ['--project', project]),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...filters,
    ],
    env,
  );
  return { name, seconds: seconds(started), ...countResults(report, exitCode) };
}

/** Builds anew, whatever is there; the inner loop builds what has changed. */
function isBuildable(quick) {
  try {
    if (quick) ensureBuilt();
    else build();
    return true;
  } catch (error) {
    console.error(error.message);
    return false;
  }
}

function printTable(rows) {
  console.log(`\n${'suite'.padEnd(14)}${'seconds'.padStart(8)}${'passed'.padStart(8)}${'failed'.padStart(8)}`);
  for (const row of rows) {
    const cells = [row.seconds.toFixed(1), String(row.passed), String(row.failed)];
    console.log(row.name.padEnd(14) + cells.map((cell) => cell.padStart(8)).join(''));
  }
}

/**
 * The whole suite: build, then each kind of test one after another, with one PostgreSQL server for all of them. `--quick`
 * leaves out PostgreSQL and the long journeys; everything else is passed on to vitest as a filter.
 */
async function main() {
  const quick = process.argv.includes('--quick');
  const filters = process.argv.slice(2).filter((argument) => argument !== '--quick');
  const rows = [];

  const buildStarted = performance.now();
  const built = isBuildable(quick);
  rows.push({ name: 'build', seconds: seconds(buildStarted), passed: 0, failed: built ? 0 : 1 });

  if (built) {
    const env = { SYMBOLON_DIST: '1' };
    if (quick) env.TEST_DATABASES = 'sqlite';
    const databases = env.TEST_DATABASES ?? process.env.TEST_DATABASES ?? '';
    const wantsPostgres = databases === '' || databases.split(',').includes('postgres');
    const postgres = wantsPostgres ? await startPostgres() : undefined;
    if (postgres !== undefined) env.TEST_DATABASE_URL = postgres.url;
    const reports = temporaryDirectory();
    // Vitest's and the browser's own temporary files: they stay behind when those are killed.
    env.TMPDIR = reports;
    try {
      if (quick) rows.push(await runSuite('quick', QUICK, [...NOT_QUICK, ...filters], env, reports));
      else for (const name of SUITES) rows.push(await runSuite(name, [name], filters, env, reports));
    } finally {
      removeTemporaryDirectory(reports);
      await postgres?.stop();
    }
  }

  const passed = rows.reduce((sum, row) => sum + row.passed, 0);
  const failed = rows.reduce((sum, row) => sum + row.failed, 0);
  printTable(rows);
  if (passed + failed === 0) console.log('\nno test ran');
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

await main();
