import { Inject, Injectable, Logger } from '@nestjs/common';
import { backoffMs, remainingPauseMs } from '../common/backoff.js';
import { Clock, epochSeconds } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import { OutboundError, retryAfterMs } from '../identity-providers/index.js';
import { DeliveryError, DeliveryPaused, Outbox, type Delivery, type OutboxHandler } from '../outbox/index.js';
import { WebhookRequests } from './webhook-requests.js';
import { signaturesOf } from './webhook-signature.js';
import type { Receiver, WebhookDelivery } from './webhook.js';
import { eventIdOf, WEBHOOK_MESSAGES, Webhooks } from './webhooks.js';
import { WebhooksRepository } from './webhooks.repository.js';

/** After a receiver did not answer; the next message then finds out whether it does. */
const PAUSE = { firstMs: 20_000, maxMs: 10 * 60_000, factor: 2 };
/** It answers, but wants to be left alone. @see Standard Webhooks 1.0.0, delivery success and failure */
const OVERLOADED = [429, 502, 503, 504];

interface Pause {
  url: string;
  failures: number;
  untilMs: number;
}

type Ended = Exclude<WebhookDelivery['state'], 'pending'>;

/**
 * Brings events to webhooks as Standard Webhooks 1.0.0 says: signed, again until the receiver answers with 2xx, under
 * the id of the event, by which the receiver knows it again.
 */
@Injectable()
export class WebhookDeliveries implements OutboxHandler {
  /** What was not delivered may be sent again; it holds no secret of anybody's. */
  readonly repeatable: readonly Ended[] = ['failed', 'disabled'];
  readonly #logger = new Logger('Webhooks');
  /** Until when this process leaves a receiver alone that did not answer: its messages must not hold up the others'. */
  readonly #pauses = new Map<string, Pause>();

  constructor(
    @Inject(Outbox) outbox: Outbox,
    @Inject(Webhooks) private readonly webhooks: Webhooks,
    @Inject(WebhooksRepository) private readonly repository: WebhooksRepository,
    @Inject(WebhookRequests) private readonly requests: WebhookRequests,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {
    outbox.register(WEBHOOK_MESSAGES, this);
  }

  async deliver(delivery: Delivery): Promise<Ended | 'removed'> {
    const id = delivery.subjectId!;
    const receiver = await this.repository.receiver(id);
    if (!receiver || receiver.disabled) {
      this.#pauses.delete(id);
      return receiver ? 'disabled' : 'removed';
    }
    const pause = this.#pauses.get(id);
    if (pause?.url === receiver.url) {
      const pausedMs = remainingPauseMs(pause.untilMs, this.clock.now());
      if (pausedMs > 0) throw new DeliveryPaused(pausedMs);
      // Of the messages for somebody who was away one finds out; the others wait for what comes of it.
      pause.untilMs = this.clock.now() + PAUSE.firstMs;
    }
    const response = await this.#post(id, receiver, delivery);
    if (OVERLOADED.includes(response.status)) {
      const askedMs = retryAfterMs(response.headers.get('retry-after'), this.clock.now());
      throw this.#pause(id, receiver, `status ${response.status}`, askedMs);
    }
    this.#pauses.delete(id);
    if (response.ok) return 'delivered';
    if (response.status === 410) {
      await this.webhooks.disableGone(id, receiver.url);
      return 'disabled';
    }
    throw new DeliveryError(`status ${response.status}`, {
      retryAfterMs: retryAfterMs(response.headers.get('retry-after'), this.clock.now()),
    });
  }

  async #post(webhookId: string, receiver: Receiver, { id, payload, signal }: Delivery): Promise<Response> {
    const message = {
      id: eventIdOf(webhookId, id),
      timestamp: epochSeconds(this.clock.now()),
      body: payload.reveal(),
    };
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'symbolon',
      'webhook-id': message.id,
      'webhook-timestamp': String(message.timestamp),
      'webhook-signature': signaturesOf(message, receiver.secrets),
    };
    try {
      return await this.requests.post(receiver.url, headers, message.body, signal);
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      throw this.#pause(webhookId, receiver, error.kind);
    }
  }

  #pause(id: string, { url }: Receiver, reason: string, askedMs = 0): DeliveryError {
    const before = this.#pauses.get(id);
    const failures = before?.url === url ? before.failures + 1 : 1;
    const pauseMs = Math.max(askedMs, backoffMs(failures, PAUSE, this.randomness));
    this.#pauses.set(id, { url, failures, untilMs: this.clock.now() + pauseMs });
    return new DeliveryError(reason, { retryAfterMs: askedMs });
  }

  /** What is given up is never silent. */
  ended({ id, subjectId }: Delivery, outcome: string): Promise<void> {
    if (outcome === ('failed' satisfies Ended)) {
      this.#logger.error({ webhook: subjectId, event: eventIdOf(subjectId!, id) }, 'an event was given up');
    }
    return Promise.resolve();
  }
}
