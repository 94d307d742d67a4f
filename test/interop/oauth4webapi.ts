import { importJWK, type CryptoKey } from 'jose';
import * as oauth from 'oauth4webapi';
import type { Library, Registration, Tokens } from './relying-party.js';

async function authentication({ credentials }: Registration): Promise<oauth.ClientAuth> {
  switch (credentials.method) {
    case 'client_secret_basic':
      return oauth.ClientSecretBasic(credentials.secret);
    case 'client_secret_post':
      return oauth.ClientSecretPost(credentials.secret);
    case 'client_secret_jwt':
      return oauth.ClientSecretJwt(credentials.secret);
    case 'private_key_jwt': {
      const key = (await importJWK(credentials.key)) as CryptoKey;
      return oauth.PrivateKeyJwt({ key, kid: credentials.key.kid });
    }
    default:
      return oauth.None();
  }
}

function tokens(answer: oauth.TokenEndpointResponse): Tokens {
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token,
    scope: answer.scope,
    subject: oauth.getValidatedIdTokenClaims(answer)?.sub,
  };
}

// oxlint-disable-next-line typescript/no-deprecated -- the test's issuer is on loopback.
const options = { [oauth.allowInsecureRequests]: true };

export const oauth4webapi: Library = {
  name: 'oauth4webapi 3',
  connect: async (issuer, registration) => {
    const url = new URL(issuer);
    const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options));
    const { client_id, redirect_uri: redirectUri, scope } = registration;
    const client: oauth.Client = { client_id };
    const auth = await authentication(registration);
    return {
      signIn: async (visit) => {
        const verifier = oauth.generateRandomCodeVerifier();
        const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
        const request = new URL(as.authorization_endpoint ?? '');
        request.search = new URLSearchParams({
          client_id,
          redirect_uri: redirectUri,
          response_type: 'code',
          scope,
          code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          state,
          nonce,
        }).toString();
        const parameters = oauth.validateAuthResponse(as, client, await visit(request), state);
        const answer = await oauth.authorizationCodeGrantRequest(
          as,
          client,
          auth,
          parameters,
          redirectUri,
          verifier,
          options,
        );
        const processed = await oauth.processAuthorizationCodeResponse(as, client, answer, {
          expectedNonce: nonce,
          requireIdToken: true,
        });
        await oauth.validateApplicationLevelSignature(as, answer, options);
        return tokens(processed);
      },
      refresh: async (refreshToken, narrower) => {
        const additionalParameters = narrower === undefined ? {} : { scope: narrower };
        const answer = await oauth.refreshTokenGrantRequest(as, client, auth, refreshToken, {
          ...options,
          additionalParameters,
        });
        return tokens(await oauth.processRefreshTokenResponse(as, client, answer));
      },
      clientCredentials: async (wanted) => {
        const parameters = new URLSearchParams(wanted === undefined ? {} : { scope: wanted });
        const answer = await oauth.clientCredentialsGrantRequest(as, client, auth, parameters, options);
        return tokens(await oauth.processClientCredentialsResponse(as, client, answer));
      },
      isActive: async (token) => {
        const answer = await oauth.introspectionRequest(as, client, auth, token, options);
        return (await oauth.processIntrospectionResponse(as, client, answer)).active;
      },
      revoke: async (token) => {
        await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, token, options));
      },
    };
  },
};
