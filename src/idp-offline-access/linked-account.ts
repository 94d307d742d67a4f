import type { Secret } from '../common/secret.js';
import { isIssuerOf, type IdentityProvider } from '../identity-providers/index.js';

export type LinkedAccountStatus = 'sign-in-only' | 'active' | 'reauthentication-required';

/** Why a user has to sign in at the provider again. */
export type ReauthenticationReason =
  /** The provider refused the refresh token. */
  | 'invalid_grant'
  /** The provider wants to see the user: a new consent, a second factor, a policy. */
  | 'interaction_required'
  /** A holder of the lease died between redeeming the refresh token and storing its successor. */
  | 'rotation_lost'
  /** The refreshed tokens are another subject's. */
  | 'subject_mismatch'
  /** The id_token of the refreshed tokens does not verify. */
  | 'id_token_invalid'
  /** The provider is another one by now, or we are another client there. */
  | 'provider_changed'
  /** It was kept for as long as the provider's entry lets it be. */
  | 'expired';

/** What says for how long an account is kept: since anybody last read it, or since its user last gave its tokens. */
export type RetentionLimit = 'idle' | 'absolute';

/** A linked account without its secrets. */
export interface LinkedAccount {
  id: string;
  userId: string;
  identityProvider: string;
  subject: string;
  /** Whose tokens these are, and whom they were given to; unknown where the account was never linked by signing in. */
  issuer: string | undefined;
  upstreamClientId: string | undefined;
  claims: Readonly<Record<string, unknown>>;
  status: LinkedAccountStatus;
  reason: ReauthenticationReason | undefined;
  /** Moves with every change of the credentials. */
  generation: number;
  refreshIntentAt: number | undefined;
  /** When the lease of whoever refreshes it ends, or would have ended. */
  leaseEndsAt?: number | undefined;
  tokenType: string;
  scope: readonly string[];
  /** Whether its provider has proven whose tokens these are; an import has not. */
  verified: boolean;
  /** When the access token expires; an account that has tokens and no such instant has one that never does. */
  expiresAt: number | undefined;
  obtainedAt: number | undefined;
  refreshedAt: number | undefined;
  /** When the refresh token was obtained, or used without being replaced. */
  refreshTokenUsedAt: number;
  /** When the user, or whoever imported the tokens, last gave them. */
  authorizedAt: number;
  /** When a token was last asked for, at most `READ_NOTED_EVERY_MS` before it really was. */
  readAt: number | undefined;
  /** The kind of the last failure of a refresh; nothing after a success. */
  lastError: string | undefined;
  /** Refreshes that failed in a row, and until when the provider is not asked again. */
  failures: number;
  retryAt: number | undefined;
  /** When and in which browser session the user connected it; nothing where it came by signing in. */
  linkedAt: number | undefined;
  linkedSessionId: string | undefined;
  createdAt: number;
  updatedAt: number;
}

/** What a provider gave, ready to be kept. */
export interface UpstreamCredentials {
  /** Nothing where only a refresh token was imported. */
  accessToken: Secret | undefined;
  refreshToken: Secret | undefined;
  idToken: Secret | undefined;
  tokenType: string;
  scope: readonly string[] | undefined;
  /** Nothing for a token that never expires. */
  expiresAt: number | undefined;
  /** Nothing where the provider does not say, or the refresh token never expires. */
  refreshTokenExpiresAt?: number | undefined;
  obtainedAt: number;
}

export interface OpenedTokens {
  accessToken: Secret | undefined;
  refreshToken: Secret | undefined;
  idToken: Secret | undefined;
}

/** So often is it written down that an account is read: a write for each read would cost more than the read. */
export const READ_NOTED_EVERY_MS = 3_600_000;

/** The limit that an account has passed, of those that its provider's entry sets; after it, no token is served any more. */
export function passedLimit(
  { retention: { idle = Infinity, absolute = Infinity } }: Pick<IdentityProvider, 'retention'>,
  { authorizedAt, readAt = 0 }: Pick<LinkedAccount, 'authorizedAt' | 'readAt'>,
  nowMs: number,
): RetentionLimit | undefined {
  if (nowMs - authorizedAt >= absolute * 1000) return 'absolute';
  const lastUsedAt = Math.max(authorizedAt, readAt + READ_NOTED_EVERY_MS);
  return nowMs - lastUsedAt >= idle * 1000 ? 'idle' : undefined;
}

/** Tokens of another issuer, or given to another client_id, are neither served nor sent to the provider of today. */
export function isFrom(
  provider: IdentityProvider,
  { issuer, upstreamClientId }: Partial<Pick<LinkedAccount, 'issuer' | 'upstreamClientId'>>,
): boolean {
  const sameIssuer = issuer === undefined || isIssuerOf(provider, issuer);
  return sameIssuer && (upstreamClientId ?? provider.clientId) === provider.clientId;
}
