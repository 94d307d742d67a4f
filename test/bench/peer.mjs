import { exportJWK, generateKeyPair } from 'jose';
import { quietly } from '../../scripts/upstream/quietly.mjs';
import { CLIENTS, JWT_RESOURCE, SCOPE } from './scenarios.mjs';

/**
 * node-oidc-provider, with everything in memory: what an implementation of the same protocols does on this machine when
 * it stores nothing for good. PORT says where.
 */
const port = Number(process.env.PORT);
const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const keys = [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'bench' }];

await quietly(async () => {
  const { default: Provider } = await import('oidc-provider');
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    jwks: { keys },
    scopes: [SCOPE],
    clients: Object.values(CLIENTS).map((client) => ({
      ...client,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: SCOPE,
      id_token_signed_response_alg: 'ES256',
    })),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        getResourceServerInfo: () => ({
          scope: SCOPE,
          audience: JWT_RESOURCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3600,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    ttl: { ClientCredentials: 3600 },
  });
  await new Promise((resolve) => {
    provider.listen(port, '127.0.0.1', resolve);
  });
});
