import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../database/index.js';

@Entity('clients')
export class ClientEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'clients_pk' })
  clientId!: string;

  @Column('varchar', { nullable: true })
  clientName!: string | null;

  @Column('varchar')
  tokenEndpointAuthMethod!: string;

  @Column('simple-json')
  grantTypes!: string[];

  @Column('simple-json')
  redirectUris!: string[];

  @Column('text')
  scope!: string;

  @Column('simple-json')
  upstreamProviders!: string[];

  @Column('boolean')
  upstreamRefreshToken!: boolean;

  @Column('varchar')
  consent!: string;

  @Column('boolean')
  requirePkce!: boolean;

  @Column('varchar')
  idTokenSignedResponseAlg!: string;

  @Column('varchar', { default: 'jwt' })
  accessTokenFormat!: string;

  @Column('varchar', { default: 'own' })
  introspection!: string;

  @Column('simple-json', { nullable: true })
  jwks!: object | null;

  @Column('text', { nullable: true })
  jwksUri!: string | null;

  @Column('varchar', { nullable: true })
  tokenEndpointAuthSigningAlg!: string | null;

  /** Seconds; those of the service where there are none. */
  @Column('integer', { nullable: true })
  accessTokenLifetime!: number | null;

  @Column('integer', { nullable: true })
  refreshTokenLifetime!: number | null;

  /** What the registration says for people and for nothing else. @see RFC 7591 section 2 */
  @Column('simple-json', { default: '{}' })
  metadata!: object;

  /** Changes with every change of the registration or its secrets: what is kept in memory is known to be the latest. */
  @Column('varchar', { default: 'initial' })
  version!: string;

  @Column(optionalInstant)
  lastUsedAt!: number | null;

  @Column(optionalInstant)
  disabledAt!: number | null;

  @Column(instant)
  createdAt!: number;

  @Column(instant)
  updatedAt!: number;
}

@Entity('client_secrets')
@Index('client_secrets_client_id', ['clientId'])
export class ClientSecretEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'client_secrets_pk' })
  id!: string;

  @Column('varchar')
  clientId!: string;

  /** `sha256:<digest>` of a random secret, or Argon2id in PHC string format of one that a human made. */
  @Column('varchar')
  verifier!: string;

  /** Ciphertext, where the client signs with it (client_secret_jwt) and a digest would not do. */
  @Column('text', { nullable: true })
  secret!: string | null;

  @Column('text', { nullable: true })
  dataKey!: string | null;

  @Column('varchar', { nullable: true })
  encryptionKeyId!: string | null;

  @Column(instant)
  createdAt!: number;

  @Column(optionalInstant)
  expiresAt!: number | null;
}
