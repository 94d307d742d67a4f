import type { Secret } from '../common/secret.js';
import { isObject, text } from './said-values.js';
import { isThrottled, rejected, UpstreamError } from './upstream-error.js';
import { readJson, readObject, type UpstreamRequests } from './upstream-requests.js';

/**
 * What the userinfo endpoint says, in the provider's own words. Whom it says it about is for the caller to compare.
 *
 * @throws UpstreamError `rejected`: the token was refused; `misconfigured`: there is no such endpoint; `unavailable`.
 * @see OpenID Connect Core 1.0 section 5.3.2
 */
export async function askUserinfo(
  requests: UpstreamRequests,
  endpoint: string | undefined,
  accessToken: Secret,
): Promise<Record<string, unknown>> {
  if (endpoint === undefined) throw new UpstreamError('misconfigured', 'metadata: no userinfo_endpoint');
  const response = await get(requests, 'userinfo', endpoint, accessToken);
  const said = response.status === 200 ? await readObject(response) : undefined;
  if (!said) throw requests.unusable('userinfo', response);
  return said;
}

/**
 * The user's address where the provider keeps addresses apart: the primary one, if it is verified.
 *
 * @throws UpstreamError as `askUserinfo`
 * @see GitHub REST API, "List email addresses for the authenticated user"
 */
export async function askVerifiedEmail(
  requests: UpstreamRequests,
  endpoint: string,
  accessToken: Secret,
): Promise<string | undefined> {
  const response = await get(requests, 'emails', endpoint, accessToken);
  const list = response.status === 200 ? await readJson(response) : undefined;
  if (!Array.isArray(list)) throw requests.unusable('emails', response);
  const primary: unknown = list.find((entry) => isObject(entry) && entry['primary'] === true);
  return isObject(primary) && primary['verified'] === true ? text(primary['email']) : undefined;
}

async function get(requests: UpstreamRequests, what: string, url: string, accessToken: Secret): Promise<Response> {
  const response = await requests.ask(what, url, {
    headers: { accept: 'application/json', authorization: `Bearer ${accessToken.reveal()}` },
  });
  if (isThrottled(response)) throw requests.unusable(what, response);
  if (response.status === 401 || response.status === 403) throw rejected(`${what}: status ${response.status}`);
  return response;
}
