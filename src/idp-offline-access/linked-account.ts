import type { Secret } from '../common/secret.js';

export type LinkedAccountStatus = 'sign-in-only' | 'active' | 'reauthentication-required';

/** Why a user has to sign in at the provider again. */
export type ReauthenticationReason =
  /** The provider refused the refresh token. */
  | 'invalid_grant'
  /** A holder of the lease died between redeeming the refresh token and storing its successor. */
  | 'rotation_lost'
  /** The refreshed tokens are another subject's. */
  | 'subject_mismatch'
  /** The id_token of the refreshed tokens does not verify. */
  | 'id_token_invalid';

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
}

/** What a provider gave, ready to be kept. */
export interface UpstreamCredentials {
  accessToken: Secret;
  refreshToken: Secret | undefined;
  idToken: Secret | undefined;
  tokenType: string;
  scope: readonly string[] | undefined;
  expiresAt: number;
  obtainedAt: number;
}

export interface OpenedTokens {
  accessToken: Secret | undefined;
  refreshToken: Secret | undefined;
}
