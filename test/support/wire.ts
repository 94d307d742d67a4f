import type { BrowserResponse } from './http-browser.js';
import type { World } from './world.js';

/** The headers that belong to a contract. Which of them an answer lacks is compared, too. */
const CONTRACT_HEADERS = [
  'access-control-allow-credentials',
  'access-control-allow-origin',
  'allow',
  'cache-control',
  'content-type',
  'retry-after',
  'set-cookie',
  'www-authenticate',
  'x-fapi-interaction-id',
];
const TOKEN_MEMBERS = new Set(['access_token', 'id_token', 'refresh_token', 'token']);
const LIFETIME_MEMBERS = new Set(['expires_in', 'ttl']);
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
export const XID = /^[0-9a-v]{20}$/;

/** An answer as a client sees it. */
export interface Wire {
  status: number;
  headers: Record<string, string>;
  /** Parsed where it is JSON. */
  body: unknown;
}

/** Replaces what is new each time: ids, times and tokens. Members, texts and headers stay as they were sent. */
export class Normaliser {
  readonly #labels = new Map<string, string>();

  /** From now on this value reads as the label: whose token it is stays visible. */
  know(value: string, label: string): void {
    this.#labels.set(value, label);
  }

  wire(answer: BrowserResponse): Wire {
    const { origin } = new URL(answer.url);
    const requestId = answer.headers.get('request-id') ?? '';
    const normalise = (value: unknown, member = ''): unknown => {
      if (Array.isArray(value)) return value.map((item) => normalise(item, member));
      if (typeof value === 'object' && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, normalise(item, name)]));
      }
      if (typeof value === 'number' && LIFETIME_MEMBERS.has(member)) return lifetime(value);
      if (typeof value === 'number' && member === 'retry_after') return soon(value);
      if (typeof value !== 'string') return value;
      const label = this.#labels.get(value);
      if (label !== undefined) return label;
      if (TOKEN_MEMBERS.has(member)) return '<token>';
      if (value === requestId && XID.test(requestId)) return '<request id>';
      return value.replaceAll(origin, '<issuer>').replace(/ticket=[A-Za-z0-9_-]{43}$/, 'ticket=<ticket>');
    };
    return { status: answer.status, headers: contractHeaders(answer), body: normalise(body(answer)) };
  }
}

function contractHeaders({ headers }: BrowserResponse): Record<string, string> {
  return Object.fromEntries(
    CONTRACT_HEADERS.flatMap((name) => {
      const value = headers.get(name);
      if (value === null) return [];
      if (name === 'retry-after') return [[name, String(soon(Number(value)))]];
      return [[name, UUID_V4.test(value) ? '<uuid>' : value]];
    }),
  );
}

function body(answer: BrowserResponse): unknown {
  const text = answer.text();
  return /json/.test(answer.headers.get('content-type') ?? '') && text !== '' ? answer.json<unknown>() : text;
}

/** How long a token lives is known up to the time that the test itself takes. */
function lifetime(seconds: number): string | number {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 3600) return seconds;
  return seconds <= 60 ? '<up to 60 s>' : '<up to 3600 s>';
}

/** Who failed for the first time is asked again after one or two seconds, at random. */
export const SOON = '<1 or 2 s>';

export function soon(seconds: number): number | typeof SOON {
  return seconds === 1 || seconds === 2 ? SOON : seconds;
}

const line = (table: string, ...columns: string[]): string =>
  `SELECT '${table}'${columns.map((column) => ` || ' ' || COALESCE(CAST(${column} AS text), '-')`).join('')} AS line FROM ${table}`;

/**
 * What is stored beside the audit, one line a row: it must not change where a request is refused. The lease and the mark
 * `verified` are left out, because a refresh of another row may still be cleaning up behind itself.
 */
export async function stored({ database }: Pick<World, 'database'>): Promise<string[]> {
  const rows = await database.query(
    [
      line('users', 'id', 'blocked_at'),
      line('clients', 'client_id', 'disabled_at'),
      line('grants', 'id', 'revoked_at'),
      line('sessions', 'id'),
      line('authorization_codes', 'digest', 'consumed_at'),
      line('refresh_tokens', 'digest', 'consumed_at'),
      line('access_tokens', 'id', 'revoked_at'),
      line('used_assertions', 'id'),
      line('connect_tickets', 'digest', 'consumed_at'),
      line('user_tokens', 'id', 'name', 'metadata', 'revoked_at', 'expires_at'),
      line(
        'linked_accounts',
        'id',
        'user_id',
        'status',
        'generation',
        'access_token',
        'refresh_token',
        'expires_at',
        'unlinked_at',
      ),
    ].join(' UNION ALL '),
  );
  return rows.map((row) => String(row['line'])).toSorted();
}
