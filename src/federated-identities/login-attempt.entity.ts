import { Column, Entity, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../database/index.js';

@Entity('login_attempts')
export class LoginAttemptEntity {
  /** The digest of `state`. */
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'login_attempts_pk' })
  stateDigest!: string;

  @Column('varchar')
  identityProvider!: string;

  /** The digest of the cookie of the browser that started it. */
  @Column('varchar')
  browserDigest!: string;

  /** The nonce, the PKCE verifier, the scope and where the sign-in leads back to (a ticket may be in it), ciphertext. */
  @Column('text')
  secrets!: string;

  @Column('text')
  dataKey!: string;

  @Column('varchar')
  encryptionKeyId!: string;

  /** Set when the account is to be linked to this user; signing in otherwise. */
  @Column('varchar', { nullable: true })
  connectUserId!: string | null;

  @Column(instant)
  createdAt!: number;

  @Column(instant)
  expiresAt!: number;

  @Column(optionalInstant)
  consumedAt!: number | null;
}
