import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Secret } from '../../src/common/secret.js';
import { DeliveryError, DeliveryPaused, Outbox, type Delivery, type OutboxHandler } from '../../src/outbox/index.js';
import { OutboxMessages } from '../../src/outbox/outbox-messages.js';
import { databases } from '../support/databases.js';
import { Latch } from './support/latch.js';
import { fiftyTimes, openStorage, type Replica, type Storage } from './support/storage.js';

const LEASE_MS = 5 * 60_000;
const A_DAY_MS = 24 * 3_600_000;
const SECRET = 'what nobody is to read in a dump';

const messagesOf = ({ unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows }: Replica) =>
  new OutboxMessages(unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows);

const letter = (subjectId: string) => ({ kind: 'letter', subjectId, payload: new Secret(`${SECRET} ${subjectId}`) });

/** Longer than a poll. */
const eventually = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 10_000, interval: 10 });

describe.each(databases)('the outbox on $name', (kind) => {
  let storage: Storage;
  let outboxes: Outbox[] = [];
  beforeAll(async () => {
    Logger.overrideLogger(false);
    storage = await openStorage(kind);
  });
  afterAll(() => storage.close());
  beforeEach(() => storage.database.query('DELETE FROM outbox_messages'));
  afterEach(async () => {
    for (const outbox of outboxes) await outbox.beforeApplicationShutdown();
    outboxes = [];
  });

  const start = (
    replica: Replica,
    deliver: OutboxHandler['deliver'],
    ended?: OutboxHandler['ended'],
    repeatable: readonly string[] = [],
  ): Outbox => {
    const outbox = new Outbox(messagesOf(replica), replica.unitOfWork, replica.clock, replica.randomness);
    outbox.register('letter', { deliver, repeatable, ...(ended && { ended }) });
    outboxes.push(outbox);
    return outbox;
  };
  const rows = () => storage.database.query('SELECT * FROM outbox_messages ORDER BY subject_id');
  const onlyDue = async () => {
    const [due] = await messagesOf(storage.first).due('letter', 1);
    if (!due) throw new Error('nothing is due');
    return due;
  };
  const states = () => messagesOf(storage.first).statesOf('letter', ['one']);
  it('delivers what was written once that is committed, and erases it', async () => {
    const seen: Delivery[] = [];
    const outbox = start(storage.first, (delivery) => {
      seen.push(delivery);
      return Promise.resolve('done');
    });
    await storage.first.unitOfWork.run(async () => {
      await outbox.put(letter('one'));
      await storage.first.unitOfWork.manager.query('SELECT 1');
      expect(seen).toEqual([]);
    });
    await eventually(async () => expect((await rows())[0]).toMatchObject({ outcome: 'done' }));
    expect(seen.map(({ payload, attempt }) => [payload.reveal(), attempt])).toEqual([[`${SECRET} one`, 1]]);
    expect((await rows())[0]).toMatchObject({
      payload: null,
      data_key: null,
      encryption_key_id: null,
      lease_owner: null,
      next_attempt_at: null,
      last_error: null,
    });
  });

  it('forgets what is rolled back', async () => {
    const deliver = vi.fn(() => Promise.resolve('done'));
    const outbox = start(storage.first, deliver);
    const work = async () => {
      await outbox.put(letter('one'));
      throw new Error('on second thoughts');
    };
    await expect(storage.first.unitOfWork.run(work)).rejects.toThrow('on second thoughts');
    await outbox.put(letter('two'));
    await eventually(async () => expect(await rows()).toMatchObject([{ subject_id: 'two', outcome: 'done' }]));
    expect(deliver).toHaveBeenCalledOnce();
  });

  it('keeps what it has to say as ciphertext', async () => {
    await messagesOf(storage.first).insert(letter('one'), A_DAY_MS);
    expect(JSON.stringify(await rows())).not.toContain(SECRET);
    expect((await storage.database.dump()).includes(SECRET)).toBe(false);
  });

  it('delivers each message once, whoever of several processes takes it', async () => {
    const seen: string[] = [];
    const deliver = ({ payload }: Delivery) => {
      seen.push(payload.reveal());
      return Promise.resolve('done');
    };
    for (const replica of [storage.first, storage.second]) start(replica, deliver).onApplicationBootstrap();
    const subjects = Array.from({ length: 30 }, (_, index) => `subject-${index}`);
    await Promise.all(subjects.map((subject, index) => outboxes[index % 2]?.put(letter(subject))));
    await eventually(async () => expect((await rows()).every(({ outcome }) => outcome === 'done')).toBe(true));
    expect(seen).toHaveLength(subjects.length);
    expect(new Set(seen)).toEqual(new Set(subjects.map((subject) => `${SECRET} ${subject}`)));
  });

  it('gives a message to one of fifty, and after a lease to another, to whom the first then has to leave it', async () => {
    const messages = messagesOf(storage.first);
    await messages.insert(letter('one'), A_DAY_MS);
    const due = await onlyDue();
    const take = async () =>
      fiftyTimes([storage.first, storage.second], (replica, index) =>
        messagesOf(replica).take(due, `owner-${index}`, LEASE_MS),
      );
    const taken = await take();
    expect(taken.filter((delivery) => delivery !== undefined)).toHaveLength(1);
    storage.clock.advance(LEASE_MS - 1);
    expect(await messages.due('letter', 1)).toEqual([]);
    storage.clock.advance(1);
    const again = await onlyDue();
    expect(await messages.take(again, 'heir', LEASE_MS)).toMatchObject({ attempt: 2 });
    const first = `owner-${taken.findIndex((delivery) => delivery !== undefined)}`;
    expect(await messages.end(again.id, first, 'done', { keep: false })).toBe(false);
    expect(await messages.retry(again.id, first, { delayMs: 0, reason: 'late', attempts: 1 })).toBe(false);
    expect(await messages.end(again.id, 'heir', 'done', { keep: false })).toBe(true);
  });

  it('tries again later, no earlier than it was asked to', async () => {
    const deliver = vi
      .fn<OutboxHandler['deliver']>()
      .mockRejectedValueOnce(new DeliveryError('unavailable', { retryAfterMs: 3_600_000 }))
      .mockRejectedValueOnce(new Error('unforeseen'))
      .mockResolvedValue('done');
    const outbox = start(storage.first, deliver);
    await outbox.put(letter('one'));
    await eventually(async () => expect((await rows())[0]).toMatchObject({ last_error: 'unavailable' }));
    const messages = messagesOf(storage.first);
    storage.clock.advance(3_600_000 - 1);
    expect(await messages.due('letter', 1)).toEqual([]);
    storage.clock.advance(1);
    outbox.onApplicationBootstrap();
    await eventually(async () => expect((await rows())[0]).toMatchObject({ last_error: 'error', attempts: 2 }));
    expect(await states()).toMatchObject([{ outcome: undefined }]);
    storage.clock.advance(30_000);
    await eventually(async () => expect(await states()).toMatchObject([{ outcome: 'done', at: storage.clock.now() }]));
    expect(deliver).toHaveBeenCalledTimes(3);
  });

  it('gives up after a while, and says so to who sent it', async () => {
    const ended = vi.fn(() => Promise.resolve());
    const outbox = start(storage.first, () => Promise.reject(new DeliveryError('unavailable')), ended);
    await outbox.put(letter('one'));
    for (let attempt = 1; attempt < 12; attempt += 1) {
      await eventually(async () => {
        expect((await rows())[0]).toMatchObject({ attempts: attempt, lease_owner: null, last_error: 'unavailable' });
      });
      expect(ended).not.toHaveBeenCalled();
      storage.clock.advance(6 * 3_600_000);
      // As a poll would, without waiting for one.
      outbox.onApplicationBootstrap();
    }
    await eventually(async () => expect(await states()).toMatchObject([{ outcome: 'failed' }]));
    expect(ended.mock.calls).toEqual([[expect.objectContaining({ attempt: 12 }), 'failed']]);
    expect((await rows())[0]).toMatchObject({ payload: null, last_error: 'unavailable' });
  });

  it('counts no attempt while the receiver is left alone, and waits for as long', async () => {
    const deliver = vi.fn<OutboxHandler['deliver']>().mockRejectedValue(new DeliveryPaused(60_000));
    const outbox = start(storage.first, deliver);
    await outbox.put(letter('one'));
    for (let time = 1; time <= 15; time += 1) {
      await eventually(async () => {
        expect(deliver).toHaveBeenCalledTimes(time);
        expect((await rows())[0]).toMatchObject({ attempts: 0, lease_owner: null, last_error: 'paused' });
      });
      storage.clock.advance(60_000);
      expect(await messagesOf(storage.first).due('letter', 1)).toEqual([]);
      if (time === 15) deliver.mockResolvedValue('done');
      storage.clock.advance(10_000);
      outbox.onApplicationBootstrap();
    }
    await eventually(async () => expect((await rows())[0]).toMatchObject({ outcome: 'done', attempts: 1 }));
  });

  it('gives up a message of which every process died that took it, without trying it again', async () => {
    const messages = messagesOf(storage.first);
    await messages.insert(letter('one'), A_DAY_MS);
    for (let attempt = 1; attempt <= 12; attempt += 1) {
      await messages.take(await onlyDue(), `owner-${attempt}`, LEASE_MS);
      storage.clock.advance(LEASE_MS);
    }
    const [deliver, ended] = [vi.fn(() => Promise.resolve('done')), vi.fn(() => Promise.resolve())];
    start(storage.first, deliver, ended).onApplicationBootstrap();
    await eventually(async () => expect((await rows())[0]).toMatchObject({ outcome: 'failed', payload: null }));
    expect(deliver).not.toHaveBeenCalled();
    expect(ended).toHaveBeenCalledOnce();
  });

  it('delivers a message once that nobody took in time, and then gives it up', async () => {
    await messagesOf(storage.first).insert(letter('one'), A_DAY_MS);
    storage.clock.advance(2 * A_DAY_MS);
    const deliver = vi.fn(() => Promise.reject(new DeliveryError('unavailable')));
    start(storage.first, deliver).onApplicationBootstrap();
    await eventually(async () => expect((await rows())[0]).toMatchObject({ outcome: 'failed', payload: null }));
    expect(deliver).toHaveBeenCalledOnce();
  });

  it('delivers a message that was to wait before the clock was turned back by more than anything waits', async () => {
    await messagesOf(storage.first).insert(letter('one'), A_DAY_MS);
    storage.clock.advance(-A_DAY_MS);
    expect(await messagesOf(storage.first).due('letter', 1)).toEqual([]);
    storage.clock.advance(-1);
    await messagesOf(storage.first).take(await onlyDue(), 'owner', LEASE_MS);
    expect(await messagesOf(storage.first).due('letter', 1)).toEqual([]);
    storage.clock.advance(A_DAY_MS + 1);
  });

  it('gives up a message that cannot be opened after as many attempts, and lets the others pass', async () => {
    const messages = messagesOf(storage.first);
    await messages.insert(letter('one'), 3 * A_DAY_MS);
    await storage.database.query(`UPDATE outbox_messages SET payload = 'AAAA'`);
    await messages.insert(letter('two'), 3 * A_DAY_MS);
    const [deliver, ended] = [vi.fn(() => Promise.resolve('done')), vi.fn(() => Promise.resolve())];
    const outbox = start(storage.first, deliver, ended);
    for (let attempt = 1; attempt <= 12; attempt += 1) {
      outbox.onApplicationBootstrap();
      await eventually(async () => {
        expect((await rows())[0]).toMatchObject({ attempts: attempt, lease_owner: null, last_error: 'unreadable' });
      });
      storage.clock.advance(6 * 3_600_000);
    }
    expect(await rows()).toMatchObject([
      { outcome: 'failed', payload: null },
      { outcome: 'done', attempts: 1 },
    ]);
    expect(ended).toHaveBeenCalledOnce();
  });

  it('ends a message together with what its sender makes of the end, or not at all', async () => {
    const ended = vi.fn(() => Promise.reject(new Error('the audit is away')));
    const outbox = start(storage.first, () => Promise.resolve('done'), ended);
    await outbox.put(letter('one'));
    await eventually(() => expect(ended).toHaveBeenCalledOnce());
    await outbox.beforeApplicationShutdown();
    expect((await rows())[0]).toMatchObject({ outcome: null, payload: expect.any(String) as unknown });
  });

  it('leaves messages alone that nobody here can deliver', async () => {
    const deliver = vi.fn(() => Promise.resolve('done'));
    const outbox = start(storage.first, deliver);
    await outbox.put({ ...letter('one'), kind: 'of a later release' });
    await outbox.put(letter('two'));
    await eventually(async () => {
      expect((await rows()).map(({ attempts, outcome }) => [attempts, outcome])).toEqual([
        [0, null],
        [1, 'done'],
      ]);
    });
  });

  it('finishes what is under way when the process stops, and begins nothing more', async () => {
    const reached = new Latch();
    const go = new Latch();
    const deliver = vi.fn(async () => {
      reached.open();
      await go.opened;
      return 'done';
    });
    const outbox = start(storage.first, deliver);
    await outbox.put(letter('one'));
    await reached.opened;
    const stopping = outbox.beforeApplicationShutdown();
    await outbox.put(letter('two'));
    go.open();
    await stopping;
    expect((await rows()).map(({ outcome }) => outcome)).toEqual(['done', null]);
    expect(deliver).toHaveBeenCalledOnce();
  });

  it('breaks off what takes long when the process stops, if that can be; another one goes on with it at once', async () => {
    const reached = new Latch();
    const outbox = start(storage.first, ({ signal }) => {
      reached.open();
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new DeliveryError('broken off')));
      });
    });
    await outbox.put(letter('one'));
    await reached.opened;
    await outbox.beforeApplicationShutdown();
    expect((await rows())[0]).toMatchObject({ attempts: 0, lease_owner: null, outcome: null });
    start(storage.second, () => Promise.resolve('done')).onApplicationBootstrap();
    await eventually(async () => expect((await rows())[0]).toMatchObject({ outcome: 'done', attempts: 1 }));
  });

  it('gives nobody all its attention: neither a subject that hangs with much to hear, nor a whole kind', async () => {
    const go = new Latch();
    const seen: string[] = [];
    const outbox = start(storage.first, async ({ subjectId }) => {
      seen.push(subjectId!);
      if (subjectId === 'hangs') await go.opened;
      return 'done';
    });
    outbox.register('other', { deliver: () => Promise.resolve('done') });
    await storage.first.unitOfWork.run(async () => {
      for (let index = 0; index < 40; index += 1) await outbox.put(letter('hangs'));
      for (let index = 0; index < 10; index += 1) await outbox.put(letter(`hears-${index}`));
      await outbox.put({ ...letter('hangs'), kind: 'other' });
    });
    const waiting = async () => (await rows()).filter(({ outcome }) => outcome === null);
    await eventually(async () => expect(await waiting()).toHaveLength(40));
    expect((await waiting()).filter(({ attempts }) => attempts === 1)).toHaveLength(4);
    expect(seen.filter((subject) => subject === 'hangs')).toHaveLength(4);
    go.open();
    await eventually(async () => expect(await waiting()).toEqual([]));
    expect(seen).toHaveLength(50);
  });

  it('lets everything about a subject wait that is left alone, and nothing else', async () => {
    const paused = vi.fn(() => Promise.reject(new DeliveryPaused(3_600_000)));
    const messages = messagesOf(storage.first);
    for (let index = 0; index < 30; index += 1) await messages.insert(letter('away'), A_DAY_MS);
    await messages.insert({ ...letter('away'), kind: 'other' }, A_DAY_MS);
    const outbox = start(storage.first, ({ subjectId }) => (subjectId === 'away' ? paused() : Promise.resolve('done')));
    await outbox.put(letter('there'));
    await eventually(async () => {
      const waiting = await rows();
      expect(waiting.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
      expect(await messages.due('letter', 50)).toEqual([]);
      expect(waiting.every(({ lease_owner: owner }) => owner === null)).toBe(true);
    });
    expect(paused.mock.calls.length).toBeLessThanOrEqual(8);
    expect(await messages.due('other', 50)).toHaveLength(1);
    storage.clock.advance(3_600_000);
    expect((await messages.due('letter', 50)).length).toBeGreaterThanOrEqual(22);
  });

  it('sends again what was given up where it was kept, and nothing that was erased or is under way', async () => {
    const deliver = vi.fn<OutboxHandler['deliver']>().mockResolvedValue('refused');
    const outbox = start(storage.first, deliver, undefined, ['refused']);
    await outbox.put({ ...letter('one'), id: 'first' });
    const record = async () => (await outbox.list('letter', 'one', {}, { limit: 1, offset: 0 })).items[0];
    await eventually(async () => expect(await record()).toMatchObject({ outcome: 'refused' }));
    expect((await storage.database.dump()).includes(SECRET)).toBe(false);
    for (const [kind, subject, id] of [
      ['other', 'one', 'first'],
      ['letter', 'two', 'first'],
      ['letter', 'one', 'second'],
    ] as const) {
      expect(await outbox.repeat(kind, subject, id)).toBe(false);
    }
    deliver.mockResolvedValue('done');
    expect(await outbox.repeat('letter', 'one', 'first')).toBe(true);
    expect(await outbox.repeat('letter', 'one', 'first')).toBe(false);
    await eventually(async () => expect(await record()).toMatchObject({ outcome: 'done', attempts: 1 }));
    expect(deliver.mock.calls.map(([{ payload }]) => payload.reveal())).toEqual([`${SECRET} one`, `${SECRET} one`]);
    expect((await rows())[0]).toMatchObject({ payload: null, data_key: null });
    expect(await outbox.repeat('letter', 'one', 'first')).toBe(false);
  });

  it('shows what there is about a subject, the latest first, in parts and by how it stands', async () => {
    const messages = messagesOf(storage.first);
    const outbox = start(storage.first, () => Promise.resolve('done'));
    for (const id of ['a', 'b', 'c']) {
      await messages.insert({ ...letter('one'), id, kind: 'other', topic: 'news' }, A_DAY_MS);
      storage.clock.advance(1);
    }
    await messages.insert({ ...letter('two'), kind: 'other' }, A_DAY_MS);
    const ids = async (filter: { outcome?: string | null }, limit = 10, offset = 0) => {
      const { items, total } = await outbox.list('other', 'one', filter, { limit, offset });
      return [items.map(({ id }) => id).join(''), total];
    };
    expect(await ids({})).toEqual(['cba', 3]);
    expect(await ids({}, 1, 1)).toEqual(['b', 3]);
    const [due] = await messages.due('other', 1);
    await messages.take(due!, 'owner', LEASE_MS);
    const [, , taken] = (await outbox.list('other', 'one', {}, { limit: 10, offset: 0 })).items;
    expect(taken).toMatchObject({ id: 'a', topic: 'news', attempts: 1, nextAttemptAt: undefined, endedAt: undefined });
    await messages.end('a', 'owner', 'done', { keep: false });
    expect(await ids({ outcome: 'done' })).toEqual(['a', 1]);
    expect(await ids({ outcome: null })).toEqual(['cb', 2]);
  });

  it('is swept of what is done with, a day later, and of nothing that still waits', async () => {
    const messages = messagesOf(storage.first);
    const outbox = start(storage.first, () => Promise.resolve('done'));
    await outbox.put(letter('done'));
    await eventually(async () => expect((await rows())[0]).toMatchObject({ outcome: 'done' }));
    await messages.insert({ ...letter('waits'), kind: 'other' }, 3 * A_DAY_MS);
    storage.clock.advance(2 * A_DAY_MS);
    await storage.first.expiredRows.sweep();
    expect((await rows()).map((row) => row['subject_id'])).toEqual(['waits']);
  });
});
