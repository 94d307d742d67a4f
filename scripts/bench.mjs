// @ts-check
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { SCENARIOS, send } from '../test/bench/scenarios.mjs';
import { TARGETS } from '../test/bench/targets.mjs';
import { ensureBuilt } from './build.mjs';

const CONNECTIONS = 16;
const WARM_UP_SECONDS = 2;

/** @typedef {import('../test/bench/scenarios.mjs').Target} Target */
/** @typedef {import('../test/bench/scenarios.mjs').Scenario} Scenario */
/** @typedef {{ target: string, scenario: string, requestsPerSecond: number, latencyMs: { median: number, p99: number }, failed: number }} Measured */

/**
 * @param {Target} target
 * @param {Scenario} scenario
 * @param {number} seconds
 * @returns {Promise<Measured>}
 */
async function measure(target, scenario, seconds) {
  const request = await scenario.prepare(target);
  if (!scenario.isRight(await send(target, request))) {
    throw new Error(`${target.name}, ${scenario.name}: the answer is not what is to be measured`);
  }
  const load = (/** @type {number} */ duration) =>
    autocannon({ url: target.url, connections: CONNECTIONS, duration, requests: [request] });
  await load(WARM_UP_SECONDS);
  const { requests, latency, errors, timeouts, non2xx } = await load(seconds);
  return {
    target: target.name,
    scenario: scenario.name,
    requestsPerSecond: Math.round(requests.average),
    latencyMs: { median: latency.p50, p99: latency.p99 },
    failed: errors + timeouts + non2xx,
  };
}

const printRow = (/** @type {string[]} */ [target = '', scenario = '', ...numbers]) =>
  console.log(target.padEnd(30) + scenario.padEnd(30) + numbers.map((text) => text.padStart(11)).join(''));

/** @param {Measured[]} results */
function print(results) {
  printRow(['', '', 'requests/s', 'median ms', 'p99 ms', 'failed']);
  for (const { target, scenario, requestsPerSecond, latencyMs, failed } of results) {
    printRow([target, scenario, ...[requestsPerSecond, latencyMs.median, latencyMs.p99, failed].map(String)]);
  }
}

/**
 * Measures the token path on both databases, and a peer in the same run, since numbers of another machine or another hour
 * say nothing. One core serves, another one asks: with fewer than two the numbers are lower for all.
 */
async function main() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '4' },
      json: { type: 'string', default: 'bench-results.json' },
      only: { type: 'string', multiple: true, default: Object.keys(TARGETS) },
    },
  });
  const seconds = Number(values.seconds);
  const wanted = Object.entries(TARGETS).filter(([name]) => values.only.includes(name));
  if (!(seconds >= 1 && seconds <= 600) || wanted.length === 0) {
    console.error(
      `usage: npm run bench -- [--seconds 4] [--json bench-results.json] [--only ${Object.keys(TARGETS).join('|')}]`,
    );
    process.exitCode = 2;
    return;
  }
  ensureBuilt();
  /** @type {Measured[]} */
  const results = [];
  for (const [, start] of wanted) {
    const target = await start();
    try {
      for (const scenario of SCENARIOS) results.push(await measure(target, scenario, seconds));
    } finally {
      await target.stop();
    }
  }
  print(results);
  const machine = { node: process.version, processors: cpus().length, model: cpus()[0]?.model };
  const report = { at: new Date().toISOString(), ...machine, connections: CONNECTIONS, seconds, results };
  writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (results.some(({ failed }) => failed > 0)) process.exitCode = 1;
}

await main();
