import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../../database/index.js';

/** A further key to the admin API, beside the static one. */
@Entity('api_keys')
export class ApiKeyEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'api_keys_pk' })
  id!: string;

  @Index('api_keys_name_unique', { unique: true })
  @Column('varchar')
  name!: string;

  @Index('api_keys_digest_unique', { unique: true })
  @Column('varchar')
  digest!: string;

  @Column('text')
  scope!: string;

  @Column(instant)
  createdAt!: number;

  @Column(optionalInstant)
  expiresAt!: number | null;

  @Column(optionalInstant)
  lastUsedAt!: number | null;
}
