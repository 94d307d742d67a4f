import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../../database/index.js';

/** One refresh token. Those of one grant are its family: each is the successor of the one before. @see RFC 9700 section 4.14 */
@Entity('refresh_tokens')
@Index('refresh_tokens_grant_id', ['grantId'])
@Index('refresh_tokens_expires_at', ['expiresAt'])
@Index('refresh_tokens_answered', ['consumedAt'], { where: `"answer" IS NOT NULL` })
@Index('refresh_tokens_successor', ['successor'], { where: `"answer" IS NOT NULL` })
@Index('refresh_tokens_encryption_key_id', ['encryptionKeyId'], { where: `"encryption_key_id" IS NOT NULL` })
export class RefreshTokenEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'refresh_tokens_pk' })
  digest!: string;

  @Column('varchar')
  grantId!: string;

  @Column('varchar')
  clientId!: string;

  /** What may be asked for with it; an access token may have got less. */
  @Column('text')
  scope!: string;

  @Column(instant)
  createdAt!: number;

  /** Unless it is used before. */
  @Column(instant)
  idleExpiresAt!: number;

  /** When the whole family ends, however busy. */
  @Column(instant)
  expiresAt!: number;

  @Column(optionalInstant)
  consumedAt!: number | null;

  /** The digest of the one that replaced it. */
  @Column('varchar', { nullable: true })
  successor!: string | null;

  /** The answer it was exchanged for, ciphertext: for a client that did not receive it. */
  @Column('text', { nullable: true })
  answer!: string | null;

  @Column('text', { nullable: true })
  dataKey!: string | null;

  @Column('varchar', { nullable: true })
  encryptionKeyId!: string | null;
}
