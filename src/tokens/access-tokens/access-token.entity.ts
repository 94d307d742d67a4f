import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../../database/index.js';

/** What has to be known of an access token: all of an opaque one, of a JWT only that it was revoked. */
@Entity('access_tokens')
@Index('access_tokens_expires_at', ['expiresAt'])
export class AccessTokenEntity {
  /** The `jti`. */
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'access_tokens_pk' })
  id!: string;

  /** Of an opaque token. */
  @Index('access_tokens_digest_unique', { unique: true })
  @Column('varchar', { nullable: true })
  digest!: string | null;

  @Column('varchar')
  clientId!: string;

  @Column('varchar', { nullable: true })
  grantId!: string | null;

  /** What a JWT would say. */
  @Column('simple-json', { nullable: true })
  claims!: Record<string, unknown> | null;

  @Column(instant)
  expiresAt!: number;

  @Column(optionalInstant)
  revokedAt!: number | null;
}
