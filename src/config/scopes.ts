/** What a client needs to read upstream tokens, beside the provider in its `upstream_providers`. */
export const UPSTREAM_TOKEN_SCOPE = 'federated-identity:token';
/** PACE's scopes for defining and deleting the user's linked identity. */
export const LINK_SCOPE = 'user:federated-identity:set';
export const UNLINK_SCOPE = 'user:federated-identity:delete';
/** Onezone's tokens that a user makes; they can do no more than the client that made them. */
export const USER_TOKENS_SCOPE = 'onezone:tokens';

/** A refresh token that outlives the session. @see OpenID Connect Core 1.0 section 11 */
export const OFFLINE_ACCESS_SCOPE = 'offline_access';
/** The admin API. A client gets it for itself, if CONFIG_FILE says so, and nobody can allow it to another. */
export const ADMIN_SCOPE = 'admin';

/** The scopes that a user allows and that mean something to the service itself, and what a person is told they allow. */
export const STANDARD_SCOPES: Readonly<Record<string, string>> = {
  openid: 'Know who you are',
  profile: 'See your name',
  email: 'See your e-mail address',
  [OFFLINE_ACCESS_SCOPE]: 'Keep its access while you are away, until you take it back',
  [UPSTREAM_TOKEN_SCOPE]: 'Use your accounts at connected identity providers on your behalf',
  [LINK_SCOPE]: 'Choose which of your accounts at an identity provider it uses',
  [UNLINK_SCOPE]: 'Disconnect your accounts at identity providers',
  [USER_TOKENS_SCOPE]: 'Make access tokens of your own, which can do what this application can',
};
