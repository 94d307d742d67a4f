/** What a client needs to read upstream tokens, beside the provider in its `upstream_providers`. */
export const UPSTREAM_TOKEN_SCOPE = 'federated-identity:token';

/** The scopes that mean something to the service itself, and what a person is told they allow. */
export const STANDARD_SCOPES: Readonly<Record<string, string>> = {
  openid: 'Know who you are',
  profile: 'See your name',
  email: 'See your e-mail address',
  [UPSTREAM_TOKEN_SCOPE]: 'Use your accounts at connected identity providers on your behalf',
};
