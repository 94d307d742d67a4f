import type { Wire } from '../../support/wire.js';
import { HEADERS, INVALID_BASIC, JSON_HEADERS, refused } from '../token/answers.js';

export const granted = (scope: string, also: Record<string, string> = {}): Wire => ({
  status: 200,
  headers: JSON_HEADERS,
  body: { access_token: '<token>', expires_in: '<up to 3600 s>', token_type: 'Bearer', scope, ...also },
});
export const invalidScope = (description: string): Wire => refused('invalid_scope', description);
export const INVALID_REFRESH_TOKEN = refused(
  'invalid_grant',
  'The refresh token is invalid, expired, revoked, used, or was issued to another client.',
);

/** Scripts of other origins cannot read introspection. */
const { 'access-control-allow-origin': _, ...OWN_HEADERS } = HEADERS;
const { 'access-control-allow-origin': __, ...OWN_JSON_HEADERS } = JSON_HEADERS;

export const introspected = (body: object): Wire => ({ status: 200, headers: OWN_JSON_HEADERS, body });
export const INACTIVE = introspected({ active: false });
/** protocol.md: "introspection always 401". */
export const NOT_INTROSPECTING: Wire = {
  ...INVALID_BASIC,
  headers: { ...OWN_JSON_HEADERS, 'www-authenticate': 'Basic realm="symbolon", charset="UTF-8"' },
};
export const notIntrospected = (description: string): Wire => ({
  status: 400,
  headers: OWN_JSON_HEADERS,
  body: { error: 'invalid_request', error_description: description },
});
export const emptyIntrospection = (status: number, headers: Record<string, string> = {}): Wire => ({
  status,
  headers: { ...OWN_HEADERS, ...headers },
  body: '',
});
