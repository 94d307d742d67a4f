import { Provider } from 'oidc-provider';
import { exportJWK, generateKeyPair } from 'jose';

export const REDIRECT_URI = 'http://127.0.0.1:1/callback';

/**
 * A real OpenID provider (npm oidc-provider) with rotating refresh tokens. Whoever comes is alice, and she agrees.
 *
 * @param {{ issuer: string, clientId: string, clientSecret: string, authMethod: string, clientKey: import('jose').JWK }} options
 * @returns {Promise<import('node:http').RequestListener>}
 */
export async function oidcProvider({ issuer, clientId, clientSecret, authMethod, clientKey }) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        ...(authMethod === 'private_key_jwt' ? { jwks: { keys: [clientKey] } } : { client_secret: clientSecret }),
        redirect_uris: [REDIRECT_URI],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: authMethod,
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'e1', use: 'sig' }] },
    cookies: { keys: ['a-cookie-key-for-tests'] },
    scopes: ['openid', 'offline_access', 'email'],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@idp.example`, email_verified: true }),
    }),
    features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope('openid offline_access email');
      await grant.save();
      return grant;
    },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 300,
      IdToken: 300,
      RefreshToken: 3600,
      AuthorizationCode: 60,
      Session: 600,
      Interaction: 600,
      Grant: 3600,
    },
  });
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    ctx.respond = false;
    return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: 'alice' } });
  });
  return provider.callback();
}
