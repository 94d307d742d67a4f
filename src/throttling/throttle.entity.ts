import { Column, Entity, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../database/index.js';

@Entity('throttles')
export class ThrottleEntity {
  /** The digest of what is throttled: an account's name, an address. */
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'throttles_pk' })
  key!: string;

  @Column('integer')
  failures!: number;

  @Column(optionalInstant)
  blockedUntil!: number | null;

  /** When the failures are forgotten. */
  @Column(instant)
  expiresAt!: number;
}
