import type { Wire } from '../../support/wire.js';

/** What a face says of a request that it refuses; which words are its own, and which status. */
export type Refusal =
  | { why: 'invalid_request' | 'invalid_scope' | 'unsupported_grant_type'; text: string }
  | { why: 'invalid_client'; authenticated: 'header' | 'body' }
  | { why: 'too-large' }
  | { why: 'unknown-route' };

export interface HostileFace {
  name: string;
  token: string;
  introspection: string;
  refuses: (refusal: Refusal) => Wire;
}

const WRONG_CLIENT = 'Client authentication failed.';
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

/** @see ../../../shared/dialects/raidiam.md: no body beside 413, `errors` beside 404, the interaction id on every answer */
function raidiam(refusal: Refusal): Wire {
  const common = { 'access-control-allow-origin': '*', 'cache-control': 'no-store', 'x-fapi-interaction-id': '<uuid>' };
  const headers = { ...common, ...JSON_TYPE };
  switch (refusal.why) {
    case 'too-large':
      return { status: 413, headers: common, body: '' };
    case 'unknown-route': {
      const { 'access-control-allow-origin': _, ...sameOrigin } = headers;
      return { status: 404, headers: sameOrigin, body: { errors: ['Not Found'] } };
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
function slashid(refusal: Refusal): Wire {
  const common = { 'access-control-allow-origin': '*', 'cache-control': 'no-store' };
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

export const FACES: HostileFace[] = [
  { name: 'Raidiam', token: '/token', introspection: '/token/introspection', refuses: raidiam },
  { name: 'SlashID', token: '/oauth2/tokens', introspection: '/oauth2/tokens/introspect', refuses: slashid },
];
