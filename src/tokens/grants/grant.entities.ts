import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../../database/index.js';

/** What a user allowed a client, once: the root of everything issued from it, and what revocation cuts. */
@Entity('grants')
@Index('grants_user_id', ['userId'])
@Index('grants_client_id', ['clientId'])
export class GrantEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'grants_pk' })
  id!: string;

  @Column('varchar')
  userId!: string;

  @Column('varchar')
  clientId!: string;

  @Column('text')
  scope!: string;

  @Column('varchar', { nullable: true })
  sessionId!: string | null;

  @Column(instant)
  authTime!: number;

  /** The user's claims as they were when the user consented; the engine need not ask who knows them. */
  @Column('simple-json')
  claims!: object;

  @Column(instant)
  createdAt!: number;

  @Column(optionalInstant)
  revokedAt!: number | null;

  @Column('varchar', { nullable: true })
  revokedReason!: string | null;
}

@Entity('authorization_codes')
@Index('authorization_codes_grant_id', ['grantId'])
export class AuthorizationCodeEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'authorization_codes_pk' })
  digest!: string;

  @Column('varchar')
  grantId!: string;

  @Column('varchar')
  clientId!: string;

  @Column('text')
  redirectUri!: string;

  @Column('varchar', { nullable: true })
  codeChallenge!: string | null;

  @Column('text', { nullable: true })
  nonce!: string | null;

  @Column(instant)
  createdAt!: number;

  @Column(instant)
  expiresAt!: number;

  @Column(optionalInstant)
  consumedAt!: number | null;
}
