import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMinSize, ArrayUnique, IsArray, IsIn, Matches } from 'class-validator';
import type { Secret } from '../common/secret.js';
import { API_KEY_SCOPES, type ApiKey } from '../tokens/index.js';
import { isoTime, ListMeta } from './admin.dto.js';
import { instantOf, TIME, TIME_MESSAGE } from './audit.dto.js';
import { MayBeLeftOut } from './users.dto.js';

/** A key that is to be made. */
export class NewApiKeyBody {
  /** Of no other key; the audit log knows it by this. */
  @Matches(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    message: '$property must have 1 to 64 letters, digits, ".", "_" or "-" and start with a letter or digit',
  })
  @ApiProperty({ example: 'deployment' })
  name!: string;

  /** What it is for: `admin` for everything. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(API_KEY_SCOPES, { each: true, message: `$property must hold nothing but ${API_KEY_SCOPES.join(', ')}` })
  @ApiProperty({ enum: API_KEY_SCOPES, isArray: true, example: ['admin'] })
  scopes!: string[];

  /** From when on it opens nothing; never, where this is left out. */
  @MayBeLeftOut()
  @Matches(TIME, { message: TIME_MESSAGE })
  @ApiPropertyOptional({ example: '2027-01-01T00:00:00Z' })
  expires_at?: string;
}

/** A key to the admin API, without the key itself. */
export class ApiKeyAnswer {
  @ApiProperty({ example: '5a2f8a0e-6b8f-4a63-9f5f-0c8d6f1a2b3c' })
  id!: string;

  @ApiProperty({ example: 'deployment' })
  name!: string;

  @ApiProperty({ type: [String], example: ['admin'] })
  scopes!: string[];

  @ApiProperty({ example: '2026-01-01T00:00:00.000Z' })
  created_at!: string;

  @ApiPropertyOptional({ example: '2027-01-01T00:00:00.000Z' })
  expires_at?: string;

  /** To within a minute; not there where it never was. */
  @ApiPropertyOptional({ example: '2026-01-02T00:00:00.000Z' })
  last_used_at?: string;
}

/** A key that was just made. */
export class ApiKeySecretAnswer extends ApiKeyAnswer {
  /** The key. Shown this once. */
  @ApiProperty({ example: 'symbolon_key_…' })
  api_key!: string;
}

export class ApiKeyList {
  @ApiProperty({ type: () => [ApiKeyAnswer] })
  data!: ApiKeyAnswer[];

  @ApiProperty()
  meta!: ListMeta;
}

export function toNewApiKey({ name, scopes, expires_at }: NewApiKeyBody) {
  return { name, scope: scopes, expiresAt: instantOf('expires_at', expires_at) };
}

export function toApiKeyAnswer({ id, name, scope, createdAt, expiresAt, lastUsedAt }: ApiKey): ApiKeyAnswer {
  return {
    id,
    name,
    scopes: [...scope],
    created_at: isoTime(createdAt)!,
    ...(expiresAt !== undefined && { expires_at: isoTime(expiresAt)! }),
    ...(lastUsedAt !== undefined && { last_used_at: isoTime(lastUsedAt)! }),
  };
}

export function toApiKeySecretAnswer({ apiKey, key }: { apiKey: ApiKey; key: Secret }): ApiKeySecretAnswer {
  return Object.assign(toApiKeyAnswer(apiKey), { api_key: key.reveal() });
}
