import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant } from '../database/index.js';

@Entity('audit_events')
@Index('audit_events_at', ['at'])
@Index('audit_events_user_id', ['userId', 'at'])
export class AuditEventEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'audit_events_pk' })
  id!: string;

  @Column(instant)
  at!: number;

  @Column('varchar')
  event!: string;

  @Column('varchar')
  outcome!: string;

  @Column('varchar', { nullable: true })
  userId!: string | null;

  /** Who did it, where it was not the user; an administrator's key by its name. */
  @Column('varchar', { nullable: true })
  actor!: string | null;

  @Column('varchar', { nullable: true })
  clientId!: string | null;

  @Column('varchar', { nullable: true })
  identityProvider!: string | null;

  @Column('varchar', { nullable: true })
  reason!: string | null;

  @Column('varchar', { nullable: true })
  requestId!: string | null;

  @Column('varchar', { nullable: true })
  address!: string | null;
}
