import { Column, Entity, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../database/index.js';

@Entity('connect_tickets')
export class ConnectTicketEntity {
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'connect_tickets_pk' })
  digest!: string;

  @Column('varchar')
  userId!: string;

  @Column('varchar')
  identityProvider!: string;

  @Column(instant)
  expiresAt!: number;

  @Column(optionalInstant)
  consumedAt!: number | null;
}
