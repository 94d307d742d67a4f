import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, Length, Max, Min } from 'class-validator';
import { toEntry, type Client, type ClientWithSecret } from '../clients/index.js';
import { isoTime, ListMeta, toSecret } from './admin.dto.js';
import { MayBeLeftOut } from './users.dto.js';

const DAY_SECONDS = 86_400;

/** A client in the words of CONFIG_FILE and RFC 7591, without its secrets. */
export class ClientAnswer {
  @ApiProperty({ example: 'gateway' })
  client_id!: string;

  @ApiProperty({ example: 'The gateway' })
  client_name!: string;

  @ApiProperty({ example: 'client_secret_basic' })
  token_endpoint_auth_method!: string;

  @ApiPropertyOptional({ example: 'ES256' })
  token_endpoint_auth_signing_alg?: string;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  jwks?: object;

  @ApiPropertyOptional({ example: 'https://app.example/jwks' })
  jwks_uri?: string;

  @ApiProperty({ type: [String], example: ['authorization_code', 'refresh_token'] })
  grant_types!: string[];

  @ApiProperty({ type: [String], example: ['code'] })
  response_types!: string[];

  @ApiProperty({ type: [String], example: ['https://app.example/callback'] })
  redirect_uris!: string[];

  @ApiProperty({ example: 'openid profile offline_access' })
  scope!: string;

  /** `jwt` or `opaque`. */
  @ApiProperty({ example: 'jwt' })
  access_token_format!: string;

  /** Seconds; those of the service where it is not there. */
  @ApiPropertyOptional({ type: 'integer', example: 3600 })
  access_token_lifetime?: number;

  /** Seconds; those of the service where it is not there. */
  @ApiPropertyOptional({ type: 'integer', example: 2592000 })
  refresh_token_lifetime?: number;

  /** Whose upstream tokens it may read for its users. */
  @ApiProperty({ type: [String], example: ['mobypay'] })
  upstream_providers!: string[];

  @ApiProperty()
  upstream_refresh_token!: boolean;

  /** `explicit` or `implicit`. */
  @ApiProperty({ example: 'explicit' })
  consent!: string;

  @ApiProperty()
  require_pkce!: boolean;

  @ApiProperty({ example: 'openid' })
  profile!: string;

  /** `own` or `any`. */
  @ApiProperty({ example: 'own' })
  introspection!: string;

  @ApiProperty({ example: 'RS256' })
  id_token_signed_response_alg!: string;

  @ApiPropertyOptional({ example: 'https://app.example' })
  client_uri?: string;

  @ApiPropertyOptional({ example: 'https://app.example/logo.png' })
  logo_uri?: string;

  @ApiPropertyOptional({ example: 'https://app.example/terms' })
  tos_uri?: string;

  @ApiPropertyOptional({ example: 'https://app.example/privacy' })
  policy_uri?: string;

  @ApiPropertyOptional({ type: [String], example: ['ops@app.example'] })
  contacts?: string[];

  @ApiPropertyOptional({ example: 'app' })
  software_id?: string;

  @ApiPropertyOptional({ example: '1.0.0' })
  software_version?: string;

  @ApiProperty()
  enabled!: boolean;

  @ApiProperty({ example: '2026-01-01T00:00:00.000Z' })
  created_at!: string;

  @ApiProperty({ example: '2026-01-01T00:00:00.000Z' })
  updated_at!: string;

  /** To within a minute; not there where it never was. */
  @ApiPropertyOptional({ example: '2026-01-01T00:00:00.000Z' })
  last_used_at?: string;
}

/** A client with the secret that it was just given, if it was given one. */
export class ClientSecretAnswer extends ClientAnswer {
  /** Shown this once. */
  @ApiPropertyOptional({ example: 'Zx8…' })
  client_secret?: string;
}

export class ClientList {
  @ApiProperty({ type: () => [ClientAnswer] })
  data!: ClientAnswer[];

  @ApiProperty()
  meta!: ListMeta;
}

/** How the secret of a client is to be replaced. */
export class ClientSecretRotation {
  /** For so many seconds the secret before this one is valid, too; 0 for one that got out. */
  @MayBeLeftOut()
  @IsInt()
  @Min(0)
  @Max(30 * DAY_SECONDS)
  @ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: 30 * DAY_SECONDS, default: DAY_SECONDS })
  previous_valid_for?: number;

  /** One of your own; one is made where there is none. */
  @MayBeLeftOut()
  @Length(8, 1024)
  @ApiPropertyOptional({ minLength: 8, maxLength: 1024, writeOnly: true })
  client_secret?: string;
}

/** Members of an answer that an entry has not got: what was read can be written again. */
export const READ_ONLY_CLIENT_MEMBERS: readonly string[] = [
  'response_types',
  'enabled',
  'created_at',
  'updated_at',
  'last_used_at',
];

export function toClientAnswer(client: Client): ClientAnswer {
  return {
    ...(toEntry(client) as Omit<ClientAnswer, 'response_types' | 'enabled' | 'created_at' | 'updated_at'>),
    response_types: client.grantTypes.includes('authorization_code') ? ['code'] : [],
    profile: 'openid',
    enabled: client.enabled,
    created_at: isoTime(client.createdAt)!,
    updated_at: isoTime(client.updatedAt)!,
    ...(client.lastUsedAt !== undefined && { last_used_at: isoTime(client.lastUsedAt)! }),
  };
}

export function toClientSecretAnswer({ client, secret }: ClientWithSecret): ClientSecretAnswer {
  return Object.assign(toClientAnswer(client), secret && { client_secret: secret.reveal() });
}

export function toClientSecretRotation({
  previous_valid_for = DAY_SECONDS,
  client_secret: secret,
}: ClientSecretRotation) {
  return { previousValidForMs: previous_valid_for * 1000, chosen: toSecret(secret) };
}
