import { ApiProperty, ApiPropertyOptional, OmitType, PartialType } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, Matches, Max, Min, ValidateBy } from 'class-validator';
import { DomainError } from '../common/domain-error.js';
import { PROFILE_CLAIMS } from '../config/index.js';
import type { ForeignAccount, ImportOptions, ImportResult } from '../idp-offline-access/index.js';
import { ProblemDetails, toSecret } from './admin.dto.js';
import { toProblem } from './admin.face.js';
import { instantOf, TIME, TIME_MESSAGE } from './audit.dto.js';
import { IsUsername, MayBeLeftOut } from './users.dto.js';

const MAX_LIFETIME_SECONDS = 10 * 365 * 86_400;
const MAX_CLAIM_LENGTH = 2_048;
const MAX_NAMES = 200;
const FLAGS = ['true', 'false'];

const IsText = (max: number) =>
  Matches(new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${max}}$`, 'u'), {
    message: `$property must have 1 to ${max} characters without control characters`,
  });
/** @see RFC 6749 appendices A.12 and A.17 */
const IsToken = () =>
  Matches(/^[\x20-\x7E]{1,16384}$/, { message: '$property must have 1 to 16384 printable ASCII characters' });
/** @see RFC 6749 section 3.3 */
const IsScope = () =>
  Matches(/^(?=.{1,8192}$)[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$/, {
    message: '$property must be names of scopes, separated by single spaces',
  });
const IsClaims = () =>
  ValidateBy({
    name: 'isClaims',
    validator: {
      validate: areClaims,
      defaultMessage: () => `$property must hold nothing but ${CLAIMS.join(', ')}, each of its type`,
    },
  });

const CLAIMS = PROFILE_CLAIMS.filter((name) => name !== 'sub');
const isClaimText = (value: unknown): boolean =>
  typeof value === 'string' && value.length <= MAX_CLAIM_LENGTH && !/[\p{Cc}\p{Cs}]/u.test(value);
const areNames = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= MAX_NAMES && value.every(isClaimText);
const CLAIM_TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  ...Object.fromEntries(CLAIMS.map((name) => [name, isClaimText])),
  email_verified: (value) => typeof value === 'boolean',
  groups: areNames,
  entitlements: areNames,
};

function areClaims(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, claim]) => Object.hasOwn(CLAIM_TYPES, name) && CLAIM_TYPES[name]!(claim));
}

/** What the query of an import may say; each is false where it is left out. */
export class ImportQuery {
  @IsOptional()
  @IsIn(FLAGS)
  verify?: string;

  @IsOptional()
  @IsIn(FLAGS)
  overwrite?: string;

  @IsOptional()
  @IsIn(FLAGS)
  create_users?: string;
}

export const IMPORT_FLAGS = {
  verify: 'Refresh at once, to see whether the tokens work and whose they are',
  overwrite: 'Replace tokens of the account that still work',
  create_users: 'Make a user of a username that nobody has',
};

export function toImportOptions({ verify, overwrite, create_users: createUsers }: ImportQuery): ImportOptions {
  return { verify: verify === 'true', overwrite: overwrite === 'true', createUsers: createUsers === 'true' };
}

/** An account of a user at a provider, with the tokens that were given for it; at least one of the two. */
export class LinkedAccountImport {
  /** Whose account it is; or `username`. */
  @MayBeLeftOut()
  @IsText(255)
  @ApiPropertyOptional({ example: '5a2f8a0e-6b8f-4a63-9f5f-0c8d6f1a2b3c', maxLength: 255 })
  user_id?: string;

  @MayBeLeftOut()
  @IsUsername()
  @ApiPropertyOptional({ example: 'ada', maxLength: 128 })
  username?: string;

  @IsText(64)
  @ApiProperty({ example: 'mobypay', maxLength: 64 })
  identity_provider!: string;

  /** The provider's `sub`. */
  @IsText(255)
  @ApiProperty({ example: '248289761001', maxLength: 255 })
  subject!: string;

  /** Written, never read back. */
  @MayBeLeftOut()
  @IsToken()
  @ApiPropertyOptional({ maxLength: 16_384, writeOnly: true })
  refresh_token?: string;

  /** Written, never read back here. */
  @MayBeLeftOut()
  @IsToken()
  @ApiPropertyOptional({ maxLength: 16_384, writeOnly: true })
  access_token?: string;

  /** Seconds that the access token has left, counted from the import; or `expires_at`. */
  @MayBeLeftOut()
  @IsInt()
  @Min(0)
  @Max(MAX_LIFETIME_SECONDS)
  @ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: MAX_LIFETIME_SECONDS })
  expires_in?: number;

  /** When the access token expires (ISO 8601). Without either it is refreshed before it is used. */
  @MayBeLeftOut()
  @Matches(TIME, { message: TIME_MESSAGE })
  @ApiPropertyOptional({ example: '2026-01-01T00:00:00Z' })
  expires_at?: string;

  /** `Bearer` unless it says otherwise. */
  @MayBeLeftOut()
  @IsText(64)
  @ApiPropertyOptional({ example: 'Bearer', maxLength: 64 })
  token_type?: string;

  /** What the provider granted. */
  @MayBeLeftOut()
  @IsScope()
  @ApiPropertyOptional({ example: 'openid offline_access', maxLength: 8_192 })
  scope?: string;

  /** Needed where the provider has several tenants. */
  @MayBeLeftOut()
  @IsText(2_048)
  @ApiPropertyOptional({ example: 'https://idp.example', maxLength: 2_048 })
  issuer?: string;

  /** What the provider says of the user, by the names of OpenID Connect. */
  @MayBeLeftOut()
  @IsClaims()
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { name: 'Ada Lovelace' } })
  claims?: Record<string, unknown>;
}

/** @throws DomainError `request.parameter-invalid` with all that does not go together */
export function toForeignAccount(body: LinkedAccountImport): ForeignAccount {
  const { user_id: id, username } = body;
  const wrong = [
    (id === undefined) === (username === undefined) && {
      parameter: 'user_id',
      detail: 'or username is needed, not both',
    },
    body.refresh_token === undefined &&
      body.access_token === undefined && { parameter: 'refresh_token', detail: 'or access_token is needed' },
    body.expires_in !== undefined &&
      body.expires_at !== undefined && { parameter: 'expires_in', detail: 'must not stand beside expires_at' },
  ];
  const errors = wrong.filter((each) => each !== false);
  if (errors.length > 0) throw new DomainError('request.parameter-invalid', { meta: { errors } });
  return {
    user: id === undefined ? { username: username! } : { id },
    identityProvider: body.identity_provider,
    subject: body.subject,
    accessToken: toSecret(body.access_token),
    refreshToken: toSecret(body.refresh_token),
    expiresAt: instantOf('expires_at', body.expires_at),
    expiresInSeconds: body.expires_in,
    tokenType: body.token_type,
    scope: body.scope,
    issuer: body.issuer,
    claims: body.claims,
  };
}

export const STATUSES = [
  'imported',
  'exists',
  'unlinked',
  'verified',
  'unproven',
  'unverified',
  'reauthentication-required',
  'failed',
] as const;

/** What became of an import. */
export class ImportAnswer {
  /**
   * `imported`: stored. `exists`: the account has tokens that work, which were left alone. `unlinked`: its user
   * had it here and unlinked it, which was left at that. With `verify` also `verified`:
   * the tokens work and are this subject's; `unproven`: stored, but the provider would not say whose they are;
   * `unverified`: stored, but the provider cannot be asked for now, so import it again; `reauthentication-required`: the
   * provider refused the tokens, or they are somebody else's, now or when they were imported before.
   */
  @ApiProperty({ enum: STATUSES.filter((status) => status !== 'failed'), example: 'imported' })
  status!: ImportResult['status'];

  @ApiProperty({ example: '5a2f8a0e-6b8f-4a63-9f5f-0c8d6f1a2b3c' })
  user_id!: string;

  @ApiProperty({ example: 'mobypay' })
  identity_provider!: string;

  @ApiProperty({ example: '248289761001' })
  subject!: string;

  /** Why the user has to sign in at the provider again. */
  @ApiPropertyOptional({ example: 'invalid_grant' })
  reason?: string;

  @ApiPropertyOptional({ type: () => ProblemDetails })
  error?: ProblemDetails;

  /** Seconds after which trying again helps. */
  @ApiPropertyOptional({ type: 'integer', example: 30 })
  retry_after?: number;
}

export function toImportAnswer(
  { identityProvider, subject }: ForeignAccount,
  result: ImportResult,
  requestId: string,
): ImportAnswer {
  return {
    status: result.status,
    user_id: result.userId,
    identity_provider: identityProvider,
    subject,
    ...(result.status === 'reauthentication-required' && { reason: result.reason }),
    ...(result.status === 'unverified' && toFailure(result.error, requestId)),
  };
}

/** How far an import is. */
export class ImportProgress {
  /** Of the lines that are not blank. */
  @ApiProperty({ type: 'integer', example: 100 })
  done!: number;

  @ApiProperty({ type: 'integer', example: 250 })
  total!: number;
}

export class ImportSummary extends ImportProgress {
  /** Whether all lines were looked at. Otherwise import the same again, once what stopped it is over. */
  @ApiProperty()
  complete!: boolean;

  /** How many lines ended how, by `status`. */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' }, example: { imported: 249, failed: 1 } })
  results!: Record<(typeof STATUSES)[number], number>;
}

/** A line of the answer: the result of a line of the import, how far the import is, or, as the last one, how it went. */
export class ImportLineAnswer extends PartialType(OmitType(ImportAnswer, ['status'])) {
  /** Its number in the import, from 1, blank ones counted. */
  @ApiPropertyOptional({ type: 'integer', example: 1 })
  line?: number;

  /** As for a single import, or `failed`: nothing was stored, and `error` says why. */
  @ApiPropertyOptional({ enum: STATUSES, example: 'imported' })
  status?: (typeof STATUSES)[number];

  @ApiPropertyOptional({ type: () => ImportProgress })
  progress?: ImportProgress;

  @ApiPropertyOptional({ type: () => ImportSummary })
  summary?: ImportSummary;
}

/** What a result says of an error. */
export function toFailure(error: DomainError, requestId: string): Pick<ImportAnswer, 'error' | 'retry_after'> {
  const { retryAfterSeconds } = error.meta;
  return {
    error: toProblem(error, requestId),
    ...(retryAfterSeconds !== undefined && { retry_after: retryAfterSeconds }),
  };
}
