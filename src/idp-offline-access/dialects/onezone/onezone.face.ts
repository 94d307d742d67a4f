import { epochSeconds } from '../../../common/clock.js';
import type { DomainError, ErrorMeta } from '../../../common/domain-error.js';
import { below, type ErrorTable, type Face } from '../../../common/http/face.js';
import { badData, badValueTextTooLarge, OnezoneProblem, type OnezoneError } from './onezone-problem.js';

export const ONEZONE_PREFIX = '/api/v3/onezone';

interface Rendering {
  status: number;
  error: (meta: ErrorMeta) => OnezoneError;
  /** What is wrong with a credential, which stands in `authError`. */
  reason?: (meta: ErrorMeta) => OnezoneError;
}

const is = (status: number, id: string, description: string): Rendering => ({
  status,
  error: () => ({ id, description }),
});

/** Who is there was judged: the reason stands in `authError`. */
const authError = (reason: (meta: ErrorMeta) => OnezoneError): Rendering => ({
  status: 401,
  reason,
  error: (meta) => ({
    id: 'unauthorized',
    details: { authError: reason(meta) },
    description: 'Provided authentication is not valid (see details).',
  }),
});
const authErrorIs = (id: string, description: string) => authError(() => ({ id, description }));

const notFound = is(404, 'notFound', 'The resource could not be found.');
const forbidden = is(403, 'forbidden', 'You are not authorized to perform this operation.');
const badToken = authErrorIs('badToken', 'Provided token could not be understood by the server.');
const tokenInvalid = authErrorIs('tokenInvalid', 'Provided token is not valid.');
const malformedData = is(400, 'malformedData', 'Provided data could not be understood by the server.');
const internalServerError = is(
  500,
  'internalServerError',
  'The server has encountered an error while processing this request.',
);
const badIdp: Rendering = {
  status: 400,
  error: ({ allowed = [] }) => ({
    id: 'badValueNotAllowed',
    details: { key: 'idp', allowed },
    description: `Bad value: provided "idp" must be one of: ${allowed.join(', ')}.`,
  }),
};
const BLOCKED =
  'This user account has been blocked by the administrator and cannot be used unless it is unblocked again.';

/** Texts are exact: the vendor's clients read them. */
const ERRORS: ErrorTable<Rendering> = {
  'request.malformed': malformedData,
  'request.too-large': {
    status: 400,
    error: ({ limit = 65_536 }) => badValueTextTooLarge('body', limit).error,
  },
  'request.unsupported-media-type': { ...malformedData, status: 415 },
  'request.not-acceptable': is(406, 'notSupported', 'This operation is not supported.'),
  'request.rate-limited': is(429, 'tooManyRequests', 'There were too many requests.'),
  'request.method-not-allowed': is(405, 'notSupported', 'This operation is not supported.'),
  'request.route-unknown': notFound,
  'request.parameter-invalid': {
    status: 400,
    error: ({ parameter = 'body' }) => badData(parameter).error,
  },
  'resource.not-found': notFound,
  'resource.conflict': {
    status: 409,
    error: () => ({ id: 'alreadyExists', description: 'The resource already exists.' }),
  },
  'credentials.missing': is(401, 'unauthorized', 'You must authenticate yourself to perform this operation.'),
  'credentials.unreadable': badToken,
  'credentials.token-too-large': authError(({ limit }) => ({
    id: 'tokenTooLarge',
    details: { limit },
    description: `Provided token exceeds the allowed size (${limit} characters).`,
  })),
  'credentials.token-invalid': tokenInvalid,
  'credentials.token-revoked': authErrorIs('tokenRevoked', 'Provided token has been revoked.'),
  'credentials.not-an-access-token': authError(({ received }) => ({
    id: 'notAnAccessToken',
    details: { received },
    description: 'Expected an access token.',
  })),
  'credentials.proof-required': tokenInvalid,
  'credentials.caveat-unverified': authError(({ expiredAt = 0 }) => ({
    id: 'tokenCaveatUnverified',
    details: { caveat: { type: 'time', validUntil: epochSeconds(expiredAt) } },
    description: `Provided token is not valid - unverified time caveat: this token has expired at '${isoSeconds(expiredAt)}'.`,
  })),
  'credentials.password-wrong': authErrorIs('badBasicCredentials', 'Invalid username or password.'),
  'credentials.basic-disabled': authErrorIs('basicAuthDisabled', 'Basic auth is disabled for this user.'),
  'credentials.user-blocked': authErrorIs('userBlocked', BLOCKED),
  'access.forbidden': forbidden,
  'client.unauthenticated': tokenInvalid,
  'client.grant-not-allowed': forbidden,
  'grant.unsupported': forbidden,
  'grant.invalid': forbidden,
  'grant.reused': forbidden,
  'scope.invalid': forbidden,
  'user.blocked': is(400, 'userBlocked', BLOCKED),
  'provider.unknown': badIdp,
  'provider.offline-access-off': badIdp,
  'identity.not-linked': notFound,
  'identity.reauthentication-required': notFound,
  'identity.missing-scopes': notFound,
  'identity.held-by-another-user': forbidden,
  'upstream.unavailable': {
    status: 503,
    error: () => ({
      id: 'externalServiceOperationFailed',
      details: { serviceName: 'identity provider' },
      description: 'Operation on the external service "identity provider" failed. Try again later.',
    }),
  },
  'upstream.misconfigured': internalServerError,
  'server.unavailable': is(503, 'serviceUnavailable', 'The service is temporarily unavailable. Try again later.'),
  'server.error': internalServerError,
};

/** Without fractions, as the vendor writes them. */
const isoSeconds = (instant: number): string => new Date(instant).toISOString().replace(/\.\d+Z$/, 'Z');

/** What is wrong with a token, where the error is about one. */
export function reasonOf({ code, meta }: DomainError): OnezoneError | undefined {
  return ERRORS[code].reason?.(meta);
}

export const onezoneFace: Face = {
  name: 'onezone',
  owns: below(ONEZONE_PREFIX),
  crossOrigin: true,
  render: (thrown: DomainError) => {
    const { code, meta } = thrown;
    const { status, error } = ERRORS[code];
    return {
      status,
      body: { error: thrown instanceof OnezoneProblem ? thrown.error : error(meta) },
      headers: {
        ...(status === 401 && { 'WWW-Authenticate': 'Bearer realm="onezone", Basic realm="onezone", charset="UTF-8"' }),
        ...(meta.retryAfterSeconds !== undefined && { 'Retry-After': String(meta.retryAfterSeconds) }),
      },
    };
  },
};
