import { Table, TableColumn, TableIndex, type MigrationInterface, type QueryRunner } from 'typeorm';
import { column, nullable } from '../columns.js';

const tables = [
  new Table({
    name: 'refresh_tokens',
    columns: [
      column.key('digest', 'refresh_tokens_pk'),
      column.string('grant_id'),
      column.string('client_id'),
      column.text('scope'),
      column.instant('created_at'),
      column.instant('idle_expires_at'),
      column.instant('expires_at'),
      column.instant('consumed_at', nullable),
      column.string('successor', nullable),
      column.text('answer', nullable),
      column.text('data_key', nullable),
      column.string('encryption_key_id', nullable),
    ],
    indices: [
      new TableIndex({ name: 'refresh_tokens_grant_id', columnNames: ['grant_id'] }),
      new TableIndex({ name: 'refresh_tokens_expires_at', columnNames: ['expires_at'] }),
      new TableIndex({
        name: 'refresh_tokens_answered',
        columnNames: ['consumed_at'],
        where: `"answer" IS NOT NULL`,
      }),
      new TableIndex({
        name: 'refresh_tokens_successor',
        columnNames: ['successor'],
        where: `"answer" IS NOT NULL`,
      }),
      new TableIndex({
        name: 'refresh_tokens_encryption_key_id',
        columnNames: ['encryption_key_id'],
        where: `"encryption_key_id" IS NOT NULL`,
      }),
    ],
  }),
  new Table({
    name: 'access_tokens',
    columns: [
      column.key('id', 'access_tokens_pk'),
      column.string('digest', nullable),
      column.string('client_id'),
      column.string('grant_id', nullable),
      column.text('claims', nullable),
      column.instant('expires_at'),
      column.instant('revoked_at', nullable),
    ],
    indices: [
      new TableIndex({ name: 'access_tokens_digest_unique', columnNames: ['digest'], isUnique: true }),
      new TableIndex({ name: 'access_tokens_expires_at', columnNames: ['expires_at'] }),
    ],
  }),
  new Table({
    name: 'used_assertions',
    columns: [column.key('id', 'used_assertions_pk'), column.instant('expires_at')],
    indices: [new TableIndex({ name: 'used_assertions_expires_at', columnNames: ['expires_at'] })],
  }),
  new Table({
    name: 'api_keys',
    columns: [
      column.key('id', 'api_keys_pk'),
      column.string('name'),
      column.string('digest'),
      column.text('scope'),
      column.instant('created_at'),
      column.instant('expires_at', nullable),
      column.instant('last_used_at', nullable),
    ],
    indices: [
      new TableIndex({ name: 'api_keys_name_unique', columnNames: ['name'], isUnique: true }),
      new TableIndex({ name: 'api_keys_digest_unique', columnNames: ['digest'], isUnique: true }),
    ],
  }),
];

const columns: Record<string, TableColumn[]> = {
  clients: [
    column.string('access_token_format', { default: "'jwt'" }),
    column.string('introspection', { default: "'own'" }),
    column.text('jwks', nullable),
    column.text('jwks_uri', nullable),
    column.string('token_endpoint_auth_signing_alg', nullable),
    column.integer('access_token_lifetime', nullable),
    column.integer('refresh_token_lifetime', nullable),
    column.text('metadata', { default: "'{}'" }),
    column.string('version', { default: "'initial'" }),
    column.instant('last_used_at', nullable),
  ].map((options) => new TableColumn(options)),
  client_secrets: [
    column.text('secret', nullable),
    column.text('data_key', nullable),
    column.string('encryption_key_id', nullable),
  ].map((options) => new TableColumn(options)),
  signing_keys: [new TableColumn(column.instant('activated_at', nullable))],
};

const indices: [table: string, index: TableIndex][] = [
  ['grants', new TableIndex({ name: 'grants_client_id', columnNames: ['client_id'] })],
  ['authorization_codes', new TableIndex({ name: 'authorization_codes_grant_id', columnNames: ['grant_id'] })],
  ['user_tokens', new TableIndex({ name: 'user_tokens_grant_id', columnNames: ['grant_id'] })],
  [
    'signing_keys',
    new TableIndex({
      name: 'signing_keys_one_next',
      columnNames: ['algorithm'],
      isUnique: true,
      where: `"status" = 'next'`,
    }),
  ],
];

/** The everyday grants: refresh tokens, opaque and revoked access tokens, client assertions, keys that are yet to sign. */
export class TokenEngine1764200000000 implements MigrationInterface {
  readonly name = 'TokenEngine1764200000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of tables) await queryRunner.createTable(table);
    for (const [table, added] of Object.entries(columns)) await queryRunner.addColumns(table, added);
    for (const [table, index] of indices) await queryRunner.createIndex(table, index);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const [table, index] of indices.toReversed()) await queryRunner.dropIndex(table, index);
    for (const [table, added] of Object.entries(columns)) await queryRunner.dropColumns(table, added);
    for (const table of tables.toReversed()) await queryRunner.dropTable(table.name);
  }
}
