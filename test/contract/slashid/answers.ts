import type { Wire } from '../../support/wire.js';
import { refused as refusedByFace } from '../slashid-clients/answers.js';

/** security.md: "CORS on token, PAR, revocation", and introspection is neither. */
const ANY_ORIGIN = { 'access-control-allow-origin': '*' };
const NO_STORE = { 'cache-control': 'no-store' };
const JSON_ANSWER = { ...NO_STORE, 'content-type': 'application/json; charset=utf-8' };

export const forAnyOrigin = ({ headers, ...rest }: Wire): Wire => ({ ...rest, headers: { ...ANY_ORIGIN, ...headers } });
export const refused = (status: number, message: string): Wire => forAnyOrigin(refusedByFace(status, message));

/** A bare object; `token_type` is lower-case. */
export const granted = (scope: string, also: Record<string, string> = {}): Wire => ({
  status: 200,
  headers: { ...ANY_ORIGIN, ...JSON_ANSWER },
  body: { access_token: '<token>', expires_in: '<up to 3600 s>', scope, token_type: 'bearer', ...also },
});
export const FULLY = { refresh_token: '<token>', id_token: '<token>' };

export const WRONG_CLIENT = refused(403, 'Client authentication failed.');
export const NOT_FOR_THIS_CLIENT = refused(403, 'The client is not registered for this grant type.');
export const INVALID_CODE = refused(
  400,
  'The authorization code is invalid, expired, used, or was issued to another client or for another request.',
);
export const INVALID_REFRESH_TOKEN = refused(
  400,
  'The refresh token is invalid, expired, revoked, used, or was issued to another client.',
);
export const FORM_EXPECTED = 'The body must be application/x-www-form-urlencoded.';
export const TWO_METHODS = refused(400, 'The client used two authentication methods.');

export const introspected = (body: object): Wire => ({ status: 200, headers: JSON_ANSWER, body });
export const INACTIVE = introspected({ active: false });
export { refusedByFace };

/** 200 without a body. */
export const EMPTY: Wire = { status: 200, headers: NO_STORE, body: '' };
