import type { ClientDeclaration } from '../config/index.js';
import type { NewClient } from './client.js';

/** What the registry keeps of an entry of CONFIG_FILE or of the admin API. */
export function toNewClient(entry: ClientDeclaration): NewClient {
  const { client_uri, logo_uri, tos_uri, policy_uri, contacts, software_id, software_version } = entry;
  const metadata = { client_uri, logo_uri, tos_uri, policy_uri, contacts, software_id, software_version };
  return {
    clientId: entry.client_id,
    clientName: entry.client_name ?? entry.client_id,
    tokenEndpointAuthMethod: entry.token_endpoint_auth_method,
    tokenEndpointAuthSigningAlg: entry.token_endpoint_auth_signing_alg,
    jwks: entry.jwks,
    jwksUri: entry.jwks_uri,
    grantTypes: entry.grant_types,
    redirectUris: entry.redirect_uris,
    scope: entry.scope.split(' '),
    accessTokenFormat: entry.access_token_format,
    accessTokenLifetime: entry.access_token_lifetime,
    refreshTokenLifetime: entry.refresh_token_lifetime,
    upstreamProviders: entry.upstream_providers,
    upstreamRefreshToken: entry.upstream_refresh_token,
    consent: entry.consent,
    requirePkce: entry.require_pkce,
    introspection: entry.introspection,
    idTokenSignedResponseAlg: entry.id_token_signed_response_alg,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)),
  };
}
