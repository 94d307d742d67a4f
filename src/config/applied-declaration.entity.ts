import { Column, Entity, PrimaryColumn } from 'typeorm';
import { instant, optionalInstant } from '../database/index.js';

@Entity('applied_declarations')
export class AppliedDeclarationEntity {
  /** `<kind>:<name>`. */
  @PrimaryColumn('varchar', { primaryKeyConstraintName: 'applied_declarations_pk' })
  id!: string;

  @Column('varchar')
  kind!: string;

  @Column('varchar')
  name!: string;

  @Column('varchar')
  digest!: string;

  @Column(instant)
  appliedAt!: number;

  @Column(optionalInstant)
  removedAt!: number | null;
}
