import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant } from '../../database/index.js';

/** The `jti` of an assertion, kept for as long as the assertion could be presented again. @see RFC 7523 section 3 */
@Entity('used_assertions')
@Index('used_assertions_expires_at', ['expiresAt'])
export class UsedAssertionEntity {
  /** A digest of who issued it and its `jti`. */
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'used_assertions_pk' })
  id!: string;

  @Column(instant)
  expiresAt!: number;
}
