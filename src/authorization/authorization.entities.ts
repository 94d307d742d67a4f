import { Column, Entity, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../database/index.js';

@Entity('authorization_requests')
export class AuthorizationRequestEntity {
  /** The digest of the handle that stands in our own URLs. */
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'authorization_requests_pk' })
  digest!: string;

  /** The digest of the cookie of the browser that brought it. */
  @Column('varchar')
  browserDigest!: string;

  /** The validated parameters, ciphertext: the client's `state` and `nonce` are among them. */
  @Column('text')
  parameters!: string;

  @Column('text')
  dataKey!: string;

  @Column('varchar')
  encryptionKeyId!: string;

  @Column(instant)
  createdAt!: number;

  @Column(instant)
  expiresAt!: number;

  @Column(optionalInstant)
  consumedAt!: number | null;
}

@Entity('consents')
export class ConsentEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'consents_pk' })
  userId!: string;

  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'consents_pk' })
  clientId!: string;

  @Column('text')
  scope!: string;

  @Column(instant)
  grantedAt!: number;
}
