// @ts-check
import { setTimeout as delay } from 'node:timers/promises';

const BAR_WIDTH = 30;
const { stdout } = process;
const styled = stdout.isTTY && process.env['NO_COLOR'] === undefined;

/**
 * @param {number} code
 * @returns {(text: string) => string}
 */
const style = (code) => (text) => (styled ? `\u001B[${code}m${text}\u001B[0m` : text);
export const bold = style(1);
export const dim = style(2);

/** @param {string} [text] */
export const say = (text = '') => void stdout.write(`${text}\n`);

/** @param {string} text */
export const title = (text) => say(`\n${bold(text)}`);

/**
 * Names and values in two columns.
 * @param {[string, string][]} rows
 */
export function table(rows) {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) say(`  ${dim(name.padEnd(width))}  ${value}`);
}

/**
 * A JSON body, as it came.
 * @param {string} heading
 * @param {object} value
 */
export function body(heading, value) {
  const lines = JSON.stringify(value, null, 2).split('\n');
  say(`  ${heading}`);
  for (const line of lines) say(`    ${line}`);
}

/**
 * Waits, and shows a person how far it is.
 * @param {number} untilMs epoch milliseconds
 * @param {AbortSignal} signal
 */
export async function countDown(untilMs, signal) {
  const startedAt = Date.now();
  const remaining = () => Math.max(0, untilMs - Date.now());
  if (!stdout.isTTY) say(`  ${Math.ceil(remaining() / 1000)} s ...`);
  while (remaining() > 0) {
    if (stdout.isTTY) {
      const filled = Math.round(((Date.now() - startedAt) / (untilMs - startedAt)) * BAR_WIDTH);
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
      stdout.write(`\r  ${bar} ${String(Math.ceil(remaining() / 1000)).padStart(3)} s `);
    }
    await delay(Math.min(250, remaining()), undefined, { signal });
  }
  if (stdout.isTTY) stdout.write(`\r  ${'█'.repeat(BAR_WIDTH)}   0 s \n`);
}
