// @ts-check

/**
 * What every release's dump holds. The key and the secrets were made up for these files and are used nowhere else; they
 * are here so that each later release can read the dumps. They never change: a new dump that needs more adds to it.
 */

export const ENCRYPTION_KEYS = `release:${Buffer.from('symbolon release dumps, test key').toString('base64')}`;

export const CLIENT_SECRET = 'the secret of the client in the release dumps';
export const PASSWORD = 'the password of alice in the release dumps';
export const PROVIDER_SECRET = 'our secret at the provider in the release dumps';
export const TOKENS = {
  access: 'the upstream access token in the release dumps',
  refresh: 'the upstream refresh token in the release dumps',
};

export const ACCOUNT = {
  identityProvider: 'corp',
  subject: 'alice-at-corp',
  issuer: 'https://corp.example',
  upstreamClientId: 'symbolon',
  claims: { sub: 'alice-at-corp', name: 'Alice' },
};

/** CONFIG_FILE of the service that fills a dump. */
export const CONFIG = {
  clients: [
    {
      client_id: 'app',
      client_name: 'An application',
      client_secret: CLIENT_SECRET,
      redirect_uris: ['https://app.example/callback'],
      scope: 'openid email federated-identity:token',
      upstream_providers: ['corp'],
      upstream_refresh_token: true,
    },
  ],
  identity_providers: [
    {
      id: 'corp',
      name: 'Corp',
      issuer: 'https://corp.example',
      client_id: 'symbolon',
      client_secret: PROVIDER_SECRET,
      offline_access: true,
      sign_up: ['corp.example'],
      authorization_parameters: { prompt: 'consent' },
    },
  ],
  users: [{ username: 'alice', password: PASSWORD, full_name: 'Alice', email: 'alice@corp.example' }],
};

/** What 0.2.0 added: a provider of its own kind, an account that never expires there, a token of alice's, and one that is still to be revoked. */
export const LEGACY = {
  id: 'legacy',
  type: 'oauth2',
  client_id: 'symbolon',
  client_secret: 'our secret at the legacy provider in the release dumps',
  endpoints: {
    authorization: 'https://legacy.example/authorize',
    token: 'https://legacy.example/token',
    userinfo: 'https://legacy.example/me',
    revocation: 'https://legacy.example/revoke',
  },
  claims: { sub: 'user.id' },
  access_token_lifetime: 'none',
  offline_access: true,
};
export const LEGACY_ACCOUNT = {
  identityProvider: 'legacy',
  subject: '17',
  issuer: 'https://legacy.example',
  upstreamClientId: 'symbolon',
  claims: { sub: '17' },
};
export const LEGACY_TOKEN = 'the access token that never expires in the release dumps';
export const USER_TOKEN_NAME = 'backup';

/** What 0.4.0 added: a client that keeps its access, with opaque tokens, and one that signs with its secret; a further key. */
export const KEEPER = {
  client_id: 'keeper',
  client_secret: 'the-secret-of-the-keeper-in-the-release-dumps-0',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: ['https://keeper.example/callback'],
  scope: 'openid offline_access',
  access_token_format: 'opaque',
  access_token_lifetime: 86_400,
  require_pkce: false,
};
export const SIGNER = {
  client_id: 'signer',
  client_secret: 'the-secret-of-the-signer-in-the-release-dumps-0',
  token_endpoint_auth_method: 'client_secret_jwt',
  grant_types: ['client_credentials'],
  scope: 'accounts:read',
  contacts: ['ops@signer.example'],
};
export const API_KEY_NAME = 'pipeline';

/** What 0.3.0 added: a receiver of events, which is disabled so that nothing is sent to it. */
export const WEBHOOK_URL = 'https://receiver.example/hook';
export const WEBHOOK_SECRET = 'whsec_dGhlIHNlY3JldCBvZiBhIHdlYmhvb2sgaW4gdGhlIGR1bXBz';
