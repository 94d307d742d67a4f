import type { Upstream, UpstreamFailure } from '../../../scripts/upstream-provider.mjs';

/** What the token endpoint does, and what becomes of a sign-in and of a refresh that meets it. */
export interface TokenEndpointRow {
  name: string;
  /** Where only one type of provider may do so. */
  only?: 'oauth2';
  arrange: (upstream: Upstream) => void;
  /** What the person sees at our callback; 303 is success. */
  signIn: 303 | 403 | 500 | 503;
  /**
   * - `served`: the new token is given out;
   * - `later`: nobody is asked to do anything, and a later refresh succeeds with the same refresh token;
   * - `misconfigured`: the same, once the operator has acted;
   * - `lost`: the same, but the refresh token was used up by the request whose answer is missing;
   * - `over`: the user has to sign in again.
   */
  refresh: 'served' | 'later' | 'misconfigured' | 'lost' | 'over';
  /** The reason that is kept with the account. */
  reason?: string;
  /** Seconds; what the provider asks for. */
  retryAfter?: number;
}

const fails =
  (failure: UpstreamFailure) =>
  (upstream: Upstream): void =>
    upstream.failNext(1, failure);

const alters =
  (change: (body: Record<string, unknown>) => Record<string, unknown>) =>
  (upstream: Upstream): void =>
    upstream.alterNext(1, change);

const without = (name: string) => alters((body) => ({ ...body, [name]: undefined }));

const TEN_MEGABYTES = 'x'.repeat(10 * 1024 * 1024);

/** It fails, and says nothing about the grant. */
const UNAVAILABLE: [string, UpstreamFailure][] = [
  ['answers 500', { status: 500, body: 'Internal Server Error' }],
  ['answers 503 in JSON with the words of a dead grant', { status: 503, body: { error: 'invalid_grant' } }],
  ['answers temporarily_unavailable with 400', { status: 400, body: { error: 'temporarily_unavailable' } }],
  ['hangs', { hang: true }],
  ['hangs up', { reset: true }],
  ['answers 200 with garbage', { status: 200, body: 'not json' }],
  ['answers 200 with half a JSON object', { status: 200, body: '{"access_token":"abcdefgh' }],
  ['answers 200 with ten megabytes', { status: 200, body: { access_token: 'abcdefgh', padding: TEN_MEGABYTES } }],
  ['answers 200 without a token', { status: 200, body: {} }],
  ['answers 400 in HTML', { status: 400, body: '<html>Bad Request</html>' }],
  ['answers 400 in JSON that is no OAuth error', { status: 400, body: { message: 'nope' } }],
  ['answers 403, as a firewall does', { status: 403, body: '<html>Blocked</html>' }],
  ['redirects', { status: 307, headers: { location: 'https://elsewhere.example/token' } }],
];

const PAUSED: [string, UpstreamFailure, number][] = [
  ['answers 429 with Retry-After', { status: 429, headers: { 'retry-after': '40' } }, 40],
  ['answers 500 with Retry-After', { status: 500, headers: { 'retry-after': '50' } }, 50],
];

const MISCONFIGURED: [string, UpstreamFailure][] = [
  ['answers invalid_client', { status: 401, body: { error: 'invalid_client' } }],
  ['answers unauthorized_client', { status: 400, body: { error: 'unauthorized_client' } }],
];

const OVER: [string, UpstreamFailure, string][] = [
  ['answers invalid_grant', { status: 400, body: { error: 'invalid_grant' } }, 'invalid_grant'],
  ['answers invalid_grant with 200', { status: 200, body: { error: 'invalid_grant' } }, 'invalid_grant'],
  ['wants to see the user', { status: 400, body: { error: 'interaction_required' } }, 'interaction_required'],
];

const ROWS: TokenEndpointRow[] = [
  ...UNAVAILABLE.map(([name, failure]): TokenEndpointRow => ({
    name,
    arrange: fails(failure),
    signIn: 503,
    refresh: 'later',
  })),
  ...PAUSED.map(([name, failure, retryAfter]): TokenEndpointRow => ({
    name,
    arrange: fails(failure),
    signIn: 503,
    refresh: 'later',
    retryAfter,
  })),
  ...MISCONFIGURED.map(([name, failure]): TokenEndpointRow => ({
    name,
    arrange: fails(failure),
    signIn: 500,
    refresh: 'misconfigured',
  })),
  ...OVER.map(([name, failure, reason]): TokenEndpointRow => ({
    name,
    arrange: fails(failure),
    signIn: 403,
    refresh: 'over',
    reason,
  })),
  {
    name: 'drops the answer after it has used up the grant',
    arrange: fails({ afterProcessing: true, reset: true }),
    signIn: 503,
    refresh: 'lost',
    reason: 'rotation_lost',
  },
  { name: 'omits expires_in', arrange: without('expires_in'), signIn: 303, refresh: 'served' },
  { name: 'omits token_type', arrange: without('token_type'), signIn: 303, refresh: 'served' },
  { name: 'omits scope', arrange: without('scope'), signIn: 303, refresh: 'served' },
  {
    name: 'says what no column takes beside the tokens',
    arrange: alters((body) => ({ ...body, expires_in: 3599.5, token_type: 'Bea\u0000rer', scope: 'openid\u0000' })),
    signIn: 303,
    refresh: 'served',
  },
  {
    name: 'separates scopes by commas',
    only: 'oauth2',
    arrange: alters((body) => ({ ...body, scope: String(body['scope']).replaceAll(' ', ',') })),
    signIn: 303,
    refresh: 'served',
  },
];

export function rowsOf(type: 'oidc' | 'oauth2', ...refreshes: TokenEndpointRow['refresh'][]): TokenEndpointRow[] {
  return ROWS.filter(
    ({ only = type, refresh }) => only === type && (refreshes.length === 0 || refreshes.includes(refresh)),
  );
}
