import type { DomainError } from '../../../common/domain-error.js';
import { below, type ErrorTable, type Face, type FaceRequest } from '../../../common/http/face.js';

interface PaceError {
  status: number;
  code?: string;
  title: string;
  detail?: string;
}

const unauthorized: PaceError = { status: 401, code: 'unauthorized', title: 'Unauthorized' };
const missingLinkedIdentity: PaceError = {
  status: 401,
  code: 'missing-linked-identity',
  title: 'Missing linked identity for authorized access',
  detail:
    'Linked identity is needed to access this resource, please check why the user does not have a linked identity',
};
const notFound: PaceError = { status: 404, title: 'Resource not found' };
const internal: PaceError = { status: 500, title: 'Internal server error' };

/**
 * The vendor's client rejects any status but 200, 401, 404 and 500, so whatever else went wrong becomes one of them;
 * only a wrong method, which that client never sends, keeps its own.
 */
const ERRORS: ErrorTable<PaceError> = {
  'request.malformed': {
    ...internal,
    code: 'malformed-request',
    detail: 'The request body could not be parsed; this operation takes none.',
  },
  'request.too-large': {
    ...internal,
    code: 'request-too-large',
    detail: 'The request body is too large; this operation takes none.',
  },
  'request.unsupported-media-type': {
    ...internal,
    code: 'unsupported-media-type',
    detail: 'The request body has an unsupported encoding; this operation takes none.',
  },
  'request.not-acceptable': internal,
  'request.rate-limited': internal,
  'request.method-not-allowed': { status: 405, code: 'method-not-allowed', title: 'Method not allowed' },
  'request.route-unknown': notFound,
  'request.parameter-invalid': notFound,
  'resource.not-found': notFound,
  'resource.conflict': internal,
  'credentials.missing': unauthorized,
  'credentials.unreadable': unauthorized,
  'credentials.token-too-large': unauthorized,
  'credentials.token-invalid': unauthorized,
  'credentials.token-revoked': unauthorized,
  'credentials.not-an-access-token': unauthorized,
  'credentials.proof-required': unauthorized,
  'credentials.caveat-unverified': unauthorized,
  'credentials.password-wrong': unauthorized,
  'credentials.basic-disabled': unauthorized,
  'credentials.user-blocked': unauthorized,
  'access.forbidden': unauthorized,
  'client.unauthenticated': unauthorized,
  'client.grant-not-allowed': unauthorized,
  'grant.unsupported': unauthorized,
  'grant.invalid': unauthorized,
  'grant.reused': unauthorized,
  'scope.invalid': unauthorized,
  'user.blocked': unauthorized,
  'provider.unknown': notFound,
  'provider.offline-access-off': notFound,
  'identity.not-linked': missingLinkedIdentity,
  'identity.reauthentication-required': missingLinkedIdentity,
  'identity.missing-scopes': missingLinkedIdentity,
  'identity.held-by-another-user': missingLinkedIdentity,
  'upstream.unavailable': internal,
  'upstream.misconfigured': internal,
  'server.unavailable': internal,
  'server.error': internal,
};

/** PACE's errors are JSON:API documents; their `id` is the request's. */
export const paceFace: Face = {
  name: 'pace',
  owns: below('/user', '/federated-identities'),
  render: (error, request) => ({
    status: ERRORS[error.code].status,
    contentType: 'application/vnd.api+json',
    headers: {
      ...(ERRORS[error.code].status === 401 && { 'WWW-Authenticate': challenge(error) }),
      ...(error.meta.retryAfterSeconds !== undefined && { 'Retry-After': String(error.meta.retryAfterSeconds) }),
    },
    body: { errors: [document(error, request)] },
  }),
};

function document(error: DomainError, { requestId }: FaceRequest): object {
  const { status, code, title, detail } = ERRORS[error.code];
  const { connectUrl, retryAfterSeconds } = error.meta;
  const meta = {
    ...(connectUrl !== undefined && { connect_url: connectUrl }),
    ...(retryAfterSeconds !== undefined && { retry_after: retryAfterSeconds }),
  };
  return {
    id: requestId,
    status: String(status),
    ...(code !== undefined && { code }),
    title,
    ...(detail !== undefined && { detail }),
    ...(Object.keys(meta).length > 0 && { meta }),
  };
}

/** @see RFC 6750 section 3 */
function challenge({ code }: DomainError): string {
  if (code === 'credentials.missing') return 'Bearer realm="pace"';
  if (code === 'access.forbidden') return 'Bearer realm="pace", error="insufficient_scope"';
  return code.startsWith('credentials.') ? 'Bearer realm="pace", error="invalid_token"' : 'Bearer realm="pace"';
}
