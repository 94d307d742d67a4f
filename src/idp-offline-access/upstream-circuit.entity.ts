import { Column, Entity, PrimaryColumn } from 'typeorm';
import { instant } from '../database/index.js';

/** A provider that failed lately, and when it may be asked again; a row exists only while it fails. */
@Entity('upstream_circuits')
export class UpstreamCircuitEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'upstream_circuits_pk' })
  identityProvider!: string;

  /** In a row. */
  @Column('integer')
  failures!: number;

  @Column(instant)
  retryAt!: number;

  @Column(instant)
  updatedAt!: number;
}
