import type { BrowserResponse, RequestOptions } from '../../support/http-browser.js';
import type { Wire } from '../../support/wire.js';
import { READ_SCOPE, tokenRequest, type World } from '../../support/world.js';

export interface TestClient {
  client_id: string;
  client_secret?: string;
}

export const REDIRECT_URI = 'https://app.example/callback';
/** Clients of this file, beside those of the world. */
export const POSTER = { client_id: 'poster', client_secret: 'poster-secret-0123456789abcdef0123456789abcdef' };
export const CLERK = { client_id: 'clerk', client_secret: 'clerk-secret-0123456789abcdef0123456789abcdef0' };
export const SHRUNK = { client_id: 'shrunk', client_secret: 'shrunk-secret-0123456789abcdef0123456789abcdef' };
const common = { redirect_uris: [REDIRECT_URI], scope: READ_SCOPE, consent: 'implicit' };
export const MORE_CLIENTS = [
  { ...POSTER, ...common, token_endpoint_auth_method: 'client_secret_post' },
  { ...CLERK, ...common, grant_types: ['client_credentials'] },
  { ...SHRUNK, ...common },
];

/** A code that waits to be redeemed. */
export interface Exchange {
  world: World;
  client: TestClient;
  code: string;
  verifier: string;
  challenge: string;
}

export interface TokenRow {
  name: string;
  /** Default `reader`. */
  client?: TestClient;
  /** Default alice. */
  login?: string;
  scope?: string;
  given?: (exchange: Exchange) => Promise<unknown>;
  send: (exchange: Exchange) => Promise<BrowserResponse>;
  answer: Wire;
}

type Form = Record<string, string | undefined>;

/** The world writes them as an object; the harness would take pairs, too. */
export const parametersOf = ({ form = {} }: Pick<RequestOptions, 'form'>): Record<string, string> =>
  form as Record<string, string>;

export const post = ({ world }: Exchange, options: RequestOptions): Promise<BrowserResponse> =>
  world.request('/token', { method: 'POST', ...options });

/** The right request with other parameters; undefined leaves one out. */
export const redeeming =
  (
    change: Form | ((exchange: Exchange) => Form) = {},
    headers: (exchange: Exchange) => Record<string, string> = () => ({}),
  ) =>
  (exchange: Exchange): Promise<BrowserResponse> => {
    const { client, code, verifier } = exchange;
    const request = tokenRequest(client, code, verifier);
    const form = { ...parametersOf(request), ...(typeof change === 'function' ? change(exchange) : change) };
    return post(exchange, {
      headers: { ...request.headers, ...headers(exchange) },
      form: Object.entries(form).flatMap(([name, value]): [string, string][] =>
        typeof value === 'string' ? [[name, value]] : [],
      ),
    });
  };

export const basic = (id: string, secret: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});
export const basicOf =
  (id: string, secret: string): ((exchange: Exchange) => Record<string, string>) =>
  () =>
    basic(id, secret);
/** RFC 6749 section 2.3.1, with everything encoded that may be. */
export const encodedToTheLast = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
