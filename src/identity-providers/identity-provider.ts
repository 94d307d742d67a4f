import type { Secret } from '../common/secret.js';

/** What only some providers need. */
export interface ProviderOptions {
  /** The preset that the entry was made from. */
  preset: string | undefined;
  /** Endpoints that the operator wrote; they win over discovery, and are all that an `oauth2` provider has. */
  endpoints: Readonly<Partial<Record<EndpointName, string>>>;
  /** Where our claims (`sub`, `name`, `email`, …) stand in what the provider says, as dotted paths. */
  claims: Readonly<Record<string, string>>;
  /** The tenants whose users are admitted, where the issuer holds `{tenantid}`. */
  tenants: readonly string[];
  /** Whether a verified e-mail address of this provider links its account to the user who has that address. */
  trustVerifiedEmail: boolean;
  /** Seconds, where the provider does not say; `none`: its tokens do not expire. */
  accessTokenLifetime: number | 'none' | undefined;
  /** Seconds that a refresh token lives unused there. */
  refreshTokenIdleLifetime: number | undefined;
  /** For how long an account and its tokens are kept. */
  retention: Retention;
  /** How the provider brings the browser back. @see OAuth 2.0 Form Post Response Mode */
  responseMode: 'query' | 'form_post';
  /** The `kid` of our client assertions. */
  privateKeyId: string | undefined;
  /** Whose signature makes the client secret, where the provider wants a token for one. */
  teamId: string | undefined;
  /** Whom our client assertions are for. @see RFC 7523 section 3 */
  clientAssertionAudience: 'issuer' | 'token_endpoint';
}

/** Limits in seconds; for ever where there is none. */
export interface Retention {
  /** Since anybody last read the account. */
  idle?: number | undefined;
  /** Since its user, or whoever imported it, last gave its tokens. */
  absolute?: number | undefined;
}

export type EndpointName = 'authorization' | 'token' | 'userinfo' | 'emails' | 'jwks' | 'revocation';

export const DEFAULT_OPTIONS: ProviderOptions = {
  preset: undefined,
  endpoints: {},
  claims: {},
  tenants: [],
  trustVerifiedEmail: false,
  accessTokenLifetime: undefined,
  refreshTokenIdleLifetime: undefined,
  retention: {},
  responseMode: 'query',
  privateKeyId: undefined,
  teamId: undefined,
  clientAssertionAudience: 'issuer',
};

/**
 * One upstream identity provider, as the directory knows it: who it is, how we are registered there, and what
 * the operator allows it to do here.
 */
export interface IdentityProvider extends ProviderOptions {
  /** The `{identityProvider}` / `{idp}` of the paths. */
  id: string;
  type: 'oidc' | 'oauth2';
  /** What a person reads on the sign-in page. */
  displayName: string;
  /**
   * The exact `iss` of its id_tokens, with `{tenantid}` where each tenant has its own; for `oauth2`, which has no such
   * thing, what its subjects are kept under. @see OpenID Connect Core 1.0 section 2
   */
  issuer: string;
  clientId: string;
  clientSecret: Secret | undefined;
  /** What signs our client assertions. */
  privateKey: Secret | undefined;
  tokenEndpointAuthMethod: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
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

/** Whether an issuer, found in a token or kept with an account, is this provider: exactly, or as one of its tenants. */
export function isIssuerOf({ issuer, tenants }: IdentityProvider, candidate: string): boolean {
  return tenants.length === 0
    ? candidate === issuer
    : tenants.some((tenant) => candidate === issuer.replace('{tenantid}', tenant));
}
