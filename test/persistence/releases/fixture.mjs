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
