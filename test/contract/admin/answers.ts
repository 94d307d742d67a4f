import { STATUS_CODES } from 'node:http';
import type { Wire } from '../../support/wire.js';

const NO_STORE = { 'cache-control': 'no-store' };
const JSON_ANSWER = { ...NO_STORE, 'content-type': 'application/json; charset=utf-8' };

export const ok = (body: unknown): Wire => ({ status: 200, headers: JSON_ANSWER, body });
export const created = (body: unknown): Wire => ({ status: 201, headers: JSON_ANSWER, body });
export const NO_CONTENT: Wire = { status: 204, headers: {}, body: '' };

export const list = (data: unknown[], pagination = { limit: 20, offset: 0, total_count: data.length }): Wire =>
  ok({ data, meta: { pagination } });

interface ParameterProblem {
  parameter: string;
  detail: string;
}

export const problem = (
  status: number,
  detail: string,
  headers: Record<string, string> = {},
  errors?: ParameterProblem[],
): Wire => ({
  status,
  headers: { ...NO_STORE, 'content-type': 'application/problem+json', ...headers },
  body: {
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    detail,
    instance: '<this request>',
    ...(errors && { errors }),
  },
});

export const invalid = (...errors: [parameter: string, detail: string][]): Wire =>
  problem(
    400,
    'The request is not valid.',
    {},
    errors.map(([parameter, detail]) => ({ parameter, detail })),
  );
export const NO_CREDENTIAL = problem(401, "This needs an administrator's credential.", {
  'www-authenticate': 'Bearer realm="admin"',
});
export const WRONG_CREDENTIAL = problem(
  401,
  "This needs an administrator's credential, and the one presented is none.",
  { 'www-authenticate': 'Bearer realm="admin", error="invalid_token"' },
);
export const NOT_FOUND = problem(404, 'There is no such resource.');
export const notAllowed = (allow: string): Wire =>
  problem(405, 'This resource cannot be asked in this way.', { allow });
export const NOT_JSON = problem(415, 'The body must be application/json.');
export const NOT_LINES = problem(415, 'The body must be application/x-ndjson.');
export const NO_OBJECT = problem(400, 'The body must be a JSON object.');
export const UNPARSABLE = problem(400, 'The request body could not be parsed.');
export const TOO_LARGE = problem(413, 'The request is too large.');
export const TOO_NEW = problem(409, 'A next key is too new to be known to everybody who verifies tokens.');
