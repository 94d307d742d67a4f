import type { EntityTarget, ObjectLiteral } from 'typeorm';
import type { UnitOfWork } from '../database/index.js';
import type { Envelopes, WrappedDataKey } from './envelopes.js';

type EncryptedEntity = EntityTarget<ObjectLiteral & Partial<WrappedDataKey>>;

/** The registry of tables whose rows carry a wrapped data key: what re-wrapping walks and the start checks. */
export class EncryptedTables {
  readonly #tables = new Set<EncryptedEntity>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly envelopes: Envelopes,
  ) {}

  register(entity: EncryptedEntity): void {
    this.#tables.add(entity);
  }

  /** The ids of keys that rows are wrapped with and that are not configured; such rows cannot be read. */
  async missingKeys(): Promise<string[]> {
    const missing = new Set<string>();
    for (const table of this.#tables) {
      const rows = await this.unitOfWork
        .repository(table)
        .createQueryBuilder('row')
        .select('row.encryptionKeyId', 'id')
        .distinct(true)
        .where('row.encryptionKeyId IS NOT NULL')
        .getRawMany<{ id: string }>();
      for (const { id } of rows) if (!this.envelopes.has(id)) missing.add(id);
    }
    return [...missing];
  }
}
