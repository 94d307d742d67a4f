import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  IsArray,
  IsBoolean,
  IsDefined,
  IsNotEmpty,
  IsObject,
  IsString,
  Matches,
  ValidateBy,
  ValidateIf,
} from 'class-validator';

/** Of the JSON text of custom metadata. */
export const MAX_METADATA_CHARACTERS = 8192;

/** Letters, digits, brackets and underscores; dashes, spaces and dots within. */
const NAME = /^[)(\p{L}\p{M}\p{N}_][)(\p{L}\p{M}\p{N}_ .-]{0,126}[)(\p{L}\p{M}\p{N}_]$/u;
/** The end of the year 9999, the last that a date can be written of. */
const LAST_INSTANT_SECONDS = 253_402_300_799;

/** Null is a value, and wrong. */
const Optional = () => ValidateIf((_object, value: unknown) => value !== undefined);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A caveat that we do not know would be a restriction that nobody enforces: such tokens are not made. */
export function isTimeCaveat(value: unknown): value is TimeCaveat {
  if (!isRecord(value) || value['type'] !== 'time') return false;
  const { validUntil } = value;
  return Number.isInteger(validUntil) && Number(validUntil) >= 0 && Number(validUntil) <= LAST_INSTANT_SECONDS;
}

const IsTimeCaveat = () => ValidateBy({ name: 'isTimeCaveat', validator: { validate: isTimeCaveat } }, { each: true });
const IsAccessTokenType = () =>
  ValidateBy({
    name: 'isAccessTokenType',
    validator: { validate: (value: unknown) => isRecord(value) && isRecord(value['accessToken']) },
  });
const IsShortJson = () =>
  ValidateBy({
    name: 'isShortJson',
    validator: { validate: (value: unknown) => (JSON.stringify(value) ?? '').length <= MAX_METADATA_CHARACTERS },
  });

/** Limits the token's validity in time. */
export class TimeCaveat {
  /** @example time */
  @ApiProperty({ enum: ['time'] })
  type!: 'time';

  /** Timestamp in seconds (UNIX epoch) when the token expires. */
  @ApiProperty({ type: 'integer', example: 1893456000 })
  validUntil!: number;
}

/** The type of the token. */
export class TokenType {
  /** Access tokens are the only ones here; the object is empty. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: {} })
  accessToken!: Record<string, unknown>;
}

/** Temporary token create request. */
export class TemporaryTokenCreateRequest {
  @Optional()
  @IsAccessTokenType()
  @ApiPropertyOptional({ type: TokenType })
  type?: TokenType;

  /** The restrictions on the token: time, which is the only kind here. */
  @Optional()
  @IsArray()
  @IsTimeCaveat()
  @ApiPropertyOptional({ type: [TimeCaveat] })
  caveats?: TimeCaveat[];
}

/** Named token create request. */
export class NamedTokenCreateRequest extends TemporaryTokenCreateRequest {
  /**
   * Token name (unique for the user).
   * @example my-token-1
   */
  @IsDefined()
  @IsString()
  @Matches(NAME)
  @ApiProperty()
  name!: string;

  /**
   * Arbitrary metadata (JSON) attached to the token.
   * @example {"jobName": "experiment-15"}
   */
  @Optional()
  @IsObject()
  @IsShortJson()
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  customMetadata?: Record<string, unknown>;

  /**
   * Whether the token cannot be used for now.
   * @example false
   */
  @Optional()
  @IsBoolean()
  @ApiPropertyOptional()
  revoked?: boolean;
}

/** Named token update request; at least one member is needed. */
export class NamedTokenUpdateRequest {
  /**
   * Token name (unique for the user).
   * @example my-token-1
   */
  @Optional()
  @IsString()
  @Matches(NAME)
  @ApiPropertyOptional()
  name?: string;

  /**
   * Arbitrary metadata (JSON) attached to the token.
   * @example {"jobName": "experiment-15"}
   */
  @Optional()
  @IsObject()
  @IsShortJson()
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  customMetadata?: Record<string, unknown>;

  /**
   * Whether the token cannot be used for now.
   * @example true
   */
  @Optional()
  @IsBoolean()
  @ApiPropertyOptional()
  revoked?: boolean;
}

/** Verify access token request; what else the vendor's clients say about the bearer is not needed. */
export class VerifyAccessTokenRequest {
  /** The token to be verified. */
  @IsDefined()
  @IsString()
  @IsNotEmpty()
  @ApiProperty()
  token!: string;
}

/** Named token id and the token. */
export class NamedTokenCreated {
  /** @example 2b5d0dd5-aa64-43a6-9277-b5ce0544fec2 */
  @ApiProperty()
  tokenId!: string;

  /** The token, which is shown only now. */
  @ApiProperty({ example: 'symbolon_ut_SplxlOBeZQQYbYS6WxSbIAdBjftJeZ4CVPmB92K27uh' })
  token!: string;
}

/** The newly created temporary token. */
export class TemporaryTokenCreated {
  /** The token, which is shown only now. */
  @ApiProperty({ example: 'symbolon_ut_SplxlOBeZQQYbYS6WxSbIAdBjftJeZ4CVPmB92K27uh' })
  token!: string;
}

/** List of token ids. */
export class TokenIds {
  /** @example ["2b5d0dd5-aa64-43a6-9277-b5ce0544fec2"] */
  @ApiProperty({ type: [String] })
  tokens!: string[];
}

/** In whose name the token was issued. */
export class TokenSubject {
  /** @example user */
  @ApiProperty({ enum: ['user'] })
  type!: 'user';

  /** @example 1b510f18-b3b0-4611-871c-0acdffa9aed4 */
  @ApiProperty()
  id!: string;
}

/** Metadata describing the token. */
export class TokenMetadata {
  /** Timestamp in seconds (UNIX epoch) of the token creation. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  creationTime!: number;

  /** The metadata of its maker. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { jobName: 'experiment-15' } })
  custom!: Record<string, unknown>;
}

/** Named token details; without the token itself, of which only a digest is kept. */
export class NamedTokenDetails {
  /** @example 2b5d0dd5-aa64-43a6-9277-b5ce0544fec2 */
  @ApiProperty()
  id!: string;

  /** @example my-token-1 */
  @ApiProperty()
  name!: string;

  @ApiProperty({ type: TokenSubject })
  subject!: TokenSubject;

  @ApiProperty({ type: TokenType })
  type!: TokenType;

  @ApiProperty({ type: [TimeCaveat] })
  caveats!: TimeCaveat[];

  @ApiProperty({ type: TokenMetadata })
  metadata!: TokenMetadata;

  /** @example false */
  @ApiProperty()
  revoked!: boolean;
}

/** Verify token response. */
export class TokenVerified {
  @ApiProperty({ type: TokenSubject })
  subject!: TokenSubject;

  /** Token's TTL in seconds (or null if infinite). */
  @ApiProperty({ type: 'integer', nullable: true, example: 3600 })
  ttl!: number | null;
}
