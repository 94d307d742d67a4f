import { Column, Entity, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../database/index.js';

/** A receiver of events. */
@Entity('webhooks')
export class WebhookEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'webhooks_pk' })
  id!: string;

  @Column('text')
  url!: string;

  @Column('varchar', { nullable: true })
  description!: string | null;

  /** The types that it wants; all, where there is nothing. */
  @Column('simple-json', { nullable: true })
  events!: string[] | null;

  /** Ciphertext, as is the previous one: what deliveries are signed with. */
  @Column('text')
  secret!: string;

  /** Signs too until it expires, so that the receiver can change over. */
  @Column('text', { nullable: true })
  previousSecret!: string | null;

  @Column(optionalInstant)
  previousSecretExpiresAt!: number | null;

  @Column('text')
  dataKey!: string;

  @Column('varchar')
  encryptionKeyId!: string;

  @Column(optionalInstant)
  disabledAt!: number | null;

  @Column(instant)
  createdAt!: number;

  @Column(instant)
  updatedAt!: number;
}
