import type { Actor, Row } from '../../support/contract-row.js';
import type { BrowserResponse, RequestOptions } from '../../support/http-browser.js';
import { PROVIDER, READ_SCOPE, type World } from '../../support/world.js';

type Headers = Record<string, string>;

/** Every declared user's, so that the ledger knows it. */
export const PASSWORD = 'correct horse battery staple';

export const acquiring = (idp: string = PROVIDER): string => `/api/v3/onezone/user/idp_access_token/${idp}`;

export function acquire({ world }: Actor, options: RequestOptions = {}, idp?: string): Promise<BrowserResponse> {
  return world.request(acquiring(idp), { method: 'POST', ...options });
}

export const basic = (username: string, password: string = PASSWORD): Headers => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
});

/** The credential that the vendor's client sends first. */
export const withToken = ({ token }: Pick<Actor, 'token'>, headers: Headers = {}): { headers: Headers } => ({
  headers: { 'x-auth-token': token, ...headers },
});

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
export const send =
  (headers: (actor: Actor) => Record<string, string>, idp?: string): Row['send'] =>
  (actor) =>
    acquire(actor, { headers: headers(actor) }, idp);
export const withBody =
  (body: string, type?: string): Row['send'] =>
  (actor) =>
    acquire(actor, { ...withToken(actor, type === undefined ? {} : { 'content-type': type }), body });
export const byToken: Row['send'] = (actor) => acquire(actor, withToken(actor));

const PREFIX = '/api/v3/onezone';
export const USER = `${PREFIX}/user`;
export const CONFIGURATION = `${PREFIX}/configuration`;
export const NAMED = `${PREFIX}/user/tokens/named`;
export const TEMPORARY = `${PREFIX}/user/tokens/temporary`;
export const VERIFY = `${PREFIX}/tokens/verify_access_token`;
export const namedToken = (id: string): string => `${PREFIX}/tokens/named/${id}`;

/** A client that may make tokens for its users. */
export const MAKER = { client_id: 'maker', client_secret: 'maker-secret-0123456789abcdef0123456789abcdef0' };
export const MAKER_SCOPE = `${READ_SCOPE} onezone:tokens`;

/** Posts JSON with the credential of the vendor's client. */
export const posting =
  (path: string, json: unknown, headers: Headers = {}): Row['send'] =>
  ({ world, token }) =>
    world.request(path, { method: 'POST', headers: { 'x-auth-token': token, ...headers }, json });

/**
 * What swagger-codegen's Python client sends: its Basic header is there without a user name, too, and whatever is not GET
 * has the body `{}` where there is none.
 */
export function asPythonClient(
  world: World,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  {
    token,
    username = '',
    password = '',
    json,
  }: Partial<Record<'token' | 'username' | 'password', string>> & { json?: unknown },
): Promise<BrowserResponse> {
  return world.request(path, {
    method,
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'Swagger-Codegen/1.0.0/python',
      ...(token !== undefined && { 'x-auth-token': token }),
      ...basic(username, password),
    },
    ...(method !== 'GET' && { body: JSON.stringify(json ?? {}) }),
  });
}
