import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../database/index.js';

@Entity('sessions')
export class SessionEntity {
  /** The public `sid`; knowing it opens nothing. */
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'sessions_pk' })
  id!: string;

  @Index('sessions_cookie_digest_unique', { unique: true })
  @Column('varchar')
  cookieDigest!: string;

  @Column('varchar')
  userId!: string;

  @Column('varchar', { nullable: true })
  identityProvider!: string | null;

  /** The linked account with which the user signed in. */
  @Column('varchar', { nullable: true })
  linkedAccountId!: string | null;

  @Column(instant)
  authTime!: number;

  @Column('boolean')
  authTimeProven!: boolean;

  @Column(instant)
  createdAt!: number;

  @Column(instant)
  expiresAt!: number;

  @Column(optionalInstant)
  endedAt!: number | null;
}
