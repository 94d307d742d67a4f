import Libsql from 'libsql';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataSource } from '../../ormconfig.js';
import { AppliedDeclarationEntity } from '../../src/config/applied-declaration.entity.js';
import { migrate, UnitOfWork } from '../../src/database/index.js';
import { serializeSqlite } from '../../src/database/sqlite-serial.js';
import { databases, type DatabaseUnderTest } from '../support/databases.js';
import { Latch } from './support/latch.js';

const QUEUE_TIMEOUT_MS = 50;

const row = (id: string) => ({ id, kind: 'test', name: id, digest: '', appliedAt: 0, removedAt: null });

/** The queue is what SQLite's one connection needs; PostgreSQL has none. */
describe.each(databases.filter(({ name }) => name === 'sqlite'))('the queue of $name', ({ create }) => {
  let database: DatabaseUnderTest;
  let dataSource: DataSource;
  let unitOfWork: UnitOfWork;

  beforeAll(async () => {
    database = await create();
    dataSource = await serializeSqlite(openDataSource(database.url), QUEUE_TIMEOUT_MS).initialize();
    await migrate(dataSource);
    unitOfWork = new UnitOfWork(dataSource);
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.cleanup();
  });

  const rows = () => unitOfWork.repository(AppliedDeclarationEntity);
  const insert = (id: string) => rows().insert(row(id));

  it('turns callers away when a transaction is stuck, and serves the next once it is not', async () => {
    const inserted = new Latch();
    const leave = new Latch();
    const stuck = unitOfWork.run(async () => {
      await insert('stuck');
      inserted.open();
      await leave.opened;
    });
    await inserted.opened;
    const late = [insert('late'), unitOfWork.run(() => insert('late, too'))];
    for (const caller of await Promise.allSettled(late)) {
      expect(caller).toMatchObject({ status: 'rejected', reason: { code: 'server.unavailable' } });
    }
    const next = insert('next');
    leave.open();
    await Promise.all([stuck, next]);
    expect((await rows().find({ order: { id: 'ASC' } })).map(({ id }) => id)).toEqual(['next', 'stuck']);
  });

  it('goes on after a transaction that SQLite itself rolled back, as it does when the disk is full', async () => {
    const failing = unitOfWork.run(async () => {
      await insert('lost');
      await unitOfWork.manager.query('ROLLBACK');
      throw new Error('database or disk is full');
    });
    await expect(failing).rejects.toThrow('database or disk is full');
    await insert('after the full disk');
    await unitOfWork.run(() => insert('after the full disk, too'));
    expect(await rows().existsBy({ id: 'lost' })).toBe(false);
  });

  it('keeps other processes from writing between what a transaction reads and what it writes', async () => {
    const other = new Libsql(database.url.slice('sqlite:'.length), { timeout: 0 });
    const write = () => other.exec(`INSERT INTO consents VALUES ('user', 'client', 'openid', 1)`);
    await unitOfWork.run(async () => {
      const before = await rows().count();
      expect(write).toThrow('database is locked');
      await insert(`counted ${before}`);
    });
    write();
    other.close();
  });

  it.each([
    ['a plain write', (id: string) => insert(id)],
    ['a write that returns', (id: string) => unitOfWork.insertOnce(AppliedDeclarationEntity, row(id))],
    ['a transaction', (id: string) => unitOfWork.run(() => insert(id))],
  ])('commits what it acknowledges after another process kept %s from the file', async (what, write) => {
    const other = new Libsql(database.url.slice('sqlite:'.length), { timeout: 0 });
    await dataSource.query('PRAGMA busy_timeout = 1');
    other.exec('BEGIN IMMEDIATE');
    await expect(write(`${what}, refused`)).rejects.toMatchObject({ code: 'server.unavailable' });
    other.exec('COMMIT');
    for (const next of ['plain', 'another']) await insert(`${what}, ${next}`);
    await unitOfWork.run(() => insert(`${what}, in a transaction`));
    // The other process sees them: they are in the file, not only in this connection.
    const seen = other.prepare('SELECT id FROM applied_declarations WHERE id LIKE ?').all(`${what}, %`);
    expect(seen).toHaveLength(3);
    other.exec('BEGIN IMMEDIATE; COMMIT');
    other.close();
  });

  it('keeps what it acknowledged through a power failure: the log is synced at every commit', async () => {
    expect(await dataSource.query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(await dataSource.query('PRAGMA synchronous')).toEqual([{ synchronous: 2 }]);
  });
});
