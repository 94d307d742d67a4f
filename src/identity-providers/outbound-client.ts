import { lookup as resolve } from 'node:dns';
import type { LookupFunction, Socket } from 'node:net';
import { isIP } from 'node:net';
import { Agent, buildConnector, fetch } from 'undici';
import type { Clock } from '../common/clock.js';
import { ConnectionSlots, type ConnectionSlot } from './connection-slots.js';
import { hostOf, OutboundPolicy } from './outbound-policy.js';

/** The largest metadata document or key set that is read, in bytes. */
export const METADATA_MAX_BYTES = 1024 * 1024;
/** The largest answer of a token endpoint that is read, in bytes. */
export const TOKEN_MAX_BYTES = 64 * 1024;

const MAX_CONNECTIONS = 32;
const CONNECT_TIMEOUT_MS = 10_000;
const STATUSES_WITHOUT_BODY = new Set([204, 205, 304]);

export interface OutboundRequest {
  method?: string | undefined;
  headers?: Record<string, string> | Headers | undefined;
  body?: string | URLSearchParams | undefined;
  signal?: AbortSignal | undefined;
  /** For the whole exchange: name resolution, connecting, headers and body. */
  timeoutMs: number;
  /** Counted after decompression, so that a small bomb counts at full size. Default `METADATA_MAX_BYTES`. */
  maxBytes?: number;
  /** What becomes of an answer that is larger: `refused`, or what is beyond is `ignored`. Default `refused`. */
  excess?: 'refused' | 'ignored';
  /** One that was reserved for it; otherwise it waits for one, which counts as part of the exchange. */
  slot?: ConnectionSlot | undefined;
}

/** The system and the HTTP client say with these that there was no connection. */
const UNCONNECTED = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Why there is no answer. The message names the host and a system error code, nothing else: a URL's query and a
 * body may hold codes, tokens or secrets.
 */
export class OutboundError extends Error {
  /** False where no connection was made, so that nothing can have arrived. */
  readonly sent: boolean;

  constructor(
    readonly kind: 'refused-address' | 'busy' | 'timeout' | 'network' | 'too-large',
    host: string,
    code?: string,
  ) {
    super(`${kind}: ${host}${code ? ` ${code}` : ''}`);
    this.name = 'OutboundError';
    this.sent = kind !== 'refused-address' && kind !== 'busy' && !UNCONNECTED.has(code ?? '');
  }
}

/**
 * Every request to a URL that others wrote goes through here: only addresses that the policy permits are
 * connected to, no redirect is followed (it would carry credentials to a place of the answerer's choosing),
 * and time, size and connections are bounded, so that a provider that hangs or floods costs little.
 */
export class OutboundClient {
  readonly #policy: OutboundPolicy;
  readonly #agent: Agent;
  readonly #slots: ConnectionSlots;
  readonly #sockets = new Set<Socket>();

  /**
   * @param options.allow hosts, addresses or CIDRs that may be private or http. @throws Error on a malformed entry.
   * @param options.maxConnections to one origin
   */
  constructor({ allow, maxConnections = MAX_CONNECTIONS }: { allow: readonly string[]; maxConnections?: number }) {
    this.#policy = new OutboundPolicy(allow);
    this.#slots = new ConnectionSlots(maxConnections);
    const connect = counting(guardedConnector(this.#policy), this.#sockets);
    this.#agent = new Agent({ connect, connections: maxConnections });
  }

  /** Connections that are open, to all origins together. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Requests that wait for a connection. */
  get pending(): number {
    return this.#slots.waiting;
  }

  /** Reserves a connection for a request to this URL, which the caller must release; nothing if none becomes free in time. */
  reserve(url: string, { timeoutMs }: { timeoutMs: number }): Promise<ConnectionSlot | undefined> {
    return this.#slots.take(new URL(url).origin, AbortSignal.timeout(timeoutMs));
  }

  /** Whether such a URL has a chance; for rejecting configuration and metadata early, not a substitute for `fetch`. */
  permits(url: string): boolean {
    return URL.canParse(url) && this.#policy.permitsUrl(new URL(url));
  }

  /**
   * The answer with its body already read. A redirect is an answer like any other.
   *
   * @throws OutboundError `refused-address`: the policy forbids it; `busy`: nothing was sent, for want of a connection;
   *   `timeout`; `too-large`; `network`: all else.
   */
  async fetch(url: string | URL, request: OutboundRequest): Promise<Response> {
    if (!this.permits(String(url))) throw new OutboundError('refused-address', printableHost(url));
    const host = printableHost(url);
    const ended = new AbortController();
    const { signal } = ended;
    const end = () => ended.abort();
    const timer = setTimeout(end, request.timeoutMs);
    // Not AbortSignal.any(): a signal that lives as long as the process would keep something of every request.
    request.signal?.addEventListener('abort', end);
    if (request.signal?.aborted) end();
    const slot = request.slot ?? (await this.#slots.take(new URL(url).origin, signal));
    try {
      if (!slot) throw new OutboundError('busy', host);
      const response = await fetch(url, {
        method: request.method ?? 'GET',
        ...(request.headers && { headers: Object.fromEntries(new Headers(request.headers)) }),
        body: request.body?.toString() ?? null,
        redirect: 'manual',
        signal,
        dispatcher: this.#agent,
      });
      const body = await readCapped(response.body, request, host);
      // Node's own Response, not undici's: libraries test with instanceof.
      return new Response(STATUSES_WITHOUT_BODY.has(response.status) ? null : body, {
        status: response.status,
        headers: [...response.headers].filter(([name]) => name !== 'content-encoding' && name !== 'content-length'),
      });
    } catch (error) {
      // The original error stays behind: undici's messages and properties may quote the URL.
      if (slot && signal.aborted) throw new OutboundError('timeout', host);
      throw outboundErrorIn(error, host);
    } finally {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', end);
      if (slot !== request.slot) slot?.release();
    }
  }

  /** Ends all connections at once, including those with a request under way. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/**
 * A document from outside that is kept for a while: concurrent readers share one request, and a failure is not
 * kept, so the next reader tries again.
 */
export class OutboundDocument<T> {
  #kept: { value: T; loadedAt: number } | undefined;
  #loading: Promise<T> | undefined;

  constructor(
    private readonly load: () => Promise<T>,
    private readonly maxAgeMs: number,
    private readonly clock: Clock,
  ) {}

  get loading(): boolean {
    return this.#loading !== undefined;
  }

  async get(): Promise<T> {
    const kept = this.#kept;
    return kept && this.clock.now() - kept.loadedAt < this.maxAgeMs ? kept.value : this.reload();
  }

  /** Asks again even if the kept one is young; joins a request that is already under way. */
  reload(): Promise<T> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(): Promise<T> {
    const loadedAt = this.clock.now();
    const value = await this.load();
    this.#kept = { value, loadedAt };
    return value;
  }
}

/**
 * The check belongs here, between DNS and the socket: an answer checked earlier could be another one by now.
 * Literal addresses are checked apart since no lookup is made for them.
 */
function guardedConnector(policy: OutboundPolicy): buildConnector.connector {
  const connectors = {
    http: buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup: guardedLookup(policy, true) }),
    https: buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup: guardedLookup(policy, false) }),
  };
  return (options, callback) => {
    const plaintext = options.protocol !== 'https:';
    const host = normalHost(options.hostname);
    if (isIP(host) !== 0 && !policy.permitsAddress(host, { host, plaintext })) {
      callback(new OutboundError('refused-address', host), null);
      return;
    }
    connectors[plaintext ? 'http' : 'https'](options, callback);
  };
}

function counting(connector: buildConnector.connector, sockets: Set<Socket>): buildConnector.connector {
  return (options, callback) => {
    connector(options, (...result) => {
      const [, socket] = result;
      if (socket) {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      }
      callback(...result);
    });
  };
}

function guardedLookup(policy: OutboundPolicy, plaintext: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, '');
        return;
      }
      const host = normalHost(hostname);
      const permitted = addresses.filter(({ address }) => policy.permitsAddress(address, { host, plaintext }));
      const [first] = permitted;
      if (!first) callback(new OutboundError('refused-address', host), '');
      else if (options.all) callback(null, permitted);
      else callback(null, first.address, first.family);
    });
  };
}

function normalHost(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, '');
}

async function readCapped(
  body: AsyncIterable<Uint8Array> | null,
  { maxBytes = METADATA_MAX_BYTES, excess = 'refused' }: OutboundRequest,
  host: string,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Throwing out of the loop cancels the stream, which closes the connection: the rest is never received.
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes && excess === 'ignored') break;
    if (size > maxBytes) throw new OutboundError('too-large', host);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Undici wraps what went wrong, in the lookup or in TLS, as the cause of its own error. */
function outboundErrorIn(error: unknown, host: string): OutboundError {
  let code: string | undefined;
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof OutboundError) return one;
    if ('code' in one && typeof one.code === 'string' && /^[A-Z0-9_]{1,64}$/.test(one.code)) code = one.code;
  }
  return new OutboundError('network', host, code);
}

function printableHost(url: string | URL): string {
  return URL.canParse(String(url)) ? hostOf(new URL(url)) : 'not a URL';
}
