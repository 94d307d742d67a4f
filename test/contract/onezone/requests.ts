import type { Actor, Row } from '../../support/contract-row.js';
import type { BrowserResponse, RequestOptions } from '../../support/http-browser.js';
import { PROVIDER } from '../../support/world.js';

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
