import { Secret } from '../common/secret.js';
import type { IdentityProvider } from './identity-provider.js';
import { isStorable, text } from './said-values.js';

/** What a token endpoint gave. What it left out is `undefined`; keeping the stored value then is the caller's part. */
export interface TokenResponse {
  accessToken: Secret;
  tokenType: string;
  /** `undefined`: the provider did not say, or said nonsense. `none`: its tokens do not expire, the operator says. */
  expiresInSeconds: number | 'none' | undefined;
  refreshToken: Secret | undefined;
  /** How long the refresh token lives unless it is used; `undefined`: the provider did not say, or it does not expire. */
  refreshExpiresInSeconds?: number | undefined;
  /** An `oauth2` provider gives none that could be verified. */
  idToken: Secret | undefined;
  /** Separated by spaces; empty where the provider says that it granted none, `undefined` where it does not say. */
  scope: string | undefined;
  /** Epoch ms, read before the request was sent, so that a lifetime counted from it is never too long. */
  receivedAt: number;
}

/** @returns `undefined` if there is no access token in it. @see RFC 6749 section 5.1 */
export function readTokenResponse(
  body: Record<string, unknown>,
  provider: IdentityProvider,
  receivedAt: number,
): TokenResponse | undefined {
  const accessToken = secret(body['access_token']);
  if (!accessToken) return undefined;
  return {
    accessToken,
    tokenType: text(body['token_type']) ?? 'Bearer',
    expiresInSeconds: lifetime(body['expires_in'], provider.accessTokenLifetime),
    refreshToken: secret(body['refresh_token']),
    // Neither name is a standard's: GitHub and others, and Keycloak, whose 0 means that it does not expire.
    refreshExpiresInSeconds: seconds(body['refresh_token_expires_in'] ?? body['refresh_expires_in']) || undefined,
    idToken: provider.type === 'oidc' ? secret(body['id_token']) : undefined,
    scope: scopeIn(body['scope'], provider.type),
    receivedAt,
  };
}

/** What the provider says counts; only where it says nothing of use, what the operator knows about its tokens. */
function lifetime(said: unknown, configured: IdentityProvider['accessTokenLifetime']): number | 'none' | undefined {
  const number = seconds(said);
  return configured === undefined || (number !== undefined && number > 0) ? number : configured;
}

/** Outside OpenID Connect it may be a list, or be separated by commas. */
function scopeIn(value: unknown, type: IdentityProvider['type']): string | undefined {
  const said: unknown = Array.isArray(value) ? value.filter((name) => typeof name === 'string').join(' ') : value;
  if (typeof said !== 'string') return undefined;
  const scope = type === 'oauth2' ? said.replaceAll(/[\s,]+/g, ' ').trim() : said;
  return isStorable(scope) ? scope : undefined;
}

function secret(value: unknown): Secret | undefined {
  return typeof value === 'string' && value !== '' ? new Secret(value) : undefined;
}

/** Some providers send the number as a string. */
function seconds(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}
