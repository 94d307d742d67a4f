import { Table, TableIndex, type MigrationInterface, type QueryRunner, type TableColumnOptions } from 'typeorm';
import { column, nullable } from '../columns.js';

const encryptedRow = (options = nullable): TableColumnOptions[] => [
  column.text('data_key', options),
  column.string('encryption_key_id', options),
];
const required = {};

const tables = [
  new Table({
    name: 'applied_declarations',
    columns: [
      column.key('id', 'applied_declarations_pk'),
      column.string('kind'),
      column.string('name'),
      column.string('digest'),
      column.instant('applied_at'),
      column.instant('removed_at', nullable),
    ],
  }),
  new Table({
    name: 'users',
    columns: [
      column.key('id', 'users_pk'),
      column.string('username', nullable),
      column.string('full_name', nullable),
      column.string('email', nullable),
      column.boolean('email_verified'),
      column.string('password_hash', nullable),
      column.boolean('basic_auth_enabled'),
      column.instant('blocked_at', nullable),
      column.instant('created_at'),
      column.instant('updated_at'),
    ],
    indices: [new TableIndex({ name: 'users_username_unique', columnNames: ['username'], isUnique: true })],
  }),
  new Table({
    name: 'clients',
    columns: [
      column.key('client_id', 'clients_pk'),
      column.string('client_name', nullable),
      column.string('token_endpoint_auth_method'),
      column.text('grant_types'),
      column.text('redirect_uris'),
      column.text('scope'),
      column.text('upstream_providers'),
      column.boolean('upstream_refresh_token'),
      column.string('consent'),
      column.boolean('require_pkce'),
      column.string('id_token_signed_response_alg'),
      column.instant('disabled_at', nullable),
      column.instant('created_at'),
      column.instant('updated_at'),
    ],
  }),
  new Table({
    name: 'client_secrets',
    columns: [
      column.key('id', 'client_secrets_pk'),
      column.string('client_id'),
      column.string('verifier'),
      column.instant('created_at'),
      column.instant('expires_at', nullable),
    ],
    indices: [new TableIndex({ name: 'client_secrets_client_id', columnNames: ['client_id'] })],
  }),
  new Table({
    name: 'identity_providers',
    columns: [
      column.key('id', 'identity_providers_pk'),
      column.string('type'),
      column.string('display_name'),
      column.string('issuer'),
      column.string('client_id'),
      column.text('client_secret', nullable),
      column.string('token_endpoint_auth_method'),
      column.text('scope'),
      column.boolean('offline_access'),
      column.text('sign_up'),
      column.text('authorization_parameters'),
      column.string('version'),
      ...encryptedRow(),
      column.instant('disabled_at', nullable),
      column.instant('created_at'),
      column.instant('updated_at'),
    ],
  }),
  new Table({
    name: 'sessions',
    columns: [
      column.key('id', 'sessions_pk'),
      column.string('cookie_digest'),
      column.string('user_id'),
      column.string('identity_provider', nullable),
      column.instant('auth_time'),
      column.boolean('auth_time_proven'),
      column.instant('created_at'),
      column.instant('expires_at'),
      column.instant('ended_at', nullable),
    ],
    indices: [
      new TableIndex({ name: 'sessions_cookie_digest_unique', columnNames: ['cookie_digest'], isUnique: true }),
    ],
  }),
  new Table({
    name: 'login_attempts',
    columns: [
      column.key('state_digest', 'login_attempts_pk'),
      column.string('identity_provider'),
      column.string('browser_digest'),
      column.text('secrets'),
      ...encryptedRow(required),
      column.string('connect_user_id', nullable),
      column.instant('created_at'),
      column.instant('expires_at'),
      column.instant('consumed_at', nullable),
    ],
  }),
  new Table({
    name: 'authorization_requests',
    columns: [
      column.key('digest', 'authorization_requests_pk'),
      column.string('browser_digest'),
      column.text('parameters'),
      ...encryptedRow(required),
      column.instant('created_at'),
      column.instant('expires_at'),
      column.instant('consumed_at', nullable),
    ],
  }),
  new Table({
    name: 'consents',
    columns: [
      column.key('user_id', 'consents_pk'),
      column.key('client_id', 'consents_pk'),
      column.text('scope'),
      column.instant('granted_at'),
    ],
  }),
  new Table({
    name: 'grants',
    columns: [
      column.key('id', 'grants_pk'),
      column.string('user_id'),
      column.string('client_id'),
      column.text('scope'),
      column.string('session_id', nullable),
      column.instant('auth_time'),
      column.text('claims'),
      column.instant('created_at'),
      column.instant('revoked_at', nullable),
      column.string('revoked_reason', nullable),
    ],
    indices: [new TableIndex({ name: 'grants_user_id', columnNames: ['user_id'] })],
  }),
  new Table({
    name: 'authorization_codes',
    columns: [
      column.key('digest', 'authorization_codes_pk'),
      column.string('grant_id'),
      column.string('client_id'),
      column.text('redirect_uri'),
      column.string('code_challenge', nullable),
      column.text('nonce', nullable),
      column.instant('created_at'),
      column.instant('expires_at'),
      column.instant('consumed_at', nullable),
    ],
  }),
  new Table({
    name: 'signing_keys',
    columns: [
      column.key('kid', 'signing_keys_pk'),
      column.string('algorithm'),
      column.string('status'),
      column.text('public_jwk'),
      column.text('private_key'),
      ...encryptedRow(required),
      column.instant('created_at'),
      column.instant('retired_at', nullable),
    ],
    indices: [
      new TableIndex({
        name: 'signing_keys_one_current',
        columnNames: ['algorithm'],
        isUnique: true,
        where: `"status" = 'current'`,
      }),
    ],
  }),
  new Table({
    name: 'linked_accounts',
    columns: [
      column.key('id', 'linked_accounts_pk'),
      column.string('user_id'),
      column.string('identity_provider'),
      column.string('issuer', nullable),
      column.string('subject'),
      column.string('upstream_client_id', nullable),
      column.text('claims'),
      column.string('status'),
      column.string('reason', nullable),
      column.integer('generation'),
      column.string('lease_owner', nullable),
      column.instant('lease_expires_at', nullable),
      column.instant('refresh_intent_at', nullable),
      column.string('token_type', nullable),
      column.text('scope', nullable),
      column.text('access_token', nullable),
      column.text('refresh_token', nullable),
      column.text('id_token', nullable),
      column.boolean('verified'),
      column.instant('expires_at', nullable),
      column.instant('obtained_at', nullable),
      column.instant('refreshed_at', nullable),
      column.string('last_error', nullable),
      ...encryptedRow(),
      column.instant('created_at'),
      column.instant('updated_at'),
      column.instant('unlinked_at', nullable),
    ],
    indices: [
      new TableIndex({
        name: 'linked_accounts_subject_unique',
        columnNames: ['identity_provider', 'subject'],
        isUnique: true,
        where: '"unlinked_at" IS NULL',
      }),
      new TableIndex({ name: 'linked_accounts_user_id', columnNames: ['user_id', 'identity_provider'] }),
    ],
  }),
  new Table({
    name: 'connect_tickets',
    columns: [
      column.key('digest', 'connect_tickets_pk'),
      column.string('user_id'),
      column.string('identity_provider'),
      column.instant('expires_at'),
      column.instant('consumed_at', nullable),
    ],
  }),
  new Table({
    name: 'audit_events',
    columns: [
      column.key('id', 'audit_events_pk'),
      column.instant('at'),
      column.string('event'),
      column.string('outcome'),
      column.string('user_id', nullable),
      column.string('client_id', nullable),
      column.string('identity_provider', nullable),
      column.string('reason', nullable),
      column.string('request_id', nullable),
      column.string('address', nullable),
    ],
    indices: [new TableIndex({ name: 'audit_events_at', columnNames: ['at'] })],
  }),
];

/** The tables of the first release. */
export class Initial1763800000000 implements MigrationInterface {
  readonly name = 'Initial1763800000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of tables) await queryRunner.createTable(table);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of tables.toReversed()) await queryRunner.dropTable(table.name);
  }
}
