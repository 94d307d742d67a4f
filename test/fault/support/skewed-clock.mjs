import { writeSync } from 'node:fs';

/**
 * A wall clock that is wrong: loaded with NODE_OPTIONS=--import=<this file>, it moves Date by CLOCK_OFFSET_MS. On SIGUSR2
 * the clock is stepped by CLOCK_STEP_MS more, as somebody does who sets it, and says so once it has happened. The
 * monotonic clock goes on: no machine steps that one.
 */
const RealDate = globalThis.Date;
let offsetMs = Number(process.env['CLOCK_OFFSET_MS'] ?? 0);
const stepMs = Number(process.env['CLOCK_STEP_MS'] ?? 0);
const now = () => RealDate.now() + offsetMs;

globalThis.Date = new Proxy(RealDate, {
  apply: () => new RealDate(now()).toString(),
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget === globalThis.Date ? target : newTarget),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});

process.on('SIGUSR2', () => {
  offsetMs += stepMs;
  writeSync(2, `the clock was stepped by ${stepMs} ms\n`);
});
