import type { Clock } from '../common/clock.js';
import type { IdentityProvider } from './identity-provider.js';
import { OutboundClient } from './outbound-client.js';
import { UpstreamClient } from './upstream-client.js';

const MAX_CLIENTS = 256;

/**
 * One client per provider and version, so that discovery and keys are kept between requests and a changed entry
 * starts afresh. Bounded: the one used longest ago goes, which costs a discovery and nothing else.
 */
export class UpstreamClients {
  readonly #clients = new Map<string, UpstreamClient>();
  readonly #outbound: OutboundClient;

  /**
   * @param options.allow `OUTBOUND_ALLOW`. @throws Error on a malformed entry.
   * @param options.tokenTimeoutMs for one call of a token or userinfo endpoint; a refresh lease must outlive it.
   * @param options.maxConnections to one origin
   */
  constructor(
    private readonly options: {
      allow: readonly string[];
      tokenTimeoutMs: number;
      maxConnections?: number;
      clock: Clock;
    },
  ) {
    this.#outbound = new OutboundClient(options);
  }

  /** Connections to providers that are open. */
  get openSockets(): number {
    return this.#outbound.openSockets;
  }

  /** Requests to providers that wait for a connection. */
  get pending(): number {
    return this.#outbound.pending;
  }

  for(provider: IdentityProvider): UpstreamClient {
    const key = JSON.stringify([provider.id, provider.version]);
    const client = this.#clients.get(key) ?? this.fresh(provider);
    // A Map keeps the order of insertion: putting it back makes it the youngest.
    this.#clients.delete(key);
    this.#clients.set(key, client);
    if (this.#clients.size > MAX_CLIENTS) {
      for (const oldest of this.#clients.keys()) {
        this.#clients.delete(oldest);
        break;
      }
    }
    return client;
  }

  /** One that knows nothing yet, for looking at a provider as it is now. */
  fresh(provider: IdentityProvider): UpstreamClient {
    const { clock, tokenTimeoutMs } = this.options;
    return new UpstreamClient(provider, this.#outbound, clock, { tokenTimeoutMs });
  }

  /** Ends all connections to providers. */
  async close(): Promise<void> {
    this.#clients.clear();
    await this.#outbound.close();
  }
}
