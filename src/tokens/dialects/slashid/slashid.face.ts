import type { DomainError } from '../../../common/domain-error.js';
import { below, type ErrorTable, type Face, type RenderedError } from '../../../common/http/face.js';

type ApiError = [status: number, message: string];

const unauthenticated: ApiError = [401, ''];
const invalidGrant: ApiError = [400, 'The grant is invalid.'];
const notThere: ApiError = [404, 'There is no such resource.'];

const ERRORS: ErrorTable<ApiError> = {
  'request.malformed': [400, 'The request could not be understood.'],
  'request.too-large': [413, 'The request is too large.'],
  // Of what is wrong with a request only 400 is documented.
  'request.unsupported-media-type': [400, 'The body is of another type than this resource takes.'],
  'request.not-acceptable': [406, 'The answer would be application/json.'],
  'request.rate-limited': [429, 'There were too many requests.'],
  'request.method-not-allowed': [405, 'This resource cannot be asked in this way.'],
  'request.route-unknown': notThere,
  'request.parameter-invalid': [400, 'The request is not valid.'],
  'resource.not-found': notThere,
  'resource.conflict': [409, 'It exists already.'],
  'credentials.missing': unauthenticated,
  'credentials.unreadable': unauthenticated,
  'credentials.token-too-large': unauthenticated,
  'credentials.token-invalid': unauthenticated,
  'credentials.token-revoked': unauthenticated,
  'credentials.not-an-access-token': unauthenticated,
  'credentials.proof-required': unauthenticated,
  'credentials.caveat-unverified': unauthenticated,
  'credentials.password-wrong': unauthenticated,
  'credentials.basic-disabled': unauthenticated,
  'credentials.user-blocked': unauthenticated,
  'access.forbidden': [403, 'This credential does not allow it.'],
  'client.unauthenticated': [403, 'Client authentication failed.'],
  'client.grant-not-allowed': [403, 'The client may not use this grant type.'],
  'grant.unsupported': [400, 'The grant type is not supported.'],
  'grant.invalid': invalidGrant,
  'grant.reused': invalidGrant,
  'scope.invalid': [400, 'The scope is not allowed.'],
  'user.blocked': [403, 'The person is blocked.'],
  'provider.unknown': [404, 'There is no such provider.'],
  'provider.offline-access-off': [404, 'There is no such provider.'],
  'identity.not-linked': [404, 'There is no such authentication.'],
  'identity.reauthentication-required': [400, 'The person has to sign in at the provider again.'],
  'identity.missing-scopes': [400, 'The person has to sign in at the provider again.'],
  'identity.held-by-another-user': [400, 'The account is linked to another person.'],
  'upstream.unavailable': [503, 'The provider does not answer.'],
  'upstream.misconfigured': [502, 'The provider is not set up correctly.'],
  'server.unavailable': [503, 'The service is temporarily unavailable.'],
  'server.error': [500, 'The error is on our side and has been recorded.'],
};

/** Where scripts of other origins ask. @see RFC 9700 section 2.6 */
const CROSS_ORIGIN = new Set(['/oauth2/tokens', '/oauth2/tokens/revoke']);

/** SlashID's face: everything below its two prefixes. */
export const slashidFace: Face = {
  name: 'slashid',
  owns: below('/oauth2', '/sso/oidc'),
  crossOrigin: (path) => CROSS_ORIGIN.has(path),
  render: (error) => ({ ...body(error), headers: headers(error) }),
};

function body(error: DomainError): Omit<RenderedError, 'headers'> {
  const [status, text] = ERRORS[error.code];
  if (error.code === 'request.route-unknown') {
    return { status, contentType: 'text/plain; charset=utf-8', body: '404 page not found' };
  }
  // A wrong API key is documented without a body.
  if (status === 401) return { status };
  return { status, body: { errors: messagesOf(error, text).map((message) => ({ httpcode: status, message })) } };
}

function messagesOf({ publicDetail, meta }: DomainError, text: string): string[] {
  return meta.errors?.map(({ parameter, detail }) => `${parameter} ${detail}`) ?? [publicDetail ?? text];
}

function headers({ code, meta }: DomainError): Record<string, string> {
  return {
    ...(ERRORS[code][0] === 401 && { 'WWW-Authenticate': 'SlashID-API-Key realm="symbolon"' }),
    ...(meta.retryAfterSeconds !== undefined && { 'Retry-After': String(meta.retryAfterSeconds) }),
  };
}
