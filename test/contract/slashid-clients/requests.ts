import type { BrowserResponse, RequestOptions } from '../../support/http-browser.js';
import { Normaliser, type Wire } from '../../support/wire.js';
import type { World } from '../../support/world.js';

export const ADMIN_API_KEY = 'admin-key-0123456789abcdef0123456789abcdef';
export const WRONG_KEY = 'wrong-key-0123456789abcdef0123456789abcdef';

/** Asks with the API key, unless the headers say otherwise. */
export function ask(world: World, method: string, path = '', options: RequestOptions = {}): Promise<BrowserResponse> {
  const headers = { 'slashid-api-key': ADMIN_API_KEY, ...options.headers };
  return world.request(`/oauth2/clients${path}`, { ...options, method, headers });
}

const CLIENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SECRET = /^[A-Za-z0-9_-]{43}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const REPLACED: Readonly<Record<string, [form: RegExp, label: string]>> = {
  client_id: [CLIENT_ID, '<client id>'],
  client_secret: [SECRET, '<secret>'],
  created_at: [TIME, '<time>'],
  last_used: [TIME, '<time>'],
};
const normaliser = new Normaliser();

/** The whole answer; generated ids, secrets and times, each of the documented form, are replaced. */
export function wire(answer: BrowserResponse): Wire {
  const replace = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]): [string, unknown] => {
        const [form, label] = REPLACED[name] ?? [];
        return [name, typeof item === 'string' && form?.test(item) ? label : replace(item)];
      }),
    );
  };
  const { status, headers, body } = normaliser.wire(answer);
  return { status, headers, body: replace(body) };
}
