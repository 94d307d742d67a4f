import { Table, TableColumn, TableIndex, type MigrationInterface, type QueryRunner } from 'typeorm';
import { column, nullable } from '../columns.js';

const tables = [
  new Table({
    name: 'jobs',
    columns: [
      column.key('name', 'jobs_pk'),
      column.instant('next_run_at', nullable),
      column.string('lease_owner', nullable),
      column.instant('lease_expires_at', nullable),
      column.instant('started_at', nullable),
      column.instant('ended_at', nullable),
      column.string('outcome', nullable),
    ],
  }),
  new Table({
    name: 'webhooks',
    columns: [
      column.key('id', 'webhooks_pk'),
      column.text('url'),
      column.string('description', nullable),
      column.text('events', nullable),
      column.text('secret'),
      column.text('previous_secret', nullable),
      column.instant('previous_secret_expires_at', nullable),
      column.text('data_key'),
      column.string('encryption_key_id'),
      column.instant('disabled_at', nullable),
      column.instant('created_at'),
      column.instant('updated_at'),
    ],
  }),
];

const columns: Record<string, TableColumn[]> = {
  linked_accounts: [
    column.instant('refresh_token_expires_at', nullable),
    column.instant('refresh_token_used_at', nullable),
    column.instant('authorized_at', nullable),
    column.instant('read_at', nullable),
  ].map((options) => new TableColumn(options)),
  outbox_messages: [new TableColumn(column.string('topic', nullable))],
};

const accountsOfProvider = new TableIndex({
  name: 'linked_accounts_provider_status',
  columnNames: ['identity_provider', 'status'],
  where: '"unlinked_at" IS NULL',
});

/** What happens to accounts is told to webhooks; work that one replica does at a time; how long accounts are kept. */
export class EventsAndJobs1764100000000 implements MigrationInterface {
  readonly name = 'EventsAndJobs1764100000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of tables) await queryRunner.createTable(table);
    for (const [table, added] of Object.entries(columns)) await queryRunner.addColumns(table, added);
    await queryRunner.createIndex('linked_accounts', accountsOfProvider);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropIndex('linked_accounts', accountsOfProvider);
    for (const [table, added] of Object.entries(columns)) await queryRunner.dropColumns(table, added);
    for (const table of tables.toReversed()) await queryRunner.dropTable(table.name);
  }
}
