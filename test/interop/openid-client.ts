import { importJWK, type CryptoKey } from 'jose';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  clientCredentialsGrant,
  ClientSecretBasic,
  ClientSecretJwt,
  ClientSecretPost,
  discovery,
  enableNonRepudiationChecks,
  None,
  PrivateKeyJwt,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  refreshTokenGrant,
  tokenIntrospection,
  tokenRevocation,
  type ClientAuth,
  type TokenEndpointResponse,
  type TokenEndpointResponseHelpers,
} from 'openid-client';
import type { Library, Registration, Tokens } from './relying-party.js';

async function authentication({ credentials }: Registration): Promise<ClientAuth> {
  switch (credentials.method) {
    case 'client_secret_basic':
      return ClientSecretBasic(credentials.secret);
    case 'client_secret_post':
      return ClientSecretPost(credentials.secret);
    case 'client_secret_jwt':
      return ClientSecretJwt(credentials.secret);
    case 'private_key_jwt': {
      const key = (await importJWK(credentials.key)) as CryptoKey;
      return PrivateKeyJwt({ key, kid: credentials.key.kid });
    }
    default:
      return None();
  }
}

function tokens(answer: TokenEndpointResponse & TokenEndpointResponseHelpers): Tokens {
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token,
    scope: answer.scope,
    subject: answer.claims()?.sub,
  };
}

export const openidClient: Library = {
  name: 'openid-client 6',
  connect: async (issuer, registration) => {
    const { client_id: clientId, redirect_uri: redirectUri, scope } = registration;
    const configuration = await discovery(
      new URL(issuer),
      clientId,
      undefined,
      await authentication(registration),
      // oxlint-disable-next-line typescript/no-deprecated -- the test's issuer is on loopback.
      { execute: [allowInsecureRequests, enableNonRepudiationChecks] },
    );
    return {
      signIn: async (visit) => {
        const pkceCodeVerifier = randomPKCECodeVerifier();
        const checks = { pkceCodeVerifier, expectedState: randomState(), expectedNonce: randomNonce() };
        const url = buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUri,
          scope,
          code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
          code_challenge_method: 'S256',
          state: checks.expectedState,
          nonce: checks.expectedNonce,
        });
        return tokens(
          await authorizationCodeGrant(configuration, await visit(url), { ...checks, idTokenExpected: true }),
        );
      },
      refresh: async (refreshToken, narrower) =>
        tokens(await refreshTokenGrant(configuration, refreshToken, narrower === undefined ? {} : { scope: narrower })),
      clientCredentials: async (wanted) =>
        tokens(await clientCredentialsGrant(configuration, wanted === undefined ? {} : { scope: wanted })),
      isActive: async (token) => (await tokenIntrospection(configuration, token)).active,
      revoke: (token) => tokenRevocation(configuration, token),
    };
  },
};
