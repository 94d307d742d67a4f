import type { TokenResponse } from '../identity-providers/index.js';
import type { UpstreamCredentials } from './linked-account.js';

/** What a token counts for whose provider does not say how long it lives. */
const DEFAULT_LIFETIME_SECONDS = 3600;
/** More than any token lives. A provider's wilder number would not fit its column, and the tokens would be lost over it. */
const MAX_LIFETIME_SECONDS = 10 * 365 * 86_400;

/** A provider's token response as the vault keeps it: lifetimes become instants. */
export function toCredentials(response: TokenResponse): UpstreamCredentials {
  return {
    accessToken: response.accessToken,
    refreshToken: response.refreshToken,
    idToken: response.idToken,
    tokenType: response.tokenType,
    scope: response.scope?.split(' ').filter((name) => name !== ''),
    expiresAt: expiryOf(response),
    refreshTokenExpiresAt: refreshTokenExpiryOf(response),
    obtainedAt: response.receivedAt,
  };
}

function expiryOf({ expiresInSeconds = DEFAULT_LIFETIME_SECONDS, receivedAt }: TokenResponse): number | undefined {
  return expiresInSeconds === 'none' ? undefined : receivedAt + lifetimeMs(expiresInSeconds);
}

function refreshTokenExpiryOf({ refreshExpiresInSeconds, receivedAt }: TokenResponse): number | undefined {
  return refreshExpiresInSeconds === undefined ? undefined : receivedAt + lifetimeMs(refreshExpiresInSeconds);
}

function lifetimeMs(seconds: number): number {
  return Math.floor(Math.min(seconds, MAX_LIFETIME_SECONDS) * 1000);
}
