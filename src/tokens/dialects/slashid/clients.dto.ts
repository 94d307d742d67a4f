import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
} from 'class-validator';
import type { Client } from '../../../clients/index.js';
import { DomainError, invalidParameter } from '../../../common/domain-error.js';
import type { PageRequest } from '../../../common/page.js';
import type { ClientEntry, Configuration } from '../../../config/index.js';
import { SlashidMeta } from './errors.dto.js';

const GRANT_TYPES = ['client_credentials', 'authorization_code', 'refresh_token'];
const ACCESS_TOKEN_SECONDS = 86_400;
const REFRESH_TOKEN_SECONDS = 864_000;
const MAX_REFRESH_TOKEN_SECONDS = 10 * 365 * 86_400;
/** @see RFC 6749 section 3.3 */
const SCOPE_NAME = /^[\x21\x23-\x5B\x5D-\x7E]{1,255}$/;

const NAME = { minLength: 1, maxLength: 200, example: 'The gateway' };
const SCOPES = { type: [String] as [typeof String], minItems: 1, example: ['accounts:read'] };
const GRANTS = { enum: GRANT_TYPES, isArray: true, example: ['client_credentials'] };

const IsName = () => Length(1, 200);
/** The first complaint is the one of the last of these: what kind of value it has to be. */
const AreScopes = () =>
  applyDecorators(
    Matches(SCOPE_NAME, { each: true, message: '$property must hold names of scopes' }),
    ArrayMinSize(1),
    IsArray(),
  );
const AreGrantTypes = () =>
  applyDecorators(
    IsIn(GRANT_TYPES, { each: true, message: `$property must hold nothing but ${GRANT_TYPES.join(', ')}` }),
    ArrayMinSize(1),
    IsArray(),
  );

/** Which part of the list is asked for. */
export class OAuthClientQuery implements PageRequest {
  @IsInt()
  @Min(1)
  @Max(100)
  limit = 20;

  @IsInt()
  @Min(0)
  offset = 0;
}

class OAuthClientSettings {
  /** Seconds. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(ACCESS_TOKEN_SECONDS)
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: ACCESS_TOKEN_SECONDS })
  access_token_duration?: number;

  /** Seconds. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_REFRESH_TOKEN_SECONDS)
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_REFRESH_TOKEN_SECONDS })
  refresh_token_duration?: number;

  /** Where people may be sent back to; compared exactly. */
  @IsOptional()
  @IsArray()
  @ApiPropertyOptional({ type: [String], example: ['https://app.example/callback'] })
  redirect_uris?: string[];

  /** Whether it can keep no secret. */
  @IsOptional()
  @IsBoolean()
  @ApiPropertyOptional()
  public?: boolean;
}

/** A client that is to be made. */
export class NewOAuthClient extends OAuthClientSettings {
  /** For people. */
  @IsString()
  @IsName()
  @ApiProperty(NAME)
  client_name!: string;

  /** What it may be granted. */
  @AreScopes()
  @ApiProperty(SCOPES)
  scopes!: string[];

  @AreGrantTypes()
  @ApiProperty(GRANTS)
  grant_types!: string[];

  /** Seconds. */
  @ApiPropertyOptional({ type: 'integer', default: ACCESS_TOKEN_SECONDS })
  override access_token_duration = ACCESS_TOKEN_SECONDS;

  /** Seconds. */
  @ApiPropertyOptional({ type: 'integer', default: REFRESH_TOKEN_SECONDS })
  override refresh_token_duration = REFRESH_TOKEN_SECONDS;

  /** Whether it can keep no secret. */
  @ApiPropertyOptional({ type: Boolean, default: false })
  override public = false;
}

/** What is to be changed of a client; what is left out stays as it is. */
export class OAuthClientPatch extends OAuthClientSettings {
  /** For people. */
  @IsOptional()
  @IsString()
  @IsName()
  @ApiPropertyOptional(NAME)
  client_name?: string;

  /** What it may be granted. */
  @IsOptional()
  @AreScopes()
  @ApiPropertyOptional(SCOPES)
  scopes?: string[];

  @IsOptional()
  @AreGrantTypes()
  @ApiPropertyOptional(GRANTS)
  grant_types?: string[];
}

/** A client, without its secret. */
export class OAuthClient {
  @ApiProperty({ example: '5a2f8a0e-6b8f-8a63-9f5f-0c8d6f1a2b3c' })
  client_id!: string;

  @ApiProperty({ example: 'The gateway' })
  client_name!: string;

  @ApiProperty({ type: [String], example: ['client_credentials'] })
  grant_types!: string[];

  @ApiProperty({ type: [String], example: ['code'] })
  response_types!: string[];

  /** In their order. */
  @ApiProperty({ type: [String], example: ['accounts:read', 'openid'] })
  scopes!: string[];

  /** Whether it can keep no secret. */
  @ApiProperty()
  public!: boolean;

  /** Seconds. */
  @ApiProperty({ type: 'integer', example: ACCESS_TOKEN_SECONDS })
  access_token_duration!: number;

  /** Seconds. */
  @ApiProperty({ type: 'integer', example: REFRESH_TOKEN_SECONDS })
  refresh_token_duration!: number;

  @ApiProperty({ type: [String], example: ['https://app.example/callback'] })
  redirect_uris!: string[];

  @ApiProperty({ example: '2026-01-01T00:00:00.000Z' })
  created_at!: string;

  /** To within a minute; null where it never was. */
  @ApiProperty({ type: String, nullable: true, example: '2026-01-02T00:00:00.000Z' })
  last_used!: string | null;
}

/** A client with the secret that it was just given, if it was given one. */
export class OAuthClientWithSecret extends OAuthClient {
  /** Shown this once. */
  @ApiPropertyOptional({ example: 'Zx8…' })
  client_secret?: string;
}

export class OAuthClientResult {
  result!: OAuthClient;
}

export class OAuthClientWithSecretResult {
  result!: OAuthClientWithSecret;
}

export class OAuthClientList {
  @ApiProperty({ type: () => [OAuthClient] })
  result!: OAuthClient[];

  meta!: SlashidMeta;
}

export class OAuthClientSecret {
  /** Shown this once. */
  @ApiProperty({ example: 'Zx8…' })
  client_secret!: string;
}

export class OAuthClientSecretResult {
  result!: OAuthClientSecret;
}

/** The same in the names of RFC 7591. */
export function toClientEntry(body: OAuthClientPatch, former?: ClientEntry): Partial<ClientEntry> {
  const { client_name, scopes, grant_types, access_token_duration, refresh_token_duration, redirect_uris } = body;
  const wasPublic = former?.token_endpoint_auth_method === 'none';
  return {
    ...(client_name !== undefined && { client_name }),
    ...(scopes && { scope: ordered(scopes).join(' ') }),
    ...(grant_types && { grant_types: [...new Set(grant_types)] }),
    ...(access_token_duration !== undefined && { access_token_lifetime: access_token_duration }),
    ...(refresh_token_duration !== undefined && { refresh_token_lifetime: refresh_token_duration }),
    ...(redirect_uris && { redirect_uris }),
    ...(body.public === true && {
      token_endpoint_auth_method: 'none',
      token_endpoint_auth_signing_alg: undefined,
      require_pkce: true,
    }),
    ...(body.public === false && (!former || wasPublic) && { token_endpoint_auth_method: 'client_secret_basic' }),
  };
}

/** What the registry calls otherwise. */
const NAMES: Readonly<Record<string, string>> = { scope: 'scopes' };

/** What is wrong with an entry, in the names of this face. */
export function inOwnNames(error: unknown): unknown {
  if (!(error instanceof DomainError) || error.code !== 'request.parameter-invalid') return error;
  const { publicDetail, meta } = error;
  if (meta.errors) {
    const errors = meta.errors.map(({ parameter, detail }) => ({
      parameter: NAMES[parameter] ?? parameter,
      detail: detail.replace('token_endpoint_auth_method is none', 'public is true'),
    }));
    return new DomainError(error.code, { meta: { errors } });
  }
  const { parameter = '' } = meta;
  const name = NAMES[parameter];
  return name === undefined ? error : invalidParameter(name, (publicDetail ?? '').replace(`${parameter} `, ''));
}

export function toOAuthClient(client: Client, { environment }: Configuration): OAuthClient {
  const { ACCESS_TOKEN_TTL: accessSeconds, REFRESH_TOKEN_TTL: refreshSeconds } = environment;
  return {
    client_id: client.clientId,
    client_name: client.clientName,
    grant_types: [...client.grantTypes],
    response_types: client.grantTypes.includes('authorization_code') ? ['code'] : [],
    scopes: ordered(client.scope),
    public: client.tokenEndpointAuthMethod === 'none',
    access_token_duration: client.accessTokenLifetime ?? accessSeconds,
    refresh_token_duration: client.refreshTokenLifetime ?? refreshSeconds,
    redirect_uris: [...client.redirectUris],
    created_at: new Date(client.createdAt).toISOString(),
    last_used: client.lastUsedAt === undefined ? null : new Date(client.lastUsedAt).toISOString(),
  };
}

function ordered(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}
