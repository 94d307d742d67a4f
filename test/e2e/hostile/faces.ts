import type { Wire } from '../../support/wire.js';

/** What a face says of a request that it refuses; which words are its own, and which status. */
export type Refusal =
  | { why: 'invalid_request' | 'invalid_scope' | 'unsupported_grant_type'; text: string }
  | { why: 'invalid_client'; authenticated: 'header' | 'body' }
  | { why: 'too-large' }
  | { why: 'unknown-route' };

/** One that takes a form. */
export interface Endpoint {
  path: string;
  /** The least that it takes. */
  base: string;
  takesJson?: true;
  /** Not for scripts of other origins. */
  sameOrigin?: true;
}

export interface HostileFace {
  name: string;
  token: string;
  introspection: string;
  endpoints: Endpoint[];
  refuses: (refusal: Refusal, endpoint?: Endpoint) => Wire;
}

const WRONG_CLIENT = 'Client authentication failed.';
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

/** @see ../../../shared/dialects/raidiam.md: no body beside 413, `errors` beside 404, the interaction id on every answer */
function raidiam(refusal: Refusal, { sameOrigin }: Partial<Endpoint> = {}): Wire {
  const common = {
    ...(!sameOrigin && { 'access-control-allow-origin': '*' }),
    'cache-control': 'no-store',
    'x-fapi-interaction-id': '<uuid>',
  };
  const headers = { ...common, ...JSON_TYPE };
  switch (refusal.why) {
    case 'too-large':
      return { status: 413, headers: common, body: '' };
    case 'unknown-route': {
      const { 'access-control-allow-origin': _, ...toNobody } = headers;
      return { status: 404, headers: toNobody, body: { errors: ['Not Found'] } };
    }
    case 'invalid_client': {
      const body = { error: 'invalid_client', error_description: WRONG_CLIENT };
      if (refusal.authenticated === 'body') return { status: 400, headers, body };
      const challenge = { 'www-authenticate': 'Basic realm="symbolon", charset="UTF-8"' };
      return { status: 401, headers: { ...headers, ...challenge }, body };
    }
    default:
      return { status: 400, headers, body: { error: refusal.why, error_description: refusal.text } };
  }
}

/** @see ../../../shared/dialects/slashid.md: the envelope without `meta`, 403 for a client that is not who it claims to be */
function slashid(refusal: Refusal, { sameOrigin }: Partial<Endpoint> = {}): Wire {
  const common = { ...(!sameOrigin && { 'access-control-allow-origin': '*' }), 'cache-control': 'no-store' };
  const envelope = (status: number, message: string): Wire => ({
    status,
    headers: { ...common, ...JSON_TYPE },
    body: { errors: [{ httpcode: status, message }] },
  });
  switch (refusal.why) {
    case 'too-large':
      return envelope(413, 'The request is too large.');
    case 'unknown-route':
      return {
        status: 404,
        headers: { 'cache-control': 'no-store', 'content-type': 'text/plain; charset=utf-8' },
        body: '404 page not found',
      };
    case 'invalid_client':
      return envelope(403, WRONG_CLIENT);
    default:
      return envelope(400, refusal.text);
  }
}

const asked = 'token=x';

export const FACES: HostileFace[] = [
  {
    name: 'Raidiam',
    token: '/token',
    introspection: '/token/introspection',
    endpoints: [
      { path: '/token', base: 'grant_type=client_credentials' },
      { path: '/token/introspection', base: asked, takesJson: true, sameOrigin: true },
      { path: '/token/revocation', base: asked },
      { path: '/revoke', base: asked },
    ],
    refuses: raidiam,
  },
  {
    name: 'SlashID',
    token: '/oauth2/tokens',
    introspection: '/oauth2/tokens/introspect',
    endpoints: [
      { path: '/oauth2/tokens', base: 'grant_type=client_credentials' },
      { path: '/oauth2/tokens/introspect', base: asked, sameOrigin: true },
      { path: '/oauth2/tokens/revoke', base: asked },
      { path: '/oauth2/tokens/revoke-all', base: 'person_id=x', sameOrigin: true },
    ],
    refuses: slashid,
  },
];
