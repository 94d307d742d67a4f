import type { Secret } from '../common/secret.js';

/**
 * One upstream identity provider, as the directory knows it: who it is, how we are registered there, and what
 * the operator allows it to do here.
 */
export interface IdentityProvider {
  /** The `{identityProvider}` / `{idp}` of the paths. */
  id: string;
  type: 'oidc';
  /** What a person reads on the sign-in page. */
  displayName: string;
  /** The exact `iss` of its id_tokens. @see OpenID Connect Core 1.0 section 2 */
  issuer: string;
  clientId: string;
  clientSecret: Secret | undefined;
  tokenEndpointAuthMethod: 'client_secret_basic' | 'client_secret_post' | 'none';
  /** Space-separated, as it is sent to the authorization endpoint. */
  scope: string;
  /** Whether tokens may be refreshed while the user is away; Onezone serves only such providers. */
  offlineAccess: boolean;
  /** Whether an unknown user who signs in here becomes a user: never, always, or with a verified e-mail in a domain. */
  signUp: boolean | readonly string[];
  /** Extra parameters for the authorization request, such as `prompt` or `access_type`. */
  authorizationParameters: Readonly<Record<string, string>>;
  /** Moves whenever the entry changes; caches of derived objects (discovery, keys) are keyed by it. */
  version: string;
}
