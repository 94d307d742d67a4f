// @ts-check

const MAX_REDIRECTS = 20;

/** @typedef {{ name: string, value: string, path: string }} Cookie */
/** @typedef {{ url: URL, status: number, location: URL | undefined, text: string }} Page */

const ENTITIES = /** @type {Record<string, string>} */ ({ amp: '&', lt: '<', gt: '>', quot: '"' });

/** @param {string} text */
const decodeEntities = (text) =>
  text
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll(/&([a-z]+);/g, (whole, name) => ENTITIES[name] ?? whole);

/**
 * @param {string} tag
 * @param {string} name
 */
function attribute(tag, name) {
  const value = new RegExp(`\\s${name}="([^"]*)"`, 'i').exec(tag)?.[1];
  return value === undefined ? undefined : decodeEntities(value);
}

/**
 * The page's form with one of its buttons pressed.
 * @param {Page} page
 * @param {string} button its text, or the beginning of it
 */
function filledForm(page, button) {
  const [, open = '', inner = ''] = /(<form\b[^>]*>)([\s\S]*?)<\/form>/i.exec(page.text) ?? [];
  const pressed = [...inner.matchAll(/(<button\b[^>]*>)([\s\S]*?)<\/button>/gi)].find(([, , text = '']) =>
    decodeEntities(text).trim().startsWith(button),
  );
  if (pressed === undefined) throw new Error(`no button "${button}" at ${page.url.origin}${page.url.pathname}`);
  const fields = new URLSearchParams();
  const named = [...inner.matchAll(/<input\b[^>]*>/gi)].map(([tag]) => tag);
  for (const tag of [...named, pressed[1] ?? '']) {
    const name = attribute(tag, 'name');
    if (name !== undefined) fields.set(name, attribute(tag, 'value') ?? '');
  }
  return { action: new URL(attribute(open, 'action') ?? '', page.url), fields };
}

/**
 * A person's browser, as far as the sign-in needs one: cookies, redirects and buttons. Cookies are kept per host and
 * port, because the service and its provider share the machine.
 */
export class UserAgent {
  /** @type {Map<string, Cookie[]>} */
  #cookies = new Map();
  #signal;

  /** @param {AbortSignal} signal ends whatever is under way */
  constructor(signal) {
    this.#signal = signal;
  }

  /**
   * Opens an address and follows redirects, but not to where `stopAt` begins: that is the client's own address.
   * @param {URL} url
   * @param {string} stopAt
   * @param {URLSearchParams} [form]
   * @returns {Promise<Page>}
   */
  async open(url, stopAt, form) {
    let page = await this.#request(url, form);
    for (let hops = 0; page.location !== undefined && !page.location.href.startsWith(stopAt); hops += 1) {
      if (hops === MAX_REDIRECTS) throw new Error(`too many redirects, last to ${page.location.origin}`);
      page = await this.#request(page.location);
    }
    return page;
  }

  /**
   * @param {Page} page
   * @param {string} button
   * @param {string} stopAt
   * @returns {Promise<Page>}
   */
  press(page, button, stopAt) {
    const { action, fields } = filledForm(page, button);
    return this.open(action, stopAt, fields);
  }

  /**
   * @param {URL} url
   * @param {URLSearchParams} [form]
   * @returns {Promise<Page>}
   */
  async #request(url, form) {
    const cookies = (this.#cookies.get(url.host) ?? []).filter(({ path }) => url.pathname.startsWith(path));
    const answer = await fetch(url, {
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'text/html',
        ...(cookies.length > 0 && { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') }),
      },
      ...(form && { body: form }),
      redirect: 'manual',
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(15_000)]),
    });
    this.#store(answer.headers.getSetCookie(), url);
    const text = await answer.text();
    const location = answer.headers.get('location');
    if (answer.status >= 400) {
      throw new Error(`${url.origin}${url.pathname} answered ${answer.status}: ${heading(text)}`);
    }
    return { url, status: answer.status, location: location === null ? undefined : new URL(location, url), text };
  }

  /**
   * @param {string[]} headers
   * @param {URL} url
   */
  #store(headers, url) {
    for (const header of headers) {
      const [pair = '', ...attributes] = header.split(';').map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(name.length + 1);
      const path = attributes.find((part) => /^path=\//i.test(part))?.slice('path='.length) ?? '/';
      const others = (this.#cookies.get(url.host) ?? []).filter((one) => one.name !== name || one.path !== path);
      const removed =
        value === '' ||
        attributes.some((part) => /^max-age=(0|-\d+)$/i.test(part)) ||
        attributes.some((part) => /^expires=/i.test(part) && Date.parse(part.slice('expires='.length)) <= Date.now());
      this.#cookies.set(url.host, removed ? others : [...others, { name, value, path }]);
    }
  }
}

/** @param {string} html */
const heading = (html) => decodeEntities(/<h1>([\s\S]*?)<\/h1>/i.exec(html)?.[1] ?? html.slice(0, 200));
