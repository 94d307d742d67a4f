import { Column, Entity, PrimaryColumn } from 'typeorm';
import { instant } from '../database/index.js';

/** What another site posted here, kept until the browser comes back for it with its cookie. */
@Entity('posted_parameters')
export class PostedParametersEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'posted_parameters_pk' })
  digest!: string;

  @Column('varchar')
  purpose!: string;

  /** Ciphertext: a code may be among them. */
  @Column('text')
  parameters!: string;

  @Column('text')
  dataKey!: string;

  @Column('varchar')
  encryptionKeyId!: string;

  @Column(instant)
  expiresAt!: number;
}
