import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { bindProcess } from './lifeline.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');

/**
 * The randomized fault test for as long as it is told to: `npm run test:fault -- --seconds 900 --seed 7 --database postgres`.
 * Without a seed it draws and prints one; that of a failure draws the same steps again.
 */
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '900' }, seed: { type: 'string' }, database: { type: 'string' } },
});

build();
const child = spawn(process.execPath, [VITEST, 'run', '--project', 'fault', 'test/fault/random/random.test.ts'], {
  cwd: ROOT,
  stdio: 'inherit',
  env: {
    ...process.env,
    SYMBOLON_DIST: '1',
    FAULT_SECONDS: values.seconds,
    FAULT_TRACE: '1',
    ...(values.seed !== undefined && { FAULT_SEED: values.seed }),
    ...(values.database !== undefined && { TEST_DATABASES: values.database }),
  },
});
bindProcess(child, 'SIGTERM');
child.once('exit', (code) => {
  process.exitCode = code ?? 1;
});
