import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../database/index.js';

/**
 * One account of a user at a provider. The row is the only home of the upstream refresh token; `generation` moves
 * with every change of the credentials, so that a writer who saw an older state cannot overwrite a newer one.
 */
@Entity('linked_accounts')
@Index('linked_accounts_subject_unique', ['identityProvider', 'subject'], {
  unique: true,
  where: `"unlinked_at" IS NULL`,
})
@Index('linked_accounts_user_id', ['userId', 'identityProvider'])
@Index('linked_accounts_provider_status', ['identityProvider', 'status'], { where: `"unlinked_at" IS NULL` })
export class LinkedAccountEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'linked_accounts_pk' })
  id!: string;

  @Column('varchar')
  userId!: string;

  @Column('varchar')
  identityProvider!: string;

  /** The upstream `iss`, where the account was linked by signing in. */
  @Column('varchar', { nullable: true })
  issuer!: string | null;

  /** The upstream `sub`. */
  @Column('varchar')
  subject!: string;

  /** Our client_id at the provider when the tokens were obtained. */
  @Column('varchar', { nullable: true })
  upstreamClientId!: string | null;

  @Column('simple-json')
  claims!: object;

  /** `sign-in-only` (known subject, no tokens), `active` or `reauthentication-required`. */
  @Column('varchar')
  status!: string;

  @Column('varchar', { nullable: true })
  reason!: string | null;

  @Column('integer')
  generation!: number;

  @Column('varchar', { nullable: true })
  leaseOwner!: string | null;

  @Column(optionalInstant)
  leaseExpiresAt!: number | null;

  /** Set before a refresh token is sent to the provider, cleared when its answer is stored. */
  @Column(optionalInstant)
  refreshIntentAt!: number | null;

  @Column('varchar', { nullable: true })
  tokenType!: string | null;

  /** The scopes granted by the provider, space-separated. */
  @Column('text', { nullable: true })
  scope!: string | null;

  /** Ciphertext, as are the other two tokens. */
  @Column('text', { nullable: true })
  accessToken!: string | null;

  @Column('text', { nullable: true })
  refreshToken!: string | null;

  @Column('text', { nullable: true })
  idToken!: string | null;

  /** Whether the signature of the latest id_token has been verified; false for tokens that were imported, until their provider has said whose they are. */
  @Column('boolean')
  verified!: boolean;

  /** When the access token expires; never, where there is a token and no instant. */
  @Column(optionalInstant)
  expiresAt!: number | null;

  @Column(optionalInstant)
  obtainedAt!: number | null;

  @Column(optionalInstant)
  refreshedAt!: number | null;

  /** When the refresh token dies unless it is used before, where the provider says so. */
  @Column(optionalInstant)
  refreshTokenExpiresAt!: number | null;

  /** When the refresh token was obtained, or used without being replaced. */
  @Column(optionalInstant)
  refreshTokenUsedAt!: number | null;

  /** When the user, or whoever imported the tokens, last gave them. */
  @Column(optionalInstant)
  authorizedAt!: number | null;

  /** When a token was last asked for, to the hour. */
  @Column(optionalInstant)
  readAt!: number | null;

  @Column('varchar', { nullable: true })
  lastError!: string | null;

  @Column('text', { nullable: true })
  dataKey!: string | null;

  @Column('varchar', { nullable: true })
  encryptionKeyId!: string | null;

  /** Of several accounts of the user at the provider the one with the latest is the default. */
  @Column(optionalInstant)
  defaultSince!: number | null;

  /** When and in which browser session the user last connected it; null where they only ever signed in with it. */
  @Column(optionalInstant)
  linkedAt!: number | null;

  @Column('varchar', { nullable: true })
  linkedSessionId!: string | null;

  /** Refreshes that failed in a row. */
  @Column('integer', { default: 0 })
  failures!: number;

  /** Until then the provider is not asked again. */
  @Column(optionalInstant)
  retryAt!: number | null;

  @Column(instant)
  createdAt!: number;

  @Column(instant)
  updatedAt!: number;

  @Column(optionalInstant)
  unlinkedAt!: number | null;
}
