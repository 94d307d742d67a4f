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

  @Column(instant)
  createdAt!: number;

  @Column(optionalInstant)
  expiresAt!: number | null;
}
