import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Audit, type AuditEntry } from '../../src/audit/index.js';
import { databases } from '../support/databases.js';
import { openStorage, type Storage } from './support/storage.js';

const TOTAL = 1_203;
/** So many share an instant: no page of any size ends between two of them by luck alone. */
const AT_ONCE = 7;

describe.each(databases)('exporting the audit on $name', (kind) => {
  let storage: Storage;
  let audit: Audit;
  let begin: number;

  beforeAll(async () => {
    storage = await openStorage(kind);
    const { unitOfWork, clock, randomness } = storage.first;
    audit = new Audit(unitOfWork, clock, randomness);
    begin = clock.now();
    await unitOfWork.run(async () => {
      for (let count = 0; count < TOTAL; count += 1) {
        await audit.record({ event: 'token.issued', outcome: 'success', userId: count % 3 === 0 ? 'third' : 'other' });
        if (count % AT_ONCE === 0) storage.clock.advance(1);
      }
    });
    storage.clock.advance(1);
  });
  afterAll(() => storage.close());

  it('gives each record once, the oldest first', async () => {
    const all = await read(audit.export({}, storage.clock.now()));
    expect(all).toHaveLength(TOTAL);
    expect(new Set(all.map(({ id }) => id)).size).toBe(TOTAL);
    const times = all.map(({ at }) => at);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    const { items } = await audit.list({}, { limit: TOTAL, offset: 0 });
    expect(all.toSorted(byId)).toEqual(items.toSorted(byId));
  });

  it('gives what is asked for, and both ends of a time', async () => {
    const ofThird = await read(audit.export({ userId: 'third' }, storage.clock.now()));
    expect(ofThird).toHaveLength(Math.ceil(TOTAL / 3));
    const [from, to] = [begin + 2, begin + 4];
    const between = await read(audit.export({ from, to }, storage.clock.now()));
    expect(between).toHaveLength(3 * AT_ONCE);
    expect(new Set(between.map(({ at }) => at))).toEqual(new Set([from, from + 1, to]));
    expect(await read(audit.export({ event: 'token.reused' }, storage.clock.now()))).toEqual([]);
  });

  it('ends at the instant at which it began', async () => {
    const until = storage.clock.now();
    const batches = audit.export({}, until);
    const first = await batches.next();
    await audit.record({ event: 'token.reused', outcome: 'failure' });
    const rest = await read(batches);
    expect(rest.length + (first.value as AuditEntry[]).length).toBe(TOTAL);
    expect(rest.map(({ event }) => event)).not.toContain('token.reused');
    storage.clock.advance(1);
    expect(await read(audit.export({ event: 'token.reused' }, storage.clock.now()))).toHaveLength(1);
  });

  it('reads no further than it is asked', async () => {
    const batches = audit.export({ event: 'token.issued' }, storage.clock.now());
    const { value } = await batches.next();
    await storage.database.query('DELETE FROM audit_events WHERE at > ?', [(value as AuditEntry[]).at(-1)!.at]);
    // Of the instant at which the first batch ended.
    expect((await read(batches)).length).toBeLessThan(AT_ONCE);
  });
});

function byId(one: AuditEntry, other: AuditEntry): number {
  return one.id.localeCompare(other.id);
}

async function read(batches: AsyncIterable<AuditEntry[]>): Promise<AuditEntry[]> {
  const all: AuditEntry[] = [];
  for await (const batch of batches) {
    expect(batch.length).toBeLessThanOrEqual(500);
    all.push(...batch);
  }
  return all;
}
