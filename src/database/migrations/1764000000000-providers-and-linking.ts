import { Table, TableColumn, TableIndex, type MigrationInterface, type QueryRunner } from 'typeorm';
import { column, nullable } from '../columns.js';

const tables = [
  new Table({
    name: 'outbox_messages',
    columns: [
      column.key('id', 'outbox_messages_pk'),
      column.string('kind'),
      column.string('subject_id', nullable),
      column.text('payload', nullable),
      column.text('data_key', nullable),
      column.string('encryption_key_id', nullable),
      column.integer('attempts'),
      column.instant('next_attempt_at', nullable),
      column.string('lease_owner', nullable),
      column.string('outcome', nullable),
      column.string('last_error', nullable),
      column.instant('created_at'),
      column.instant('expires_at'),
    ],
    indices: [
      new TableIndex({ name: 'outbox_messages_next_attempt_at', columnNames: ['next_attempt_at'] }),
      new TableIndex({ name: 'outbox_messages_subject_id', columnNames: ['kind', 'subject_id'] }),
    ],
  }),
  new Table({
    name: 'throttles',
    columns: [
      column.key('key', 'throttles_pk'),
      column.integer('failures'),
      column.instant('blocked_until', nullable),
      column.instant('expires_at'),
    ],
  }),
  new Table({
    name: 'upstream_circuits',
    columns: [
      column.key('identity_provider', 'upstream_circuits_pk'),
      column.integer('failures'),
      column.instant('retry_at'),
      column.instant('updated_at'),
    ],
  }),
  new Table({
    name: 'user_tokens',
    columns: [
      column.key('id', 'user_tokens_pk'),
      column.string('user_id'),
      column.string('name', nullable),
      column.string('digest'),
      column.string('client_id', nullable),
      column.string('grant_id', nullable),
      column.text('scope', nullable),
      column.text('metadata'),
      column.instant('revoked_at', nullable),
      column.instant('created_at'),
      column.instant('expires_at', nullable),
    ],
    indices: [
      new TableIndex({ name: 'user_tokens_digest_unique', columnNames: ['digest'], isUnique: true }),
      new TableIndex({ name: 'user_tokens_name_unique', columnNames: ['user_id', 'name'], isUnique: true }),
    ],
  }),
  new Table({
    name: 'posted_parameters',
    columns: [
      column.key('digest', 'posted_parameters_pk'),
      column.string('purpose'),
      column.text('parameters'),
      column.text('data_key'),
      column.string('encryption_key_id'),
      column.instant('expires_at'),
    ],
  }),
];

const columns: Record<string, TableColumn[]> = {
  identity_providers: [column.text('options', nullable), column.text('private_key', nullable)].map(toColumn),
  linked_accounts: [
    column.instant('default_since', nullable),
    column.instant('linked_at', nullable),
    column.string('linked_session_id', nullable),
    column.integer('failures', { default: 0 }),
    column.instant('retry_at', nullable),
  ].map(toColumn),
  users: [column.string('email_verified_by', nullable)].map(toColumn),
  sessions: [column.string('linked_account_id', nullable)].map(toColumn),
  audit_events: [column.string('actor', nullable)].map(toColumn),
};

const auditOfUser = new TableIndex({ name: 'audit_events_user_id', columnNames: ['user_id', 'at'] });

/** Providers of every kind, several accounts of a user at one, unlinking, throttles, and tokens that users make. */
export class ProvidersAndLinking1764000000000 implements MigrationInterface {
  readonly name = 'ProvidersAndLinking1764000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of tables) await queryRunner.createTable(table);
    for (const [table, added] of Object.entries(columns)) await queryRunner.addColumns(table, added);
    await queryRunner.createIndex('audit_events', auditOfUser);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropIndex('audit_events', auditOfUser);
    for (const [table, added] of Object.entries(columns)) await queryRunner.dropColumns(table, added);
    for (const table of tables.toReversed()) await queryRunner.dropTable(table.name);
  }
}

function toColumn(options: ConstructorParameters<typeof TableColumn>[0]): TableColumn {
  return new TableColumn(options);
}
