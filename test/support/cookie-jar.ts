export interface Cookie {
  name: string;
  value: string;
  path: string;
  httpOnly: boolean;
  secure: boolean;
  /** Epoch milliseconds; Infinity for a session cookie. */
  expiresAt: number;
}

function expiry(attributes: Map<string, string>): number {
  const maxAge = attributes.get('max-age');
  if (maxAge !== undefined) return Number(maxAge) <= 0 ? 0 : Date.now() + Number(maxAge) * 1000;
  const expires = attributes.get('expires');
  return expires === undefined ? Infinity : Date.parse(expires);
}

/** RFC 6265 §5.1.4: a cookie without Path belongs to the directory of the page that set it. */
function defaultPath(url: URL): string {
  const end = url.pathname.lastIndexOf('/');
  return end <= 0 ? '/' : url.pathname.slice(0, end);
}

function pathMatches(path: string, requested: string): boolean {
  return requested === path || requested.startsWith(path.endsWith('/') ? path : `${path}/`);
}

export function parseSetCookie(header: string, url: URL): Cookie {
  const [pair = '', ...rest] = header.split(';').map((part) => part.trim());
  const attributes = new Map(
    rest.map((part): [string, string] => {
      const equals = part.indexOf('=');
      return equals < 0 ? [part.toLowerCase(), ''] : [part.slice(0, equals).toLowerCase(), part.slice(equals + 1)];
    }),
  );
  const equals = pair.indexOf('=');
  const path = attributes.get('path');
  return {
    name: pair.slice(0, equals),
    value: pair.slice(equals + 1),
    path: path?.startsWith('/') === true ? path : defaultPath(url),
    httpOnly: attributes.has('httponly'),
    secure: attributes.has('secure'),
    expiresAt: expiry(attributes),
  };
}

/**
 * The cookies of one browser. Scoped to host AND port, unlike a real browser's: a test runs several services on
 * 127.0.0.1. Secure cookies also go to plain http, since everything here is loopback. SameSite is not modelled.
 */
export class CookieJar {
  readonly #byHost = new Map<string, Cookie[]>();

  store(cookie: Cookie, url: URL): void {
    const kept = (this.#byHost.get(url.host) ?? []).filter(
      ({ name, path }) => name !== cookie.name || path !== cookie.path,
    );
    if (cookie.expiresAt > Date.now()) kept.push(cookie);
    this.#byHost.set(url.host, kept);
  }

  /** Those that a request to this address carries, longest path first. */
  matching(url: URL): Cookie[] {
    const now = Date.now();
    return (this.#byHost.get(url.host) ?? [])
      .filter(({ path, expiresAt }) => expiresAt > now && pathMatches(path, url.pathname))
      .toSorted((one, other) => other.path.length - one.path.length);
  }

  clear(): void {
    this.#byHost.clear();
  }
}
