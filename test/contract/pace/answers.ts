import { SOON, type Wire } from '../../support/wire.js';
import { PROVIDER } from '../../support/world.js';

export type Headers = Record<string, string>;

export interface Problem {
  code?: string;
  title: string;
  detail?: string;
  meta?: Record<string, unknown>;
}

export const granted = (members: Record<string, unknown> = {}): Wire => ({
  status: 200,
  headers: { 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8' },
  body: {
    access_token: '<token of alice>',
    token_type: 'Bearer',
    expires_in: '<up to 3600 s>',
    scope: 'openid profile email',
    ...members,
  },
});
export const refused = (status: number, problem: Problem, headers: Headers = {}): Wire => ({
  status,
  headers: { 'cache-control': 'no-store', 'content-type': 'application/vnd.api+json', ...headers },
  body: { errors: [{ id: '<request id>', status: String(status), ...problem }] },
});
export const unauthorized = (error?: string): Wire =>
  refused(
    401,
    { code: 'unauthorized', title: 'Unauthorized' },
    { 'www-authenticate': `Bearer realm="pace"${error === undefined ? '' : `, error="${error}"`}` },
  );
export const NOBODY = unauthorized();
export const INVALID_TOKEN = unauthorized('invalid_token');
export const FORBIDDEN = unauthorized('insufficient_scope');
export const missingLinkedIdentity = (provider: string = PROVIDER): Wire =>
  refused(
    401,
    {
      code: 'missing-linked-identity',
      title: 'Missing linked identity for authorized access',
      detail:
        'Linked identity is needed to access this resource, please check why the user does not have a linked identity',
      meta: { connect_url: `<issuer>/connect/${provider}?ticket=<ticket>` },
    },
    { 'www-authenticate': 'Bearer realm="pace"' },
  );
export const NOT_FOUND = refused(404, { title: 'Resource not found' });
export const INTERNAL = refused(500, { title: 'Internal server error' });
export const notNow = (seconds: number | typeof SOON): Wire =>
  refused(500, { title: 'Internal server error', meta: { retry_after: seconds } }, { 'retry-after': String(seconds) });
/** The face documents no status for these, and its client knows none but 200, 401, 404 and 500. */
export const unreadable = (code: string, detail: string): Wire =>
  refused(500, { code, title: 'Internal server error', detail });
