import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Configuration } from '../config/index.js';
import { OutboundClient } from '../identity-providers/index.js';

/** As Standard Webhooks recommends at least. */
const TIMEOUT_MS = 15_000;
/** More of an answer is not read: nobody here is interested in it. */
const MAX_BYTES = 16 * 1024;

/**
 * How receivers are spoken to: with the limits of every address that others wrote, and over connections of their own,
 * so that a receiver that hangs takes none from a provider.
 */
@Injectable()
export class WebhookRequests implements OnApplicationShutdown {
  readonly #outbound: OutboundClient;

  constructor(@Inject(Configuration) { environment }: Configuration) {
    this.#outbound = new OutboundClient({ allow: environment.OUTBOUND_ALLOW });
  }

  /** Whether messages may go there: https, or what `OUTBOUND_ALLOW` says. */
  permits(url: string): boolean {
    return this.#outbound.permits(url);
  }

  /** @throws OutboundError */
  async post(url: string, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<Response> {
    return this.#outbound.fetch(url, {
      method: 'POST',
      headers,
      body,
      signal,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
      excess: 'ignored',
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#outbound.close();
  }
}
