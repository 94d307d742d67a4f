import type { Wire } from '../../support/wire.js';
import { READ_SCOPE } from '../../support/world.js';

export const HEADERS = {
  'access-control-allow-origin': '*',
  'cache-control': 'no-store',
  'x-fapi-interaction-id': '<uuid>',
};
export const JSON_HEADERS = { ...HEADERS, 'content-type': 'application/json; charset=utf-8' };

export const granted = (scope: string = READ_SCOPE): Wire => ({
  status: 200,
  headers: JSON_HEADERS,
  body: {
    access_token: '<token>',
    expires_in: '<up to 3600 s>',
    token_type: 'Bearer',
    scope,
    ...(scope.includes('openid') && { id_token: '<token>' }),
  },
});
export const refused = (error: string, description: string): Wire => ({
  status: 400,
  headers: JSON_HEADERS,
  body: { error, error_description: description },
});
export const invalidRequest = (description: string): Wire => refused('invalid_request', description);
export const INVALID_CLIENT = refused('invalid_client', 'Client authentication failed.');
export const INVALID_BASIC: Wire = {
  ...INVALID_CLIENT,
  status: 401,
  headers: { ...JSON_HEADERS, 'www-authenticate': 'Basic realm="symbolon", charset="UTF-8"' },
};
export const INVALID_GRANT = refused(
  'invalid_grant',
  'The authorization code is invalid, expired, used, or was issued to another client or for another request.',
);
export const empty = (status: number, headers: Record<string, string> = {}): Wire => ({
  status,
  headers: { ...HEADERS, ...headers },
  body: '',
});
