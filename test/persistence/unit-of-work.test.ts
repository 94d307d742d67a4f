import { setImmediate as turn } from 'node:timers/promises';
import { QueryFailedError } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppliedDeclarationEntity } from '../../src/config/applied-declaration.entity.js';
import { isUniqueViolation, UnitOfWork } from '../../src/database/index.js';
import { databases } from '../support/databases.js';
import { Latch } from './support/latch.js';
import { openStorage, type Storage } from './support/storage.js';

/** What TypeORM throws when the database answers with that code. */
const failure = (code: string) => new QueryFailedError('', [], Object.assign(new Error(code), { code }));

describe.each(databases)('the unit of work on $name', (kind) => {
  const { name: database } = kind;
  let storage: Storage;
  let unitOfWork: UnitOfWork;
  let count = 0;

  beforeAll(async () => {
    storage = await openStorage(kind);
    ({ unitOfWork } = storage.first);
  });
  afterAll(() => storage.close());

  const freshId = () => `row-${(count += 1)}`;
  const rows = () => unitOfWork.repository(AppliedDeclarationEntity);
  const insert = (id: string) =>
    rows().insert({ id, kind: 'test', name: id, digest: '', appliedAt: 0, removedAt: null });
  /** Asked from outside the service: what is really committed. */
  const committed = async (...ids: string[]): Promise<string[]> => {
    const marks = ids.map(() => '?').join(', ');
    const found = await storage.database.query(`SELECT id FROM applied_declarations WHERE id IN (${marks})`, ids);
    return found.map(({ id }) => String(id)).toSorted();
  };

  it('commits fifty transactions at once, each whole', async () => {
    const pairs = Array.from({ length: 50 }, () => [freshId(), freshId()] as const);
    await Promise.all(
      pairs.map(([one, other]) =>
        unitOfWork.run(async () => {
          await insert(one);
          await turn();
          await insert(other);
        }),
      ),
    );
    expect(await committed(...pairs.flat())).toHaveLength(100);
  });

  it('lets twenty-five of fifty fail without taking a row of the others, or leaving one of their own', async () => {
    const ids = Array.from({ length: 50 }, freshId);
    const plain = Array.from({ length: 50 }, freshId);
    const results = await Promise.allSettled(
      ids.flatMap((id, index) => [
        unitOfWork.run(async () => {
          await insert(id);
          await turn();
          if (index % 2 === 0) throw new Error('changed its mind');
        }),
        insert(plain[index] ?? ''),
      ]),
    );
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(25);
    expect(await committed(...ids)).toEqual(ids.filter((_, index) => index % 2 === 1).toSorted());
    expect(await committed(...plain)).toHaveLength(50);
  });

  it('keeps what others write while a transaction is open that is rolled back', async () => {
    const [lost, inTransaction, plain] = [freshId(), freshId(), freshId()];
    const inserted = new Latch();
    const leave = new Latch();
    const failing = unitOfWork.run(async () => {
      await insert(lost);
      inserted.open();
      await leave.opened;
      throw new Error('changed its mind');
    });
    await inserted.opened;
    const others = Promise.all([unitOfWork.run(() => insert(inTransaction)), insert(plain)]);
    // PostgreSQL commits them while the first is open; SQLite makes them wait, so there they can only have been started.
    await (database === 'postgres' ? others : turn());
    leave.open();
    await expect(failing).rejects.toThrow('changed its mind');
    await others;
    expect(await committed(lost, inTransaction, plain)).toEqual([inTransaction, plain].toSorted());
  });

  it('keeps a transaction whose neighbour is rolled back while it is open', async () => {
    const [kept, keptToo, lost] = [freshId(), freshId(), freshId()];
    const inserted = new Latch();
    const leave = new Latch();
    const keeping = unitOfWork.run(async () => {
      await insert(kept);
      inserted.open();
      await leave.opened;
      await insert(keptToo);
    });
    await inserted.opened;
    const failing = unitOfWork.run(async () => {
      await insert(lost);
      throw new Error('changed its mind');
    });
    const failed = expect(failing).rejects.toThrow('changed its mind');
    await (database === 'postgres' ? failed : turn());
    leave.open();
    await Promise.all([keeping, failed]);
    expect(await committed(kept, keptToo, lost)).toEqual([kept, keptToo].toSorted());
  });

  it('joins the transaction that is open', async () => {
    const ids = [freshId(), freshId()];
    const [outer = '', inner = ''] = ids;
    const nested = unitOfWork.run(async () => {
      await insert(outer);
      await unitOfWork.run(() => insert(inner));
      expect(await rows().countBy({ kind: 'test', id: inner })).toBe(1);
      throw new Error('changed its mind');
    });
    await expect(nested).rejects.toThrow('changed its mind');
    expect(await committed(...ids)).toEqual([]);
    await unitOfWork.run(async () => {
      await insert(outer);
      await unitOfWork.run(() => insert(inner));
    });
    expect(await committed(...ids)).toEqual(ids.toSorted());
  });

  it('refuses work that outlives its transaction', async () => {
    const id = freshId();
    const ended = new Latch();
    let late: Promise<unknown> = Promise.resolve();
    await unitOfWork.run(async () => {
      late = ended.opened.then(() => insert(id));
      await turn();
    });
    const refused = expect(late).rejects.toThrow('work outlived its transaction');
    ended.open();
    await refused;
    expect(await committed(id)).toEqual([]);
  });

  it.runIf(database === 'sqlite')('refuses a statement that bypasses the open transaction, and goes on', async () => {
    const [inside, bypassing, afterwards] = [freshId(), freshId(), freshId()];
    const { manager } = storage.first.dataSource;
    const row = { id: bypassing, kind: 'test', name: '', digest: '', appliedAt: 0, removedAt: null };
    const attempts = [
      () => manager.getRepository(AppliedDeclarationEntity).insert(row),
      () => manager.query('SELECT 1'),
      () => manager.transaction((own) => own.getRepository(AppliedDeclarationEntity).insert(row)),
    ];
    await unitOfWork.run(async () => {
      await insert(inside);
      for (const attempt of attempts) await expect(attempt()).rejects.toThrow('bypasses the open transaction');
    });
    await insert(afterwards);
    expect(await committed(inside, bypassing, afterwards)).toEqual([inside, afterwards].toSorted());
  });

  it('lets work outside() live on when the transaction around it is rolled back', async () => {
    const [lost, kept] = [freshId(), freshId()];
    let outside: Promise<unknown> = Promise.resolve();
    const failing = unitOfWork.run(async () => {
      await insert(lost);
      outside = unitOfWork.outside(() => insert(kept));
      throw new Error('changed its mind');
    });
    await expect(failing).rejects.toThrow('changed its mind');
    await outside;
    expect(await committed(lost, kept)).toEqual([kept]);
  });

  it('leaves a transaction usable after an insert that found its row, and says so for a plain one', async () => {
    const [taken, next] = [freshId(), freshId()];
    const row = { id: taken, kind: 'test', name: '', digest: '', appliedAt: 0, removedAt: null };
    await unitOfWork.run(async () => {
      expect(await unitOfWork.insertOnce(AppliedDeclarationEntity, row)).toBe(true);
      expect(await unitOfWork.insertOnce(AppliedDeclarationEntity, row)).toBe(false);
      await insert(next);
    });
    expect(await committed(taken, next)).toEqual([taken, next].toSorted());
    const error: unknown = await insert(taken).catch((reason: unknown) => reason);
    expect(isUniqueViolation(error)).toBe(true);
  });

  it('gives up after three deadlocks and repeats no other failure', async () => {
    for (const [code, expected] of [
      ['40P01', 3],
      ['40001', 3],
      ['23505', 1],
    ] as const) {
      let attempts = 0;
      const id = freshId();
      const failing = unitOfWork.run(async () => {
        attempts += 1;
        await insert(id);
        throw failure(code);
      });
      await expect(failing).rejects.toThrow(code);
      expect([code, attempts]).toEqual([code, expected]);
      expect(await committed(id)).toEqual([]);
    }
  });

  it.runIf(database === 'postgres')('repeats the transaction that a deadlock ended', async () => {
    const [one, other] = [freshId(), freshId()];
    await insert(one);
    await insert(other);
    const touch = (id: string, digest: string) => rows().update({ id }, { digest });
    const hasOne = new Latch();
    const hasOther = new Latch();
    let attempts = 0;
    const cross = (from: string, to: string, mine: Latch, theirs: Latch, word: string) =>
      unitOfWork.run(async () => {
        attempts += 1;
        await touch(from, word);
        mine.open();
        await theirs.opened;
        await touch(to, word);
      });
    await Promise.all([cross(one, other, hasOne, hasOther, 'up'), cross(other, one, hasOther, hasOne, 'down')]);
    expect(attempts).toBe(3);
    const digests = await rows().find({ where: [{ id: one }, { id: other }] });
    expect(new Set(digests.map(({ digest }) => digest)).size).toBe(1);
  });

  it.runIf(database === 'postgres')('survives a session that the server ends within a transaction', async () => {
    const [lost, afterwards] = [freshId(), freshId()];
    const failing = unitOfWork.run(async () => {
      await insert(lost);
      const [backend] = await unitOfWork.manager.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid');
      await storage.database.query('SELECT pg_terminate_backend(?)', [backend?.pid]);
      await insert(freshId());
    });
    await expect(failing).rejects.toThrow();
    await unitOfWork.run(() => insert(afterwards));
    expect(await committed(lost, afterwards)).toEqual([afterwards]);
  });
});
