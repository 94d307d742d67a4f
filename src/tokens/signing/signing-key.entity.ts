import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../../database/index.js';

export const SIGNING_KEYS_TABLE = 'signing_keys';

/** `next` is published and will sign, `current` signs, `retired` only verifies. */
export type SigningKeyStatus = 'next' | 'current' | 'retired';

@Entity(SIGNING_KEYS_TABLE)
@Index('signing_keys_one_next', ['algorithm'], { unique: true, where: `"status" = 'next'` })
@Index('signing_keys_one_current', ['algorithm'], { unique: true, where: `"status" = 'current'` })
export class SigningKeyEntity {
  /** The JWK thumbprint. @see RFC 7638 */
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'signing_keys_pk' })
  kid!: string;

  @Column('varchar')
  algorithm!: string;

  @Column('varchar')
  status!: SigningKeyStatus;

  @Column('simple-json')
  publicJwk!: Record<string, unknown>;

  /** PKCS #8, ciphertext. */
  @Column('text')
  privateKey!: string;

  @Column('text')
  dataKey!: string;

  @Column('varchar')
  encryptionKeyId!: string;

  @Column(instant)
  createdAt!: number;

  /** Since when it signs; nothing where a release that did not write it down made it: since it was made. */
  @Column(optionalInstant)
  activatedAt!: number | null;

  @Column(optionalInstant)
  retiredAt!: number | null;
}
