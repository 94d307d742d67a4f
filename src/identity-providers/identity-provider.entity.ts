import { Column, Entity, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../database/index.js';

@Entity('identity_providers')
export class IdentityProviderEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'identity_providers_pk' })
  id!: string;

  @Column('varchar')
  type!: string;

  @Column('varchar')
  displayName!: string;

  @Column('varchar')
  issuer!: string;

  @Column('varchar')
  clientId!: string;

  /** Ciphertext. */
  @Column('text', { nullable: true })
  clientSecret!: string | null;

  @Column('varchar')
  tokenEndpointAuthMethod!: string;

  @Column('text')
  scope!: string;

  @Column('boolean')
  offlineAccess!: boolean;

  @Column('simple-json')
  signUp!: boolean | string[];

  @Column('simple-json')
  authorizationParameters!: Record<string, string>;

  /** What only some providers need; absent in rows of the first release. */
  @Column('simple-json', { nullable: true })
  options!: object | null;

  /** Ciphertext: what signs our client assertions. */
  @Column('text', { nullable: true })
  privateKey!: string | null;

  @Column('varchar')
  version!: string;

  @Column('text', { nullable: true })
  dataKey!: string | null;

  @Column('varchar', { nullable: true })
  encryptionKeyId!: string | null;

  @Column(optionalInstant)
  disabledAt!: number | null;

  @Column(instant)
  createdAt!: number;

  @Column(instant)
  updatedAt!: number;
}
