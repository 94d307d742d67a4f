/**
 * Everything that can go wrong, in our own words, so that no vendor's vocabulary is privileged. Each face has
 * a table `satisfies Record<ErrorCode, …>`: a code that a face does not render fails to compile.
 */
export type ErrorCode =
  | 'request.malformed'
  | 'request.too-large'
  | 'request.unsupported-media-type'
  | 'request.not-acceptable'
  | 'request.rate-limited'
  | 'request.method-not-allowed'
  | 'request.route-unknown'
  | 'request.parameter-invalid'
  | 'resource.not-found'
  | 'resource.conflict'
  | 'credentials.missing'
  | 'credentials.unreadable'
  | 'credentials.token-too-large'
  | 'credentials.token-invalid'
  | 'credentials.token-revoked'
  | 'credentials.not-an-access-token'
  | 'credentials.proof-required'
  | 'credentials.caveat-unverified'
  | 'credentials.password-wrong'
  | 'credentials.basic-disabled'
  | 'credentials.user-blocked'
  | 'access.forbidden'
  | 'client.unauthenticated'
  | 'client.grant-not-allowed'
  | 'grant.unsupported'
  | 'grant.invalid'
  | 'grant.reused'
  | 'scope.invalid'
  | 'user.blocked'
  | 'provider.unknown'
  | 'provider.offline-access-off'
  | 'identity.not-linked'
  | 'identity.reauthentication-required'
  | 'identity.missing-scopes'
  | 'identity.held-by-another-user'
  | 'upstream.unavailable'
  | 'upstream.misconfigured'
  | 'server.unavailable'
  | 'server.error';

/** Machine-readable extras that a face may render; public, never secret. */
export interface ErrorMeta {
  /** When trying again is worth it. */
  retryAfterSeconds?: number;
  /** Where the user links the account. */
  connectUrl?: string;
  /** The request parameter at fault. */
  parameter?: string;
  /** Several parameters at fault, each with what is wrong with it. */
  errors?: readonly { parameter: string; detail: string }[];
  /** The values it may have. */
  allowed?: readonly string[];
  /** The limit that was exceeded, in bytes. */
  limit?: number;
  /** When what was presented expired, in milliseconds since the epoch. */
  expiredAt?: number;
  /** What was received in place of what was expected. */
  received?: string;
  /** The methods a route has. @see RFC 9110 section 15.5.6 */
  allow?: readonly string[];
}

/**
 * A failure with a public and a private half: `publicDetail` and `meta` may be shown to anybody, `cause` and
 * `privateDetail` go to the log only. Neither ever holds a secret.
 */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly publicDetail: string | undefined;
  readonly privateDetail: string | undefined;
  readonly meta: ErrorMeta;

  constructor(
    code: ErrorCode,
    details: { publicDetail?: string; privateDetail?: string; meta?: ErrorMeta; cause?: unknown } = {},
  ) {
    super(details.privateDetail ?? details.publicDetail ?? code, { cause: details.cause });
    this.name = 'DomainError';
    this.code = code;
    this.publicDetail = details.publicDetail;
    this.privateDetail = details.privateDetail;
    this.meta = details.meta ?? {};
  }
}

/** A request parameter that is wrong, and how. */
export function invalidParameter(parameter: string, problem: string): DomainError {
  // Only a name of the expected form is repeated to the caller; it may be anything.
  const name = /^[A-Za-z0-9_.-]{1,64}$/.test(parameter) ? parameter : 'a parameter';
  return new DomainError('request.parameter-invalid', {
    publicDetail: `${name} ${problem}`,
    meta: { parameter: name },
  });
}
