import { STATUS_CODES } from 'node:http';
import type { DomainError } from '../common/domain-error.js';
import { below, type ErrorTable, type Face } from '../common/http/face.js';
import type { ParameterProblem, ProblemDetails } from './admin.dto.js';

type Problem = [status: number, detail: string];

const unauthenticated: Problem = [401, "This needs an administrator's credential, and the one presented is none."];
const invalid: Problem = [400, 'The request is not valid.'];
const forbidden: Problem = [403, 'This credential does not allow it.'];
const unknownProvider: Problem = [404, 'There is no such identity provider.'];
const failed: Problem = [500, 'The error is on our side and has been recorded.'];

const PROBLEMS: ErrorTable<Problem> = {
  'request.malformed': [400, 'The request could not be understood.'],
  'request.too-large': [413, 'The request is too large.'],
  'request.unsupported-media-type': [415, 'The body must be application/json.'],
  'request.not-acceptable': [406, 'The answer would be application/json.'],
  'request.rate-limited': [429, 'There were too many requests.'],
  'request.method-not-allowed': [405, 'This resource cannot be asked in this way.'],
  'request.route-unknown': [404, 'There is no such resource.'],
  'request.parameter-invalid': invalid,
  'resource.not-found': [404, 'There is no such resource.'],
  'resource.conflict': [409, 'It exists already.'],
  'credentials.missing': [401, "This needs an administrator's credential."],
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
  'access.forbidden': forbidden,
  'client.unauthenticated': unauthenticated,
  'client.grant-not-allowed': forbidden,
  'grant.unsupported': invalid,
  'grant.invalid': invalid,
  'grant.reused': invalid,
  'scope.invalid': invalid,
  'user.blocked': forbidden,
  'provider.unknown': unknownProvider,
  'provider.offline-access-off': unknownProvider,
  'identity.not-linked': [404, 'There is no such linked account.'],
  'identity.reauthentication-required': [409, 'The account has to be linked again.'],
  'identity.missing-scopes': [409, 'The account has to be linked again.'],
  'identity.held-by-another-user': [409, 'The account is linked to another user.'],
  'upstream.unavailable': [503, 'The identity provider does not answer.'],
  'upstream.misconfigured': [502, 'The identity provider is not set up correctly.'],
  'server.unavailable': [503, 'The service is temporarily unavailable.'],
  'server.error': failed,
};

/** Problem details. A title is that of the status, as `about:blank` demands. @see RFC 9457 section 4.2.1 */
export const adminFace: Face = {
  name: 'admin',
  owns: below('/admin'),
  render: (error, { requestId }) => {
    const problem = toProblem(error, requestId);
    const { status } = problem;
    return {
      status,
      contentType: 'application/problem+json',
      headers: {
        ...(status === 401 && { 'WWW-Authenticate': challenge(error) }),
        ...(error.meta.retryAfterSeconds !== undefined && { 'Retry-After': String(error.meta.retryAfterSeconds) }),
      },
      body: problem,
    };
  },
};

export function toProblem(error: DomainError, requestId: string): ProblemDetails {
  const [status, text] = PROBLEMS[error.code];
  const errors = fieldErrors(error);
  return {
    type: 'about:blank',
    title: STATUS_CODES[status]!,
    status,
    detail: errors ? text : (error.publicDetail ?? text),
    instance: `urn:symbolon:request:${requestId}`,
    ...(errors && { errors }),
  };
}

/** Each wrong parameter, and what is wrong with it. */
function fieldErrors({ publicDetail, meta }: DomainError): ParameterProblem[] | undefined {
  if (meta.errors) return meta.errors.map(({ parameter, detail }) => ({ parameter, detail }));
  const { parameter } = meta;
  if (parameter === undefined || publicDetail === undefined) return undefined;
  return [{ parameter, detail: publicDetail.replace(`${parameter} `, '') }];
}

/** @see RFC 6750 section 3 */
function challenge({ code }: DomainError): string {
  return code === 'credentials.missing' ? 'Bearer realm="admin"' : 'Bearer realm="admin", error="invalid_token"';
}
