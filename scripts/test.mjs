import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
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
function readResults(report, exitCode) {
  const unknown = exitCode === 0 ? [] : [{ name: `vitest ended with ${exitCode}`, message: '' }];
  if (!existsSync(report)) return { passed: 0, failures: unknown };
  const { numPassedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const failures = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(ROOT, name);
    const failed = assertionResults
      .filter((assertion) => assertion.status === 'failed')
      .map(({ fullName, failureMessages }) => ({ name: `${file} > ${fullName}`, message: failureMessages.join('\n') }));
    return failed.length === 0 && status === 'failed' ? [{ name: file, message }] : failed;
  });
  return { passed: numPassedTests, failures: failures.length === 0 ? unknown : failures };
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
  return { name, seconds: seconds(started), ...readResults(report, exitCode) };
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

/** Once more at the end: of a long log, often only that is kept. */
function printFailures(rows) {
  for (const { name, message } of rows.flatMap(({ failures }) => failures).slice(0, 20)) {
    console.log(`\nFAILED ${name}\n${stripVTControlCharacters(message).slice(0, 2000)}`);
  }
}

function printTable(rows) {
  console.log(`\n${'suite'.padEnd(14)}${'seconds'.padStart(8)}${'passed'.padStart(8)}${'failed'.padStart(8)}`);
  for (const row of rows) {
    const cells = [row.seconds.toFixed(1), String(row.passed), String(row.failures.length)];
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
  const buildFailures = built ? [] : [{ name: 'build', message: 'see above' }];
  rows.push({ name: 'build', seconds: seconds(buildStarted), passed: 0, failures: buildFailures });

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
  const failed = rows.reduce((sum, row) => sum + row.failures.length, 0);
  printFailures(rows);
  printTable(rows);
  if (passed + failed === 0) console.log('\nno test ran');
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

await main();
