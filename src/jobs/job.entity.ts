import { Column, Entity, PrimaryColumn } from 'typeorm';
import { optionalInstant } from '../database/index.js';

/** Work that one replica does at a time. */
@Entity('jobs')
export class JobEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'jobs_pk' })
  name!: string;

  /** When somebody may begin; nothing while it is under way, unless it was asked for again, and where it waits to be asked for. */
  @Column(optionalInstant)
  nextRunAt!: number | null;

  @Column('varchar', { nullable: true })
  leaseOwner!: string | null;

  /** When whoever does it counts as dead, unless it says before that it goes on. */
  @Column(optionalInstant)
  leaseExpiresAt!: number | null;

  @Column(optionalInstant)
  startedAt!: number | null;

  @Column(optionalInstant)
  endedAt!: number | null;

  /** How the last run ended, in a word of ours. */
  @Column('varchar', { nullable: true })
  outcome!: string | null;
}
