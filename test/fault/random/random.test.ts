import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usesDatabase } from '../../support/database-names.js';
import { Draws } from './draws.js';
import { oneOnSqlite, severalOnPostgres, type Fleet } from './fleet.js';
import { Run, type Tally } from './run.js';

const SECONDS = Number(process.env['FAULT_SECONDS'] ?? 60);
/** The seed of a failure replays it. */
const SEED = Number(process.env['FAULT_SEED'] ?? randomInt(1, 2 ** 31));
const GRACE_MS = 10 * 60_000;
const MARGIN_MS = 120_000;

/** Half of all seeds have a provider that takes a rotated refresh token again for a while, as most do; the others one that does not. */
const hasGrace = SEED % 2 === 0;

function print(name: string, { log, violations, ...counts }: Tally): void {
  const told = { database: name, seed: SEED, grace: hasGrace, ...counts, violations: violations.length };
  console.log(JSON.stringify(told));
  if (violations.length > 0) console.error([`FAULT_SEED=${SEED} replays it:`, ...log, ...violations].join('\n'));
}

const kinds = [
  { name: 'postgres' as const, start: severalOnPostgres, seconds: SECONDS },
  { name: 'sqlite' as const, start: oneOnSqlite, seconds: SECONDS / 3 },
].filter(({ name }) => usesDatabase(name));

describe.each(kinds)('whatever happens on $name', ({ name, start, seconds }) => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await start({ graceMs: hasGrace ? GRACE_MS : 0 });
  }, MARGIN_MS);
  afterAll(() => fleet.stop());

  it(
    `every promise is kept (FAULT_SEED=${SEED})`,
    async () => {
      const onStep = process.env['FAULT_TRACE'] === undefined ? undefined : (line: string) => console.log(line);
      const tally = await new Run(fleet, new Draws(SEED), { hasGrace }).for(seconds, onStep);
      print(name, tally);
      expect(tally.violations).toEqual([]);
      await fleet.world.assertNoLeaks();
    },
    seconds * 1000 + MARGIN_MS,
  );
});
