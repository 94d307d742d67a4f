import type { TokenResponse } from '../identity-providers/index.js';
import type { UpstreamCredentials } from './linked-account.js';

/** What a token counts for whose provider does not say how long it lives. */
const DEFAULT_LIFETIME_SECONDS = 3600;

/** A provider's token response as the vault keeps it: lifetimes become instants. */
export function toCredentials(response: TokenResponse): UpstreamCredentials {
  const lifetimeMs = (response.expiresInSeconds ?? DEFAULT_LIFETIME_SECONDS) * 1000;
  return {
    accessToken: response.accessToken,
    refreshToken: response.refreshToken,
    idToken: response.idToken,
    tokenType: response.tokenType,
    scope: response.scope?.split(' ').filter((name) => name !== ''),
    expiresAt: response.receivedAt + lifetimeMs,
    obtainedAt: response.receivedAt,
  };
}
