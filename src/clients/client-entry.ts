import type { ClientDeclaration, ClientEntry } from '../config/index.js';
import type { Client, NewClient } from './client.js';

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
    scope: entry.scope.split(' ').filter((name) => name !== ''),
    accessTokenFormat: entry.access_token_format,
    accessTokenLifetime: entry.access_token_lifetime,
    refreshTokenLifetime: entry.refresh_token_lifetime,
    upstreamProviders: entry.upstream_providers,
    upstreamRefreshToken: entry.upstream_refresh_token,
    consent: entry.consent,
    requirePkce: entry.require_pkce,
    introspection: entry.introspection,
    idTokenSignedResponseAlg: entry.id_token_signed_response_alg,
    metadata: withoutNothing(metadata),
  };
}

/** How the client would be written, without its secrets: what was read can be written again. */
export function toEntry(client: Client): ClientEntry {
  return withoutNothing({
    client_id: client.clientId,
    client_name: client.clientName,
    token_endpoint_auth_method: client.tokenEndpointAuthMethod,
    token_endpoint_auth_signing_alg: client.tokenEndpointAuthSigningAlg,
    jwks: client.jwks as ClientEntry['jwks'],
    jwks_uri: client.jwksUri,
    grant_types: [...client.grantTypes],
    redirect_uris: [...client.redirectUris],
    scope: client.scope.join(' '),
    access_token_format: client.accessTokenFormat,
    access_token_lifetime: client.accessTokenLifetime,
    refresh_token_lifetime: client.refreshTokenLifetime,
    upstream_providers: [...client.upstreamProviders],
    upstream_refresh_token: client.upstreamRefreshToken,
    consent: client.consent,
    require_pkce: client.requirePkce,
    introspection: client.introspection,
    id_token_signed_response_alg: client.idTokenSignedResponseAlg,
    ...client.metadata,
  }) as ClientEntry;
}

function withoutNothing(members: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
