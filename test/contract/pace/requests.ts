import type { Actor, Row } from '../../support/contract-row.js';
import type { RequestOptions } from '../../support/http-browser.js';
import { PROVIDER } from '../../support/world.js';
import type { Headers } from './answers.js';

export const tokenPath = (provider: string = PROVIDER, version?: string): string =>
  `${version === undefined ? '' : `/user/${version}`}/federated-identities/${provider}/token`;

export const to =
  (path: string, options: RequestOptions = {}): Row['send'] =>
  ({ world, token }) =>
    world.request(path, {
      method: 'POST',
      ...options,
      headers: { authorization: `Bearer ${token}`, ...options.headers },
    });
export const asking = (provider?: string): Row['send'] => to(tokenPath(provider));
export const withBody = (body: string, headers: Headers = {}): Row['send'] => to(tokenPath(), { body, headers });
export const withHeaders =
  (headers: (actor: Actor) => Headers): Row['send'] =>
  (actor) =>
    actor.world.request(tokenPath(), { method: 'POST', headers: headers(actor) });
export const authorization = (value: (actor: Actor) => string): Row['send'] =>
  withHeaders((actor) => ({ authorization: value(actor) }));

export const JSON_TYPE = { 'content-type': 'application/json' };
