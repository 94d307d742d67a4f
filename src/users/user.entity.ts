import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../database/index.js';

@Entity('users')
export class UserEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'users_pk' })
  id!: string;

  @Index('users_username_unique', { unique: true })
  @Column('varchar', { nullable: true })
  username!: string | null;

  @Column('varchar', { nullable: true })
  fullName!: string | null;

  @Column('varchar', { nullable: true })
  email!: string | null;

  @Column('boolean')
  emailVerified!: boolean;

  /** Who says so: `admin`, or `provider:` and its id; null where nobody, or a release before this column, did. */
  @Column('varchar', { nullable: true })
  emailVerifiedBy!: string | null;

  /** Argon2id, in PHC string format. */
  @Column('varchar', { nullable: true })
  passwordHash!: string | null;

  @Column('boolean')
  basicAuthEnabled!: boolean;

  @Column(optionalInstant)
  blockedAt!: number | null;

  @Column(instant)
  createdAt!: number;

  @Column(instant)
  updatedAt!: number;
}
