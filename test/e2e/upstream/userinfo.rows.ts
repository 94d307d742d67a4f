import type { Upstream, UpstreamFailure } from '../../../scripts/upstream-provider.mjs';

/** What the userinfo endpoint does, and what the person who signs in sees at our callback. */
export interface UserinfoRow {
  name: string;
  arrange: (upstream: Upstream) => void;
  /** Where userinfo alone says who the user is. */
  oauth2: 303 | 403 | 503;
  /** Where the id_token has said it, and only the profile is wanted. */
  oidc: 303 | 403;
}

const fails = (failure: UpstreamFailure) => (upstream: Upstream) => upstream.failNext(1, failure, 'userinfo');
const says = (claims: Record<string, unknown>) => (upstream: Upstream) =>
  upstream.alterNext(1, (body) => ({ ...body, ...claims }), 'userinfo');

export const USERINFO_ROWS: UserinfoRow[] = [
  { name: 'answers 500', arrange: fails({ status: 500 }), oauth2: 503, oidc: 303 },
  { name: 'answers 429', arrange: fails({ status: 429, headers: { 'retry-after': '9' } }), oauth2: 503, oidc: 303 },
  {
    name: "throttles in GitHub's way",
    arrange: fails({ status: 403, headers: { 'x-ratelimit-remaining': '0' } }),
    oauth2: 503,
    oidc: 303,
  },
  { name: 'hangs up', arrange: fails({ reset: true }), oauth2: 503, oidc: 303 },
  { name: 'answers with garbage', arrange: fails({ status: 200, body: 'not json' }), oauth2: 503, oidc: 303 },
  {
    name: 'answers with ten megabytes',
    arrange: fails({ status: 200, body: { sub: 'x'.repeat(10 * 1024 * 1024) } }),
    oauth2: 503,
    oidc: 303,
  },
  { name: 'refuses the token', arrange: fails({ status: 401 }), oauth2: 403, oidc: 303 },
  { name: 'names nobody', arrange: says({ sub: undefined }), oauth2: 403, oidc: 403 },
  { name: 'names somebody without a name', arrange: says({ sub: '' }), oauth2: 403, oidc: 403 },
  { name: 'names somebody whom no column takes', arrange: says({ sub: 'al\u0000ice' }), oauth2: 403, oidc: 403 },
  { name: 'names an object', arrange: says({ sub: { id: 1 } }), oauth2: 403, oidc: 403 },
  { name: 'names a truth', arrange: says({ sub: true }), oauth2: 403, oidc: 403 },
];
