import { OutboundError } from './outbound-client.js';

const MAX_RETRY_AFTER_MS = 60 * 60 * 1000;

/**
 * What an upstream failure means for us, whoever caused it:
 * - `invalid_grant`: the code or refresh token is dead; the user has to sign in again.
 * - `misconfigured`: our registration or the provider's metadata is wrong; the operator has to act, users are untouched.
 * - `unavailable`: worth trying again later.
 * - `rejected`: this answer or token must not be believed.
 */
export type UpstreamErrorKind = 'invalid_grant' | 'misconfigured' | 'unavailable' | 'rejected';

/**
 * The only error that `UpstreamClient` throws. Its message is ours throughout, safe to log: no token, code or
 * body gets in, and the provider's `error` only if it looks like a registered code.
 */
export class UpstreamError extends Error {
  readonly kind: UpstreamErrorKind;
  /** How long the provider asked to be left alone, at most an hour: a wrong header must not switch it off for a year. */
  readonly retryAfterMs?: number;
  /** The provider's own error code. @see RFC 6749 section 5.2 */
  readonly oauthError?: string;
  /** What was sent has certainly not been acted on: it never arrived, or was turned away for its number. */
  readonly untouched: boolean;

  constructor(
    kind: UpstreamErrorKind,
    reason: string,
    details: { retryAfterMs?: number | undefined; oauthError?: string | undefined; untouched?: boolean } = {},
  ) {
    super(details.oauthError ? `${reason} (${details.oauthError})` : reason);
    this.name = 'UpstreamError';
    this.kind = kind;
    this.untouched = details.untouched ?? false;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
    if (details.oauthError !== undefined) this.oauthError = details.oauthError;
  }
}

/** An id_token whose key is not among the provider's: forged, so old that its key has been retired, or so new that they have to be fetched anew. */
export class UnknownKeyError extends UpstreamError {
  constructor(kind: 'rejected' | 'unavailable') {
    super(kind, "id_token: its key is not among the provider's");
  }
}

export function rejected(reason: string): UpstreamError {
  return new UpstreamError('rejected', reason);
}

/** No answer at all. An address that the policy refuses stays refused, so waiting does not help: the operator must. */
export function unanswered(what: string, error: unknown): UpstreamError {
  if (!(error instanceof OutboundError)) return new UpstreamError('unavailable', `${what}: failed`);
  return new UpstreamError(
    error.kind === 'refused-address' ? 'misconfigured' : 'unavailable',
    `${what}: ${error.message}`,
    { untouched: !error.sent },
  );
}

/** Whether the provider has had enough of us for now; GitHub says so with 403. @see RFC 6585 section 4 */
export function isThrottled({ status, headers }: Response): boolean {
  const limited = headers.has('retry-after') || headers.get('x-ratelimit-remaining') === '0';
  return status === 429 || (status === 403 && limited);
}

/** An answer that is not the one asked for, where no OAuth error is to be expected. */
export function unusable(what: string, response: Response, nowMs: number): UpstreamError {
  return new UpstreamError('unavailable', `${what}: unusable answer, status ${response.status}`, {
    retryAfterMs: retryAfterMs(response.headers.get('retry-after'), nowMs),
    untouched: isThrottled(response),
  });
}

/**
 * What a token endpoint's refusal means. Only an OAuth error in JSON is the provider speaking; anything else
 * (a proxy's HTML, a firewall's 403) says nothing about the grant and must not cost the user the link.
 *
 * @param body the parsed body, `undefined` if it was not a JSON object.
 * @see RFC 6749 section 5.2, RFC 9110 section 10.2.3
 */
export function tokenEndpointError(
  exchange: 'code' | 'refresh',
  response: Response,
  body: Record<string, unknown> | undefined,
  nowMs: number,
): UpstreamError {
  const what = `token endpoint, ${exchange}`;
  const error = body?.['error'];
  if (response.status === 429 || response.status >= 500 || typeof error !== 'string' || error === '') {
    return unusable(what, response, nowMs);
  }
  return new UpstreamError(kindOf(error, exchange), `${what}: refused, status ${response.status}`, {
    oauthError: registeredCode(error),
    retryAfterMs: retryAfterMs(response.headers.get('retry-after'), nowMs),
  });
}

/**
 * What a revocation endpoint's refusal means.
 *
 * @returns `undefined` if the token is dead already, which is what was wanted
 * @see RFC 7009 section 2.2.1
 */
export function revocationError(
  response: Response,
  body: Record<string, unknown> | undefined,
  nowMs: number,
): UpstreamError | undefined {
  const what = 'revocation endpoint';
  const error = body?.['error'];
  if (isThrottled(response) || response.status >= 500) return unusable(what, response, nowMs);
  // Not RFC 7009's: Google says so of a token that expired or was revoked.
  if (error === 'invalid_token' || error === 'invalid_grant') return undefined;
  const refused = response.status === 401 || response.status === 403 || typeof error === 'string';
  if (!refused) return unusable(what, response, nowMs);
  return new UpstreamError('misconfigured', `${what}: refused, status ${response.status}`, {
    oauthError: registeredCode(error),
  });
}

function registeredCode(error: unknown): string | undefined {
  return typeof error === 'string' && /^[a-z_]{1,64}$/.test(error) ? error : undefined;
}

function kindOf(error: string, exchange: 'code' | 'refresh'): UpstreamErrorKind {
  switch (error) {
    case 'invalid_grant':
    // The provider wants to see the user again, which a refresh cannot arrange. OpenID Connect Core 1.0 section 3.1.2.6
    case 'interaction_required':
    case 'login_required':
    case 'consent_required':
    case 'account_selection_required':
    // What GitHub says for a code or refresh token that is wrong, used or expired.
    case 'bad_verification_code':
    case 'bad_refresh_token':
      return 'invalid_grant';
    case 'invalid_client':
    case 'unauthorized_client':
    // GitHub's word for invalid_client.
    case 'incorrect_client_credentials':
      return 'misconfigured';
    case 'temporarily_unavailable':
    case 'server_error':
    case 'slow_down':
      return 'unavailable';
    default:
      return exchange === 'refresh' ? 'misconfigured' : 'rejected';
  }
}

/** How long a header asks to be left alone, at most an hour. @see RFC 9110 section 10.2.3 */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const isSeconds = /^\d+$/.test(header);
  // Date.parse makes a date of nearly anything, so only the form that HTTP prescribes is handed to it.
  if (!isSeconds && !header.endsWith(' GMT')) return undefined;
  const wait = isSeconds ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), MAX_RETRY_AFTER_MS);
}
