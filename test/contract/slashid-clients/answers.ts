import type { Wire } from '../../support/wire.js';

const NO_STORE = { 'cache-control': 'no-store' };
const JSON_ANSWER = { ...NO_STORE, 'content-type': 'application/json; charset=utf-8' };

export const ok = (result: unknown): Wire => ({ status: 200, headers: JSON_ANSWER, body: { result } });
export const created = (result: unknown): Wire => ({ ...ok(result), status: 201 });
export const NO_CONTENT: Wire = { status: 204, headers: {}, body: '' };

/** `{"errors":[{"httpcode","message"}]}`. */
export const refused = (status: number, ...messages: string[]): Wire => ({
  status,
  headers: JSON_ANSWER,
  body: { errors: messages.map((message) => ({ httpcode: status, message })) },
});
export const invalid = (...messages: string[]): Wire => refused(400, ...messages);
export const NOT_FOUND = refused(404, 'There is no such resource.');

/** A wrong key: 401 with an empty body. */
export const UNAUTHORIZED: Wire = {
  status: 401,
  headers: { ...NO_STORE, 'www-authenticate': 'SlashID-API-Key realm="symbolon"' },
  body: '',
};
export const PAGE_NOT_FOUND: Wire = {
  status: 404,
  headers: { ...NO_STORE, 'content-type': 'text/plain; charset=utf-8' },
  body: '404 page not found',
};
export const notAllowed = (allow: string): Wire => {
  const { headers, ...rest } = refused(405, 'This resource cannot be asked in this way.');
  return { ...rest, headers: { ...headers, allow } };
};
