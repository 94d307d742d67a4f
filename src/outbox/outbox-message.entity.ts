import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../database/index.js';

/** Something that has to reach another service after the transaction that wanted it, at least once. */
@Entity('outbox_messages')
@Index('outbox_messages_next_attempt_at', ['nextAttemptAt'])
@Index('outbox_messages_subject_id', ['kind', 'subjectId'])
export class OutboxMessageEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'outbox_messages_pk' })
  id!: string;

  /** Which handler delivers it. */
  @Column('varchar')
  kind!: string;

  /** What it is about, so that its state can be shown there. */
  @Column('varchar', { nullable: true })
  subjectId!: string | null;

  /** What it says, in a word of ours. */
  @Column('varchar', { nullable: true })
  topic!: string | null;

  /** Ciphertext; erased once the message is done with, unless it may be sent again. */
  @Column('text', { nullable: true })
  payload!: string | null;

  @Column('text', { nullable: true })
  dataKey!: string | null;

  @Column('varchar', { nullable: true })
  encryptionKeyId!: string | null;

  @Column('integer')
  attempts!: number;

  /** Also the end of the lease of who delivers it now; nothing where the message is done with. */
  @Column(optionalInstant)
  nextAttemptAt!: number | null;

  @Column('varchar', { nullable: true })
  leaseOwner!: string | null;

  /** How it ended, in a word of ours; nothing while it is under way. */
  @Column('varchar', { nullable: true })
  outcome!: string | null;

  /** A word of ours. */
  @Column('varchar', { nullable: true })
  lastError!: string | null;

  @Column(instant)
  createdAt!: number;

  @Column(instant)
  expiresAt!: number;
}
