import { Logger } from '@nestjs/common';
import { IsNull, MoreThan, Not, type EntityTarget, type FindOptionsWhere } from 'typeorm';
import type { UnitOfWork } from '../database/index.js';
import { DecryptionError, type Envelopes, type WrappedDataKey } from './envelopes.js';

type EncryptedRow = { [Column in keyof WrappedDataKey]: string | null };
type EncryptedEntity = EntityTarget<EncryptedRow>;

/** So many rows are read at once when they are wrapped anew. */
const BATCH = 200;
/** So many rows of a table say whether the value of a key is right; one of them may have been tampered with. */
const SAMPLES = 10;
/** And fewer unreadable rows than this are taken for damaged ones, where nothing is written with the key any more. */
const CONVINCING = 3;

/** A row's data key and where it stands. */
interface WrappedRow extends WrappedDataKey {
  id: string;
}

/** How many rows of which tables each key wraps, by its id. */
export type RowsByKey = ReadonlyMap<string, Readonly<Record<string, number>>>;

export interface Rewrapped {
  rewrapped: number;
  /** Rows that stay as they were: their key is not configured, or they were tampered with. */
  unreadable: number;
}

/**
 * The registry of tables whose rows carry a wrapped data key: what re-wrapping walks and the start checks. A row's
 * envelope is bound to its table and its primary key.
 */
export class EncryptedTables {
  readonly #logger = new Logger('EncryptedTables');
  readonly #tables = new Set<EncryptedEntity>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly envelopes: Envelopes,
  ) {}

  register(entity: EncryptedEntity): void {
    this.#tables.add(entity);
  }

  /**
   * The ids of keys that rows are wrapped with and that are not configured, or are configured with another value;
   * such rows cannot be read. Some rows for each key are tried.
   */
  async unusableKeys(): Promise<string[]> {
    const unusable: string[] = [];
    for (const id of (await this.rowsByKey()).keys()) if (!(await this.#isUsable(id))) unusable.push(id);
    return unusable;
  }

  async rowsByKey(): Promise<RowsByKey> {
    const byKey = new Map<string, Record<string, number>>();
    for (const table of this.#tables) {
      const repository = this.unitOfWork.repository(table);
      const counts = await repository
        .createQueryBuilder('row')
        .select('row.encryptionKeyId', 'id')
        .addSelect('count(*)', 'rows')
        .where('row.encryptionKeyId IS NOT NULL')
        .groupBy('row.encryptionKeyId')
        .getRawMany<{ id: string; rows: number | string }>();
      for (const { id, rows } of counts) {
        byKey.set(id, { ...byKey.get(id), [repository.metadata.tableName]: Number(rows) });
      }
    }
    return byKey;
  }

  /**
   * Wraps the data keys of all rows with the current key, while others read and write them. A row changes only if its
   * data key is still the one that was read, and nothing else of it changes: whoever wrote it meanwhile has used the
   * current key, and whoever writes it next finds the generation, the lease and the ciphertexts that they know. One row
   * at a time, so that nobody waits for more than one. Ends early, without harm, once `signal` is aborted.
   */
  async rewrap(signal: AbortSignal): Promise<Rewrapped> {
    const done: Rewrapped = { rewrapped: 0, unreadable: 0 };
    for (const table of this.#tables) {
      let after = '';
      for (;;) {
        const rows = await this.#wrappedByOthers(table, after);
        for (const row of rows) {
          if (signal.aborted) return done;
          after = row.id;
          const outcome = await this.#rewrapOne(table, row);
          if (outcome !== 'changed') done[outcome] += 1;
        }
        if (rows.length < BATCH) break;
      }
    }
    return done;
  }

  async #rewrapOne(table: EncryptedEntity, { id, ...wrapped }: WrappedRow): Promise<keyof Rewrapped | 'changed'> {
    const repository = this.unitOfWork.repository(table);
    const { tableName } = repository.metadata;
    let anew: WrappedDataKey;
    try {
      anew = this.envelopes.rewrap({ table: tableName, id }, wrapped);
    } catch (error) {
      if (!(error instanceof DecryptionError)) throw error;
      this.#logger.error({ id, detail: error.privateDetail }, 'the data key of a row cannot be wrapped anew');
      return 'unreadable';
    }
    const { affected } = await repository.update({ [this.#keyOf(table)]: id, ...wrapped }, anew);
    return affected === 1 ? 'rewrapped' : 'changed';
  }

  #wrappedByOthers(table: EncryptedEntity, after: string): Promise<WrappedRow[]> {
    const wrappedByOther = { encryptionKeyId: Not(this.envelopes.currentKeyId), [this.#keyOf(table)]: MoreThan(after) };
    return this.#wrapped(table, wrappedByOther, BATCH);
  }

  async #isUsable(encryptionKeyId: string): Promise<boolean> {
    let tried = 0;
    for (const table of this.#tables) {
      const { tableName } = this.unitOfWork.repository(table).metadata;
      for (const { id, ...wrapped } of await this.#wrapped(table, { encryptionKeyId }, SAMPLES)) {
        if (this.#opens({ table: tableName, id }, wrapped)) return true;
        tried += 1;
      }
    }
    const { currentKeyId, keyIds } = this.envelopes;
    const damaged = tried < CONVINCING && encryptionKeyId !== currentKeyId && keyIds.includes(encryptionKeyId);
    if (tried > 0 && damaged) this.#logger.error({ encryptionKeyId, rows: tried }, 'rows cannot be decrypted');
    return tried === 0 || damaged;
  }

  #opens(...row: Parameters<Envelopes['open']>): boolean {
    try {
      this.envelopes.open(...row);
      return true;
    } catch {
      return false;
    }
  }

  /** In the order of their primary keys. */
  async #wrapped(table: EncryptedEntity, where: FindOptionsWhere<EncryptedRow>, take: number): Promise<WrappedRow[]> {
    const key = this.#keyOf(table);
    const rows = await this.unitOfWork.repository(table).find({
      select: { [key]: true, dataKey: true, encryptionKeyId: true },
      where: { ...where, dataKey: Not(IsNull()) },
      order: { [key]: 'ASC' },
      take,
    });
    return rows.map((row) => ({
      id: (row as EncryptedRow & Record<string, string>)[key]!,
      dataKey: row.dataKey!,
      encryptionKeyId: row.encryptionKeyId!,
    }));
  }

  #keyOf(table: EncryptedEntity): string {
    return this.unitOfWork.repository(table).metadata.primaryColumns[0]!.propertyName;
  }
}
