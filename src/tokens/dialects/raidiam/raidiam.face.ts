import { randomUUID } from 'node:crypto';
import type { DomainError } from '../../../common/domain-error.js';
import type { ErrorTable, Face, FaceRequest, RenderedError } from '../../../common/http/face.js';

const INTERACTION_ID = /^[a-zA-Z0-9][a-zA-Z0-9-]{0,99}$/;
const INTERACTION_HEADER = 'x-fapi-interaction-id';
/** Where scripts of other origins ask; the authorization endpoint is not among them. @see RFC 9700 section 2.6 */
const CROSS_ORIGIN = new Set([
  '/token',
  '/token/revocation',
  '/revoke',
  '/jwks',
  '/.well-known/jwks.json',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
]);

/** Where a client that is not authenticated is told so by 401, however it tried. @see RFC 7662 section 2.3 */
const INTROSPECTION = '/token/introspection';

/** The interaction id received where it is valid, a new UUID otherwise: every answer carries one. */
function interactionId(received: string | string[] | undefined): string {
  return typeof received === 'string' && INTERACTION_ID.test(received) ? received : randomUUID();
}

type OAuthError = [status: number, error: string] | [status: number];

const INVALID_TOKEN: OAuthError = [401, 'invalid_token'];
const ERRORS: ErrorTable<OAuthError> = {
  'request.malformed': [400, 'invalid_request'],
  'request.too-large': [413],
  'request.unsupported-media-type': [400, 'invalid_request'],
  'request.not-acceptable': [406],
  'request.rate-limited': [429],
  'request.method-not-allowed': [405],
  'request.route-unknown': [404],
  'request.parameter-invalid': [400, 'invalid_request'],
  'resource.not-found': [404],
  'resource.conflict': [409, 'invalid_request'],
  'credentials.missing': INVALID_TOKEN,
  'credentials.unreadable': INVALID_TOKEN,
  'credentials.token-too-large': INVALID_TOKEN,
  'credentials.token-invalid': INVALID_TOKEN,
  'credentials.token-revoked': INVALID_TOKEN,
  'credentials.not-an-access-token': INVALID_TOKEN,
  'credentials.proof-required': INVALID_TOKEN,
  'credentials.caveat-unverified': INVALID_TOKEN,
  'credentials.password-wrong': INVALID_TOKEN,
  'credentials.basic-disabled': INVALID_TOKEN,
  'credentials.user-blocked': INVALID_TOKEN,
  'access.forbidden': [403, 'insufficient_scope'],
  'client.unauthenticated': [400, 'invalid_client'],
  'client.grant-not-allowed': [400, 'unauthorized_client'],
  'grant.unsupported': [400, 'unsupported_grant_type'],
  'grant.invalid': [400, 'invalid_grant'],
  'grant.reused': [400, 'invalid_grant'],
  'scope.invalid': [400, 'invalid_scope'],
  'user.blocked': [400, 'invalid_grant'],
  'provider.unknown': [400, 'invalid_target'],
  'provider.offline-access-off': [400, 'invalid_target'],
  'identity.not-linked': [400, 'invalid_grant'],
  'identity.reauthentication-required': [400, 'invalid_grant'],
  'identity.missing-scopes': [400, 'invalid_scope'],
  'identity.held-by-another-user': [400, 'invalid_grant'],
  'upstream.unavailable': [503],
  'upstream.misconfigured': [500],
  'server.unavailable': [503],
  'server.error': [500],
};

/** Raidiam Connect's face, which is our standard OAuth 2 / OpenID Connect face, too. */
export const raidiamFace: Face = {
  name: 'raidiam',
  owns: () => true,
  crossOrigin: (path) => CROSS_ORIGIN.has(path),
  headers: ({ headers: received }) => ({ [INTERACTION_HEADER]: interactionId(received[INTERACTION_HEADER]) }),
  render: (error, request) => ({ ...body(error, request), headers: headers(error, request) }),
};

function body(error: DomainError, request: FaceRequest): Pick<RenderedError, 'status' | 'body'> {
  const [status, code] = statusOf(error, request);
  if (status === 404) return { status, body: { errors: ['Not Found'] } };
  // 405, 406, 413, 429 and 5xx say all that they say in the header.
  return code === undefined ? { status } : { status, body: oauthError(code, error) };
}

/** RFC 6749 section 5.2: 401 answers the Authorization header; the body's credentials are documented as 400. */
function statusOf({ code }: DomainError, { headers: received, path }: FaceRequest): OAuthError {
  const byHeader = received.authorization !== undefined || path.replace(/\/$/, '') === INTROSPECTION;
  return code === 'client.unauthenticated' && byHeader ? [401, 'invalid_client'] : ERRORS[code];
}

function oauthError(code: string, { publicDetail, meta }: DomainError): object {
  return {
    error: code,
    ...(publicDetail !== undefined && { error_description: publicDetail }),
    ...(meta.connectUrl !== undefined && { error_uri: meta.connectUrl }),
  };
}

function headers(error: DomainError, request: FaceRequest): Record<string, string> {
  const [status, code] = statusOf(error, request);
  return {
    ...(status === 401 && { 'WWW-Authenticate': challenge(error, code) }),
    ...(error.meta.retryAfterSeconds !== undefined && { 'Retry-After': String(error.meta.retryAfterSeconds) }),
  };
}

function challenge(error: DomainError, code: string | undefined): string {
  if (error.code === 'client.unauthenticated') return 'Basic realm="symbolon", charset="UTF-8"';
  return `Bearer realm="symbolon"${error.code === 'credentials.missing' ? '' : `, error="${code}"`}`;
}
