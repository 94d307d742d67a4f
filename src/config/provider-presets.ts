import type { PresetName, WrittenIdentityProvider } from './written-identity-provider.js';

/**
 * What an entry says about a well-known provider when it names the preset, in the entry's own words; whatever the entry
 * says itself wins. `{domain}` stands for the entry's `domain`, `{userinfo}` for its userinfo endpoint.
 */
export type ProviderPreset = Partial<Omit<WrittenIdentityProvider, 'id' | 'preset' | 'client_id' | 'client_secret'>>;

const DAY = 86_400;

export const PROVIDER_PRESETS: Readonly<Record<PresetName, ProviderPreset>> = {
  /** The name comes beside the code and only once; the secret is a token signed with the team's key. */
  apple: {
    name: 'Apple',
    issuer: 'https://appleid.apple.com',
    scope: 'openid name email',
    offline_access: true,
    token_endpoint_auth_method: 'client_secret_post',
    // Apple insists where the name or the address is asked for.
    response_mode: 'form_post',
  },
  /** The issuer ends in a slash. */
  auth0: {
    issuer: 'https://{domain}/',
    scope: 'openid profile email offline_access',
    offline_access: true,
    token_endpoint_auth_method: 'client_secret_post',
    // Its default; an application may be set otherwise.
    refresh_token_idle_lifetime: 15 * DAY,
  },
  /** One issuer per tenant; the entry's `issuer` makes it one tenant's. It revokes nothing for an application. */
  entra: {
    name: 'Microsoft',
    issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
    scope: 'openid profile email offline_access',
    offline_access: true,
    token_endpoint_auth_method: 'client_secret_post',
    client_assertion_audience: 'token_endpoint',
    refresh_token_idle_lifetime: 90 * DAY,
  },
  /** No OpenID provider: numeric ids, tokens that do not expire, addresses apart, and revocation by a REST call of its own. */
  github: {
    type: 'oauth2',
    name: 'GitHub',
    issuer: 'https://github.com/login/oauth',
    scope: 'read:user user:email',
    offline_access: true,
    token_endpoint_auth_method: 'client_secret_post',
    access_token_lifetime: 'none',
    endpoints: {
      authorization: 'https://github.com/login/oauth/authorize',
      token: 'https://github.com/login/oauth/access_token',
      userinfo: 'https://api.github.com/user',
      emails: '{userinfo}/emails',
      revocation: 'https://api.github.com/applications/{client_id}/token',
    },
    claims: { sub: 'id', preferred_username: 'login', picture: 'avatar_url' },
  },
  gitlab: {
    name: 'GitLab',
    issuer: 'https://gitlab.com',
    // It knows no offline_access: refresh tokens come along anyway.
    scope: 'openid profile email',
    offline_access: true,
    token_endpoint_auth_method: 'client_secret_post',
  },
  /** A refresh token comes only with `access_type=offline`, and after the first time only with `prompt=consent`. */
  google: {
    name: 'Google',
    issuer: 'https://accounts.google.com',
    scope: 'openid profile email',
    offline_access: true,
    token_endpoint_auth_method: 'client_secret_post',
    authorization_parameters: { access_type: 'offline', prompt: 'consent', include_granted_scopes: 'true' },
    // Six months.
    refresh_token_idle_lifetime: 180 * DAY,
  },
  /** The entry's issuer is the realm's: `https://host/realms/name`. */
  keycloak: {
    scope: 'openid profile email offline_access',
    offline_access: true,
    // The default of a realm's Offline Session Idle.
    refresh_token_idle_lifetime: 30 * DAY,
  },
  /** The organisation's own authorization server; a custom one is the entry's `issuer`, such as `https://host/oauth2/default`. */
  okta: {
    issuer: 'https://{domain}',
    scope: 'openid profile email offline_access',
    offline_access: true,
    client_assertion_audience: 'token_endpoint',
    // The default of a custom authorization server; the organisation's own has no such limit.
    refresh_token_idle_lifetime: 7 * DAY,
  },
};
