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
  | 'provider_changed';

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
  tokenType: string;
  scope: readonly string[];
  /** When the access token expires; an account that has tokens and no such instant has one that never does. */
  expiresAt: number | undefined;
  obtainedAt: number | undefined;
  refreshedAt: number | undefined;
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
  accessToken: Secret;
  refreshToken: Secret | undefined;
  idToken: Secret | undefined;
  tokenType: string;
  scope: readonly string[] | undefined;
  /** Nothing for a token that never expires. */
  expiresAt: number | undefined;
  obtainedAt: number;
}

export interface OpenedTokens {
  accessToken: Secret | undefined;
  refreshToken: Secret | undefined;
  idToken?: Secret | undefined;
}

/** Tokens of another issuer, or given to another client_id, are neither served nor sent to the provider of today. */
export function isFrom(
  provider: IdentityProvider,
  { issuer, upstreamClientId }: Partial<Pick<LinkedAccount, 'issuer' | 'upstreamClientId'>>,
): boolean {
  const sameIssuer = issuer === undefined || isIssuerOf(provider, issuer);
  return sameIssuer && (upstreamClientId ?? provider.clientId) === provider.clientId;
}
