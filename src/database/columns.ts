import type { ColumnOptions, TableColumnOptions } from 'typeorm';

const asNumber = {
  to: (value: number | null | undefined): number | null | undefined => value,
  // PostgreSQL's driver returns bigint as a string.
  from: (value: string | number | null): number | null => (value === null ? null : Number(value)),
};

/** An instant, in milliseconds since the epoch; no time zone can be read into it. */
export const instant: ColumnOptions = { type: 'bigint', transformer: asNumber };
export const optionalInstant: ColumnOptions = { ...instant, nullable: true };

type Options = Omit<TableColumnOptions, 'name' | 'type'>;

/** The column types of migrations, the same on both databases. */
export const column = {
  key: (name: string, constraint: string): TableColumnOptions => ({
    name,
    type: 'varchar',
    isPrimary: true,
    primaryKeyConstraintName: constraint,
  }),
  string: (name: string, options: Options = {}): TableColumnOptions => ({ name, type: 'varchar', ...options }),
  text: (name: string, options: Options = {}): TableColumnOptions => ({ name, type: 'text', ...options }),
  instant: (name: string, options: Options = {}): TableColumnOptions => ({ name, type: 'bigint', ...options }),
  boolean: (name: string, options: Options = {}): TableColumnOptions => ({ name, type: 'boolean', ...options }),
  integer: (name: string, options: Options = {}): TableColumnOptions => ({ name, type: 'integer', ...options }),
};

export const nullable: Options = { isNullable: true };
