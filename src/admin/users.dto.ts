import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsEmail, IsOptional, IsString, Length, Matches, ValidateIf } from 'class-validator';
import type { LinkedAccount, RevocationOfUser } from '../idp-offline-access/index.js';
import type { AccountChanges, User } from '../users/index.js';
import { Secret } from '../common/secret.js';
import { isoTime, ListMeta, PageQuery } from './admin.dto.js';

/** Unlike `IsOptional()`, null is not nothing. */
export const MayBeLeftOut = () => ValidateIf((_, value) => value !== undefined);
const IsUsername = () =>
  Matches(/^[^\s:\p{C}]{1,128}$/u, {
    message: '$property must have 1 to 128 characters without spaces, colons or control characters',
  });

export class UserQuery extends PageQuery {
  @IsOptional()
  @IsString()
  username?: string;

  @IsOptional()
  @IsString()
  email?: string;
}

class AccountBody {
  @IsOptional()
  @Matches(/^[^\p{Cc}]{1,200}$/u, { message: '$property must have 1 to 200 characters without control characters' })
  @ApiPropertyOptional({ type: String, nullable: true, example: 'Ada Lovelace' })
  full_name?: string | null;

  @IsOptional()
  @IsEmail()
  @ApiPropertyOptional({ type: String, nullable: true, example: 'ada@example.com' })
  email?: string | null;

  /** Whether the address was proven to be the user's; a new address is not, unless this comes with it. */
  @MayBeLeftOut()
  @IsBoolean()
  @ApiPropertyOptional()
  email_verified?: boolean;

  /** Written, never read back; null removes it. A new one ends the user's sessions and the tokens that were made by password. */
  @IsOptional()
  @Length(8, 1024)
  @ApiPropertyOptional({ type: String, nullable: true, minLength: 8, maxLength: 1024, writeOnly: true })
  password?: string | null;

  /** Whether the user may authenticate by HTTP Basic; needs a password. */
  @MayBeLeftOut()
  @IsBoolean()
  @ApiPropertyOptional()
  basic_auth?: boolean;

  /** Takes effect at the next request, everywhere. */
  @MayBeLeftOut()
  @IsBoolean()
  @ApiPropertyOptional()
  blocked?: boolean;
}

/** A user who is to be made. */
export class NewUser extends AccountBody {
  @IsUsername()
  @ApiProperty({ example: 'ada' })
  username!: string;
}

/** What is to be changed of a user; what is left out stays as it is. */
export class UserPatch extends AccountBody {
  @MayBeLeftOut()
  @IsUsername()
  @ApiPropertyOptional({ example: 'ada' })
  username?: string;
}

/** A user as an administrator sees them. */
export class UserAnswer {
  @ApiProperty({ example: '5a2f8a0e-6b8f-4a63-9f5f-0c8d6f1a2b3c' })
  id!: string;

  @ApiPropertyOptional({ example: 'ada' })
  username?: string;

  @ApiPropertyOptional({ example: 'Ada Lovelace' })
  full_name?: string;

  @ApiPropertyOptional({ example: 'ada@example.com' })
  email?: string;

  @ApiProperty()
  email_verified!: boolean;

  /** Whether there is a password. */
  @ApiProperty()
  password_set!: boolean;

  @ApiProperty()
  basic_auth!: boolean;

  @ApiProperty()
  blocked!: boolean;

  @ApiProperty({ example: '2026-01-01T00:00:00.000Z' })
  created_at!: string;
}

export class UserList {
  @ApiProperty({ type: () => [UserAnswer] })
  data!: UserAnswer[];

  @ApiProperty()
  meta!: ListMeta;
}

/** An account of the user at a provider, without its tokens. */
export class IdentityAnswer {
  @ApiProperty({ example: 'mobypay' })
  identity_provider!: string;

  @ApiProperty({ example: '248289761001' })
  subject!: string;

  /** `active`, `reauthentication-required`, or `sign-in-only`: known, but without tokens. */
  @ApiProperty({ example: 'active' })
  status!: string;

  /** Why the user has to sign in at the provider again. */
  @ApiPropertyOptional({ example: 'invalid_grant' })
  reason?: string;

  /** Whether this account's tokens are the ones that are served. */
  @ApiProperty()
  default!: boolean;

  @ApiProperty({ example: ['openid', 'profile'] })
  scopes!: string[];

  /** When the access token was obtained. */
  @ApiPropertyOptional({ example: '2026-01-01T00:00:00.000Z' })
  obtained_at?: string;

  @ApiPropertyOptional({ example: '2026-01-01T01:00:00.000Z' })
  expires_at?: string;

  @ApiPropertyOptional({ example: '2026-01-01T00:00:00.000Z' })
  refreshed_at?: string;

  /** The kind of the last failure of a refresh. */
  @ApiPropertyOptional({ example: 'unavailable' })
  last_error?: string;

  /** Until when the provider is not asked again. */
  @ApiPropertyOptional({ example: '2026-01-01T00:00:00.000Z' })
  retry_at?: string;

  /** When the user connected it; nothing where it came by signing in. */
  @ApiPropertyOptional({ example: '2026-01-01T00:00:00.000Z' })
  linked_at?: string;

  /** When it became known. */
  @ApiProperty({ example: '2026-01-01T00:00:00.000Z' })
  created_at!: string;
}

/** How far the tokens of an account that was unlinked have been revoked at their provider. */
export class RevocationAnswer {
  @ApiProperty({ example: 'mobypay' })
  identity_provider!: string;

  @ApiProperty({ example: '248289761001' })
  subject!: string;

  /** `pending`, `revoked`, `unsupported`, `provider-changed`, `superseded` (linked again before) or `failed`. */
  @ApiProperty({ example: 'revoked' })
  state!: string;

  @ApiProperty({ example: '2026-01-01T00:00:00.000Z' })
  at!: string;
}

export class IdentityList {
  @ApiProperty({ type: () => [IdentityAnswer] })
  data!: IdentityAnswer[];

  /** The latest first. */
  @ApiProperty({ type: () => [RevocationAnswer] })
  revocations!: RevocationAnswer[];

  @ApiProperty()
  meta!: ListMeta;
}

export function toAccountChanges(body: NewUser | UserPatch): AccountChanges {
  const { username, full_name, email, email_verified, password, basic_auth, blocked } = body;
  return {
    ...(username !== undefined && { username }),
    ...(full_name !== undefined && { fullName: full_name }),
    ...(email !== undefined && { email }),
    ...(email_verified !== undefined && { emailVerified: email_verified }),
    ...(password !== undefined && { password: password === null ? null : new Secret(password) }),
    ...(basic_auth !== undefined && { basicAuthEnabled: basic_auth }),
    ...(blocked !== undefined && { blocked }),
  };
}

export function toUserAnswer(user: User): UserAnswer {
  return {
    id: user.id,
    ...(user.username !== undefined && { username: user.username }),
    ...(user.fullName !== undefined && { full_name: user.fullName }),
    ...(user.email !== undefined && { email: user.email }),
    email_verified: user.emailVerified,
    password_set: user.hasPassword,
    basic_auth: user.basicAuthEnabled,
    blocked: user.blocked,
    created_at: isoTime(user.createdAt)!,
  };
}

/** `accounts` come as they are used: the first of a provider that has tokens is the default there. */
export function toIdentityAnswers(accounts: LinkedAccount[]): IdentityAnswer[] {
  return accounts.map((account, index) => ({
    identity_provider: account.identityProvider,
    subject: account.subject,
    status: account.status,
    ...present({ reason: account.reason }),
    default:
      account.status !== 'sign-in-only' &&
      accounts.findIndex(({ identityProvider }) => identityProvider === account.identityProvider) === index,
    scopes: [...account.scope],
    ...present({
      obtained_at: isoTime(account.obtainedAt),
      expires_at: isoTime(account.expiresAt),
      refreshed_at: isoTime(account.refreshedAt),
      last_error: account.lastError,
      retry_at: isoTime(account.retryAt),
      linked_at: isoTime(account.linkedAt),
    }),
    created_at: isoTime(account.createdAt)!,
  }));
}

export function toRevocationAnswer(revocation: RevocationOfUser): RevocationAnswer {
  const { identityProvider, subject, state, at } = revocation;
  return { identity_provider: identityProvider, subject, state, at: isoTime(at)! };
}

/** Without the members that have no value. */
function present(members: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).filter((member): member is [string, string] => member[1] !== undefined),
  );
}
