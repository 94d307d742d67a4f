import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../../database/index.js';

/** A token that a user made for themselves: named and lasting, or nameless and temporary. */
@Entity('user_tokens')
@Index('user_tokens_name_unique', ['userId', 'name'], { unique: true })
@Index('user_tokens_grant_id', ['grantId'])
export class UserTokenEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'user_tokens_pk' })
  id!: string;

  @Column('varchar')
  userId!: string;

  @Column('varchar', { nullable: true })
  name!: string | null;

  @Index('user_tokens_digest_unique', { unique: true })
  @Column('varchar')
  digest!: string;

  /** The client through which it was made, which it is as limited as; nothing where the user's own credentials made it. */
  @Column('varchar', { nullable: true })
  clientId!: string | null;

  /** What the user allowed that client: with it ends the token. */
  @Column('varchar', { nullable: true })
  grantId!: string | null;

  /** What that client could do; nothing where the user's own credentials made it. */
  @Column('text', { nullable: true })
  scope!: string | null;

  @Column('simple-json')
  metadata!: object;

  @Column(optionalInstant)
  revokedAt!: number | null;

  @Column(instant)
  createdAt!: number;

  @Column(optionalInstant)
  expiresAt!: number | null;
}
