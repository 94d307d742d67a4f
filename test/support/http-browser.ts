import { Agent, request as send } from 'undici';
import { type Cookie, CookieJar, parseSetCookie } from './cookie-jar.js';
import { form as findForm, refresh } from './html-form.js';
import { SecretLedger } from './secret-ledger.js';
import { recordHtml, recordJson, recordParameters, recordRequestHeaders, recordUrl } from './traffic-secrets.js';

export { decodeEntities, form, forms, type HtmlForm } from './html-form.js';

const MAX_REDIRECTS = 20;

export interface RequestOptions {
  method?: string | undefined;
  /** Sent as application/x-www-form-urlencoded. Pairs allow repeated names. */
  form?: Record<string, string> | Pairs | undefined;
  json?: unknown;
  /** Sent as it is; set the content type yourself. */
  body?: string | Uint8Array | undefined;
  headers?: Record<string, string> | undefined;
  /** Default `manual` for request(), `follow` for get(), post() and submit(). */
  redirect?: 'manual' | 'follow' | undefined;
  /** With `follow`: a redirect to such an address is returned instead of being requested. */
  stopBefore?: ((url: URL) => boolean) | undefined;
}

type Body = Pick<RequestOptions, 'form' | 'json' | 'body'>;

/** A person wants pages, where request() takes what a program gets. */
const asPerson = (headers: Record<string, string> = {}): Record<string, string> => ({
  accept: 'text/html, */*;q=0.5',
  ...headers,
});

type Pairs = readonly (readonly [string, string])[];

const isPairs = (form: Record<string, string> | Pairs): form is Pairs => Array.isArray(form);

function encodeBody({ form, json, body }: Body): { body?: string | Uint8Array; type?: string } {
  if (form !== undefined) {
    return {
      body: new URLSearchParams(
        isPairs(form) ? form.map(([name, value]): [string, string] => [name, value]) : form,
      ).toString(),
      type: 'application/x-www-form-urlencoded',
    };
  }
  if (json !== undefined) return { body: JSON.stringify(json), type: 'application/json' };
  return body === undefined ? {} : { body };
}

/** A whole answer. The body has been read, so that nothing here needs awaiting. */
export class BrowserResponse {
  constructor(
    /** The address that answered, after redirects. */
    readonly url: string,
    readonly status: number,
    readonly headers: Headers,
    readonly bytes: Buffer,
  ) {}

  text(): string {
    return this.bytes.toString('utf8');
  }

  /** The type is the test's claim; nothing checks it. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  json<T = Record<string, unknown>>(): T {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return JSON.parse(this.text()) as T;
  }

  /** Where it leads on by itself, resolved: a redirect, or a page that refreshes. */
  get location(): URL | undefined {
    const isPage = (this.headers.get('content-type') ?? '').includes('html');
    const location = this.headers.get('location') ?? (isPage ? refresh(this.text()) : undefined);
    return location === undefined ? undefined : new URL(location, this.url);
  }
}

/**
 * A user agent over real HTTP: cookies, redirects, forms, no scripts. Each instance is another person's browser. What it
 * sends and receives under a secret name goes into the ledger.
 */
export class Browser {
  /** Every address requested, in order, redirects included. */
  readonly visited: string[] = [];
  readonly #jar = new CookieJar();
  readonly #agent = new Agent({ keepAliveTimeout: 1000 });

  constructor(readonly ledger: SecretLedger = new SecretLedger()) {}

  get(
    url: string | URL,
    options: Omit<RequestOptions, 'method' | 'form' | 'json' | 'body'> = {},
  ): Promise<BrowserResponse> {
    return this.request(url, { redirect: 'follow', ...options, headers: asPerson(options.headers) });
  }

  post(
    url: string | URL,
    form: RequestOptions['form'],
    options: Omit<RequestOptions, 'method' | 'form' | 'json' | 'body'> = {},
  ): Promise<BrowserResponse> {
    const headers = asPerson(options.headers);
    return this.request(url, { redirect: 'follow', ...options, headers, method: 'POST', form: form ?? {} });
  }

  /** Fills in the page's form (the first that has `having`) and sends it as its action and method say. */
  submit(
    page: BrowserResponse,
    fields: Record<string, string> = {},
    options: Omit<RequestOptions, 'method' | 'form' | 'json' | 'body'> & { having?: string } = {},
  ): Promise<BrowserResponse> {
    const { having, ...rest } = options;
    const { action, method, fields: preset } = findForm(page.text(), having);
    const target = new URL(action, page.url);
    const filled = { ...preset, ...fields };
    if (method !== 'GET') return this.post(target, filled, rest);
    target.search = new URLSearchParams(filled).toString();
    return this.get(target, rest);
  }

  async request(url: string | URL, options: RequestOptions = {}): Promise<BrowserResponse> {
    const { redirect = 'manual', stopBefore, headers = {}, ...rest } = options;
    let body: Body = rest;
    let method = rest.method ?? (encodeBody(body).body === undefined ? 'GET' : 'POST');
    let response = await this.#once(new URL(url), method, body, headers);
    if (redirect === 'manual') return response;
    for (let hops = 0; ; hops += 1) {
      const { location, status, headers: received } = response;
      const isRedirect = status >= 300 && status <= 399;
      if (location === undefined || (received.has('location') && !isRedirect) || stopBefore?.(location) === true) break;
      if (hops === MAX_REDIRECTS) throw new Error('too many redirects');
      // As browsers do: 303 always, 301 and 302 after a POST, turn into GET; 307 and 308 repeat the request.
      if (status === 303 || (status < 303 && method === 'POST')) {
        method = 'GET';
        body = {};
      }
      response = await this.#once(location, method, body, headers);
    }
    return response;
  }

  /** Takes one redirect, or all with `redirect: 'follow'`: for tests that look at each step. */
  follow(response: BrowserResponse, options: Omit<RequestOptions, 'method'> = {}): Promise<BrowserResponse> {
    if (response.location === undefined)
      throw new Error(`status ${response.status} without Location: nothing to follow`);
    return this.request(response.location, { ...options, headers: asPerson(options.headers) });
  }

  /** The cookies that a request to this address would carry. */
  cookies(url: string | URL): Cookie[] {
    return this.#jar.matching(new URL(url));
  }

  /** As if the address had answered with this Set-Cookie header: for forged and stolen cookies. */
  setCookie(url: string | URL, header: string): void {
    this.#jar.store(parseSetCookie(header, new URL(url)), new URL(url));
  }

  clearCookies(): void {
    this.#jar.clear();
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async #once(url: URL, method: string, body: Body, headers: Record<string, string>): Promise<BrowserResponse> {
    this.visited.push(url.href);
    const { body: payload, type } = encodeBody(body);
    const sent: Record<string, string> = { accept: '*/*' };
    if (type !== undefined) sent['content-type'] = type;
    const cookies = this.#jar.matching(url);
    if (cookies.length > 0) sent['cookie'] = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    for (const [name, value] of Object.entries(headers)) sent[name.toLowerCase()] = value;

    recordUrl(this.ledger, url);
    recordRequestHeaders(this.ledger, sent);
    recordJson(this.ledger, body.json);
    if (type === 'application/x-www-form-urlencoded') {
      recordParameters(this.ledger, new URLSearchParams(String(payload)), 'form');
    }

    const target = new URL(url);
    target.hash = '';
    const answer = await send(target, { method, headers: sent, body: payload ?? null, dispatcher: this.#agent });
    const received = new Headers();
    for (const [name, value] of Object.entries(answer.headers)) {
      for (const item of [value ?? []].flat()) received.append(name, item);
    }
    const response = new BrowserResponse(
      url.href,
      answer.statusCode,
      received,
      Buffer.from(await answer.body.arrayBuffer()),
    );
    this.#learn(response);
    return response;
  }

  #learn(response: BrowserResponse): void {
    const url = new URL(response.url);
    for (const header of response.headers.getSetCookie()) {
      const cookie = parseSetCookie(header, url);
      this.#jar.store(cookie, url);
      this.ledger.add(cookie.value, `cookie ${cookie.name}`);
    }
    if (response.location !== undefined) recordUrl(this.ledger, response.location);
    const type = response.headers.get('content-type') ?? '';
    if (type.includes('html')) recordHtml(this.ledger, response.text());
    if (!type.includes('json')) return;
    try {
      recordJson(this.ledger, response.json<unknown>());
    } catch {
      // Not JSON after all: that is for the test to judge.
    }
  }
}
