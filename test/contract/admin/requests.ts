import type { BrowserResponse, RequestOptions } from '../../support/http-browser.js';
import { Normaliser, XID, type Wire } from '../../support/wire.js';
import type { World } from '../../support/world.js';

export const ADMIN_API_KEY = 'admin-key-0123456789abcdef0123456789abcdef';
export const PASSWORD = 'a passphrase that an administrator chose';

/** Asks as the administrator, unless the headers say otherwise. */
export function ask(world: World, method: string, path: string, options: RequestOptions = {}) {
  const headers = { authorization: `Bearer ${ADMIN_API_KEY}`, ...options.headers };
  return world.request(`/admin${path}`, { ...options, method, headers });
}

export async function createUser(world: World, username: string, members: object = {}): Promise<string> {
  const answer = await ask(world, 'POST', '/users', { json: { username, ...members } });
  if (answer.status !== 201) throw new Error(answer.text());
  return answer.json<{ id: string }>().id;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const normaliser = new Normaliser();

/** The whole answer; ids, times and the request's id, which has to be the one of the header, are replaced. */
export function wire(answer: BrowserResponse): Wire {
  const requestId = answer.headers.get('request-id') ?? '';
  const replace = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replace(item)]));
    }
    if (typeof value !== 'string') return value;
    if (value === `urn:symbolon:request:${requestId}` && XID.test(requestId)) return '<this request>';
    if (XID.test(value)) return '<a request>';
    return TIME.test(value) ? '<time>' : value.replaceAll(UUID, '<id>');
  };
  const { status, headers, body } = normaliser.wire(answer);
  return { status, headers, body: replace(body) };
}

/** Without the one member that is new each time, and a secret. */
export function withoutGiven(answer: BrowserResponse, member: string, form = /^[A-Za-z0-9_-]{43}$/): Wire {
  const { status, headers, body } = wire(answer);
  const { [member]: given, ...rest } = body as Record<string, unknown>;
  if (typeof given !== 'string' || !form.test(given)) throw new Error(`${member} is not what it should be`);
  return { status, headers, body: rest };
}
