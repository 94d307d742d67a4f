import type { Clock } from '../common/clock.js';
import type { ConnectionSlot } from './connection-slots.js';
import { METADATA_MAX_BYTES, type OutboundClient, type OutboundRequest } from './outbound-client.js';
import { isObject } from './said-values.js';
import { unanswered, unusable, UpstreamError } from './upstream-error.js';

const METADATA_TIMEOUT_MS = 2500;

/** How a provider is asked: within limits, and with an `UpstreamError` for every way in which an answer may fail to come. */
export class UpstreamRequests {
  readonly #metadataTimeoutMs: number;
  readonly #tokenTimeoutMs: number;

  constructor(
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
    options: { metadataTimeoutMs?: number; tokenTimeoutMs: number },
  ) {
    this.#metadataTimeoutMs = options.metadataTimeoutMs ?? METADATA_TIMEOUT_MS;
    this.#tokenTimeoutMs = options.tokenTimeoutMs;
  }

  /** @throws UpstreamError `misconfigured`, naming the endpoint, if it must not be used */
  permitted(url: string, name: string): string {
    // The authorization endpoint too, though only browsers go there: `javascript:` must not get into a redirect.
    if (!this.outbound.permits(url)) throw new UpstreamError('misconfigured', `metadata: ${name} is not permitted`);
    return url;
  }

  /** Nothing if no connection becomes free in the time that a call may take. */
  reserve(url: string): Promise<ConnectionSlot | undefined> {
    return this.outbound.reserve(url, { timeoutMs: this.#tokenTimeoutMs });
  }

  async ask(what: string, url: string, request: Omit<OutboundRequest, 'timeoutMs'>): Promise<Response> {
    return this.#fetch(what, url, { ...request, timeoutMs: this.#tokenTimeoutMs });
  }

  /** A public document, such as metadata or keys. */
  async document(what: string, url: string): Promise<Record<string, unknown>> {
    const response = await this.#fetch(what, url, {
      headers: { accept: 'application/json' },
      timeoutMs: this.#metadataTimeoutMs,
      maxBytes: METADATA_MAX_BYTES,
    });
    const document = response.status === 200 ? await readObject(response) : undefined;
    if (!document) throw this.unusable(what, response);
    return document;
  }

  get nowMs(): number {
    return this.clock.now();
  }

  unusable(what: string, response: Response): UpstreamError {
    return unusable(what, response, this.nowMs);
  }

  async #fetch(what: string, url: string, request: OutboundRequest): Promise<Response> {
    try {
      return await this.outbound.fetch(url, request);
    } catch (error) {
      throw unanswered(what, error);
    }
  }
}

export async function readObject(response: Response): Promise<Record<string, unknown> | undefined> {
  const body = await readJson(response);
  return isObject(body) ? body : undefined;
}

/** @returns `undefined` if it is no JSON */
export async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
