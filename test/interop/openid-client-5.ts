import { generators, Issuer, type TokenSet } from 'openid-client-5';
import type { Library, Registration, Tokens } from './relying-party.js';

function metadata({ client_id, redirect_uri, credentials }: Registration) {
  return {
    client_id,
    redirect_uris: [redirect_uri],
    response_types: ['code' as const],
    token_endpoint_auth_method: credentials.method,
    ...('secret' in credentials && { client_secret: credentials.secret }),
    ...('key' in credentials && { token_endpoint_auth_signing_alg: credentials.key.alg }),
  };
}

function tokens(set: TokenSet): Tokens {
  return {
    accessToken: set.access_token ?? '',
    refreshToken: set.refresh_token,
    scope: set.scope,
    subject: set.id_token === undefined ? undefined : set.claims().sub,
  };
}

export const openidClient5: Library = {
  name: 'openid-client 5.7',
  connect: async (url, registration) => {
    const issuer = await Issuer.discover(url);
    const { credentials } = registration;
    const client = new issuer.Client(
      metadata(registration),
      'key' in credentials ? { keys: [{ ...credentials.key, kty: credentials.key.kty ?? '' }] } : undefined,
    );
    return {
      signIn: async (visit) => {
        const checks = {
          code_verifier: generators.codeVerifier(),
          state: generators.state(),
          nonce: generators.nonce(),
          response_type: 'code',
        };
        const answer = await visit(
          new URL(
            client.authorizationUrl({
              scope: registration.scope,
              code_challenge: generators.codeChallenge(checks.code_verifier),
              code_challenge_method: 'S256',
              state: checks.state,
              nonce: checks.nonce,
            }),
          ),
        );
        return tokens(await client.callback(registration.redirect_uri, client.callbackParams(answer.href), checks));
      },
      refresh: async (refreshToken, scope) =>
        tokens(await client.refresh(refreshToken, scope === undefined ? {} : { exchangeBody: { scope } })),
      clientCredentials: async (scope) =>
        tokens(await client.grant({ grant_type: 'client_credentials', ...(scope !== undefined && { scope }) })),
      isActive: async (token) => (await client.introspect(token)).active,
      revoke: (token) => client.revoke(token),
    };
  },
};
