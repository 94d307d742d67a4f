import * as oauth from 'oauth4webapi';
import type { Secret } from '../common/secret.js';
import type { ClientAuthentication } from './client-authentication.js';
import { TOKEN_MAX_BYTES } from './outbound-client.js';
import type { ProviderMetadata } from './provider-metadata.js';
import { revocationError, UpstreamError } from './upstream-error.js';
import { readObject, type UpstreamRequests } from './upstream-requests.js';

export type RevocationHint = 'refresh_token' | 'access_token';

/** @see UpstreamClient.revoke */
export async function revokeToken(
  requests: UpstreamRequests,
  { issuer, tokenEndpoint, revocationEndpoint }: ProviderMetadata,
  authentication: ClientAuthentication,
  token: Secret,
  hint: RevocationHint,
): Promise<void> {
  if (revocationEndpoint === undefined) throw new UpstreamError('misconfigured', 'metadata: no revocation_endpoint');
  if (revocationEndpoint.includes('{client_id}')) {
    // It takes access tokens; a refresh token dies along with the one that it came with.
    if (hint === 'access_token') await deleteToken(requests, revocationEndpoint, authentication, token);
    return;
  }
  const response = await oauth.revocationRequest(
    { issuer, revocation_endpoint: revocationEndpoint },
    authentication.client,
    await authentication.method(tokenEndpoint),
    token.reveal(),
    {
      additionalParameters: { token_type_hint: hint },
      [oauth.allowInsecureRequests]: true,
      [oauth.customFetch]: (url, { method, headers, body }) =>
        requests.ask('revocation endpoint', url, { method, headers, body, maxBytes: TOKEN_MAX_BYTES }),
    },
  );
  if (response.status === 200 || response.status === 204) return;
  const refused = revocationError(response, await readObject(response), requests.nowMs);
  if (refused) throw refused;
}

/**
 * GitHub's way: the token itself is what is deleted.
 * @see GitHub REST API, "Delete an app token"
 */
async function deleteToken(
  requests: UpstreamRequests,
  template: string,
  authentication: ClientAuthentication,
  token: Secret,
): Promise<void> {
  const clientId = encodeURIComponent(authentication.client.client_id);
  const response = await requests.ask('revocation endpoint', template.replace('{client_id}', clientId), {
    method: 'DELETE',
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      authorization: await authentication.basic(),
    },
    body: JSON.stringify({ access_token: token.reveal() }),
    maxBytes: TOKEN_MAX_BYTES,
  });
  // It says "not found" or "validation failed" of a token that it does not know any more.
  if ([204, 404, 422].includes(response.status)) return;
  const refused = revocationError(response, undefined, requests.nowMs);
  if (refused) throw refused;
}
