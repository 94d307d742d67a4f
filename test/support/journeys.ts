import { expect } from 'vitest';
import type { Row } from './databases.js';
import type { Browser, BrowserResponse } from './http-browser.js';
import { pkce, PROVIDER, READ_SCOPE, REDIRECT_URI, type World } from './world.js';

/** Steps that people take in browsers, one at a time, so that a test can stop between them. */

export interface LoginOptions {
  provider?: string;
  login?: string;
  returnTo?: string;
  service?: string;
}

const isCallback = (url: URL): boolean => /\/login\/[^/]+\/callback$/.test(url.pathname);

/** Signs in at the provider and stops before the answer reaches us: the callback's URL, not yet opened. */
export async function bringBackCallback(world: World, browser: Browser, options: LoginOptions = {}): Promise<URL> {
  const { provider = PROVIDER, login: hint = 'alice', returnTo, service = world.service.url } = options;
  const query = new URLSearchParams({ login_hint: hint, ...(returnTo !== undefined && { return_to: returnTo }) });
  const answer = await browser.get(`${service}/login/${provider}?${query.toString()}`, { stopBefore: isCallback });
  if (!answer.location) throw new Error(`no callback: ${answer.status} ${answer.url} ${answer.text()}`);
  return answer.location;
}

/** The whole sign-in, up to the answer of our callback. */
export async function login(world: World, browser: Browser, options: LoginOptions = {}): Promise<BrowserResponse> {
  return browser.request(await bringBackCallback(world, browser, options));
}

/** A changed copy of a URL; null removes the parameter. */
export function altered(url: URL, changes: Record<string, string | null>): URL {
  const copy = new URL(url);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) copy.searchParams.delete(name);
    else copy.searchParams.set(name, value);
  }
  return copy;
}

export function sessionCookie(browser: Browser, world: World): string | undefined {
  return browser.cookies(world.service.url).find(({ name }) => name.includes('symbolon-session-'))?.value;
}

export interface AuthorizationUrl {
  url: string;
  verifier: string;
  state: string;
}

let states = 0;

/** An authorization request of `reader`; null leaves a parameter out. */
export function authorizationUrl(world: World, changes: Record<string, string | null> = {}): AuthorizationUrl {
  const { verifier, challenge } = pkce();
  states += 1;
  const wanted: Record<string, string | null> = {
    client_id: 'reader',
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: READ_SCOPE,
    state: `state-${states}`,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    identity_provider: PROVIDER,
    login_hint: 'alice',
    ...changes,
  };
  const url = new URL(`${world.service.url}/auth`);
  for (const [name, value] of Object.entries(wanted)) if (value !== null) url.searchParams.set(name, value);
  return { url: url.href, verifier, state: wanted['state'] ?? '' };
}

export const atClient = (url: URL): boolean => url.href.startsWith(REDIRECT_URI);

/** Opens the authorization request and stops at the client's door, or at a page of ours. */
export function open(browser: Browser, url: string | URL): Promise<BrowserResponse> {
  return browser.get(url, { stopBefore: atClient });
}

/** What the client is told; fails when it is told nothing. */
export function toldClient(answer: BrowserResponse): URLSearchParams {
  if (!answer.location || !atClient(answer.location))
    throw new Error(`the client was told nothing: ${answer.status} ${answer.url} ${answer.text()}`);
  return answer.location.searchParams;
}

/** What a person sees when something was refused: a page, no redirect, with the headers of every page. */
export function expectErrorPage(answer: BrowserResponse, status?: number): void {
  if (status !== undefined) expect(answer.status).toBe(status);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(answer.location).toBeUndefined();
  expectPageHeaders(answer);
  expect(answer.text()).toMatch(/Reference: <code>[0-9a-v]{20}<\/code>/);
}

export function expectPageHeaders({ headers }: BrowserResponse): void {
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('access-control-allow-origin')).toBeNull();
}

const KEPT = ['users', 'linked_accounts', 'sessions', 'grants', 'authorization_codes', 'consents'] as const;
type Kept = (typeof KEPT)[number];

async function rows(world: World, table: string): Promise<Row[]> {
  return world.database.query(`SELECT * FROM ${table}`);
}

export async function count(world: World, table: string, where = '', values: unknown[] = []): Promise<number> {
  const [row] = await world.database.query(`SELECT count(*) AS n FROM ${table} ${where}`, values);
  return Number(row?.['n']);
}

/** Everything that a refused sign-in or authorization must not change, cell by cell. */
export async function snapshot(world: World): Promise<Record<Kept, string[]>> {
  const entries = await Promise.all(
    KEPT.map(
      async (table) => [table, (await rows(world, table)).map((row) => JSON.stringify(row)).toSorted()] as const,
    ),
  );
  return Object.fromEntries(entries) as Record<Kept, string[]>;
}

/** Whatever `refused` does, nothing that is kept changes and the browser's session stays what it was. */
export async function expectNothingStored(
  world: World,
  browser: Browser,
  refused: () => Promise<unknown>,
): Promise<void> {
  const before = await snapshot(world);
  const session = sessionCookie(browser, world);
  await refused();
  expect(await snapshot(world)).toEqual(before);
  expect(sessionCookie(browser, world)).toBe(session);
}
