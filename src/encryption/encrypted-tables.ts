import { IsNull, Not, type EntityTarget, type ObjectLiteral } from 'typeorm';
import type { UnitOfWork } from '../database/index.js';
import type { Envelopes, WrappedDataKey } from './envelopes.js';

type EncryptedRow = ObjectLiteral & { [Column in keyof WrappedDataKey]: string | null };
type EncryptedEntity = EntityTarget<EncryptedRow>;

/**
 * The registry of tables whose rows carry a wrapped data key: what re-wrapping walks and the start checks. A row's
 * envelope is bound to its table and its primary key.
 */
export class EncryptedTables {
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
   * such rows cannot be read. One row for each key is tried.
   */
  async unusableKeys(): Promise<string[]> {
    const unusable = new Set<string>();
    for (const table of this.#tables) {
      for (const id of await this.#keysOf(table)) if (!(await this.#opens(table, id))) unusable.add(id);
    }
    return [...unusable];
  }

  async #keysOf(table: EncryptedEntity): Promise<string[]> {
    const rows = await this.unitOfWork
      .repository(table)
      .createQueryBuilder('row')
      .select('row.encryptionKeyId', 'id')
      .distinct(true)
      .where('row.encryptionKeyId IS NOT NULL')
      .getRawMany<{ id: string }>();
    return rows.map(({ id }) => id);
  }

  async #opens(table: EncryptedEntity, encryptionKeyId: string): Promise<boolean> {
    const repository = this.unitOfWork.repository(table);
    const { tableName, primaryColumns } = repository.metadata;
    const row = await repository.findOneBy({ encryptionKeyId, dataKey: Not(IsNull()) });
    const id: unknown = row && primaryColumns[0]?.getEntityValue(row);
    if (!row?.dataKey || typeof id !== 'string') return true;
    try {
      this.envelopes.open({ table: tableName, id }, { dataKey: row.dataKey, encryptionKeyId });
      return true;
    } catch {
      return false;
    }
  }
}
