import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { Clock } from '../common/clock.js';
import { DomainError, invalidParameter } from '../common/domain-error.js';
import type { Page, PageRequest } from '../common/page.js';
import { Randomness } from '../common/random.js';
import { Secret } from '../common/secret.js';
import { UnitOfWork } from '../database/index.js';
import { Outbox, type MessageRecord } from '../outbox/index.js';
import { WebhookRequests } from './webhook-requests.js';
import { isWebhookSecret, newWebhookSecret } from './webhook-signature.js';
import {
  TEST_EVENT,
  type Webhook,
  type WebhookChanges,
  type WebhookDelivery,
  type WebhookDeliveryState,
  type WebhookEvent,
} from './webhook.js';
import { WebhooksRepository } from './webhooks.repository.js';

/** What the outbox calls messages to webhooks; each is about its webhook. */
export const WEBHOOK_MESSAGES = 'webhook';

const MAX_WEBHOOKS = 100;
const MAX_URL_LENGTH = 2048;

interface Event {
  id: string;
  type: string;
  /** When it happened, ISO 8601. */
  timestamp: string;
  data: object;
}

/** A webhook together with the secret that it was just given, which is shown this once. */
export interface WebhookWithSecret {
  webhook: Webhook;
  secret: Secret;
}

/** Who wants to hear of what happens, and what is sent to them. */
@Injectable()
export class Webhooks {
  constructor(
    @Inject(WebhooksRepository) private readonly webhooks: WebhooksRepository,
    @Inject(WebhookRequests) private readonly requests: WebhookRequests,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {}

  /**
   * Tells everybody who wants to hear of it. Inside the transaction that makes it true: it is sent once that is
   * committed, at least once, and never if it is rolled back.
   * @param describe what the event says, asked only where somebody listens; never token material
   */
  async emit(type: WebhookEvent, describe: () => Promise<object>): Promise<void> {
    const receivers = await this.webhooks.subscribers(type);
    if (receivers.length === 0) return;
    const event = this.#event(type, await describe());
    for (const id of receivers) await this.#send(id, event);
  }

  list(page: PageRequest): Promise<Page<Webhook>> {
    return this.webhooks.page(page);
  }

  /** @throws DomainError `resource.not-found` */
  async get(id: string): Promise<Webhook> {
    const webhook = await this.webhooks.find(id);
    if (!webhook) throw new DomainError('resource.not-found');
    return webhook;
  }

  /**
   * @param chosen a secret in the form of Standard Webhooks; a fresh one where there is none
   * @throws DomainError `request.parameter-invalid`, `resource.conflict` where there are too many
   */
  async create(url: string, settings: Omit<WebhookChanges, 'url'>, chosen?: Secret): Promise<WebhookWithSecret> {
    this.#checkUrl(url);
    const secret = this.#checkSecret(chosen);
    return this.unitOfWork.run(async () => {
      if ((await this.webhooks.count()) >= MAX_WEBHOOKS) {
        throw new DomainError('resource.conflict', { publicDetail: `There are ${MAX_WEBHOOKS} webhooks already.` });
      }
      const webhook = await this.webhooks.insert(url, settings, secret);
      await this.#record('webhook.created', webhook.id);
      return { webhook, secret };
    });
  }

  /** @throws DomainError `request.parameter-invalid`, `resource.not-found` */
  async change(id: string, changes: WebhookChanges): Promise<Webhook> {
    if (changes.url !== undefined) this.#checkUrl(changes.url);
    return this.unitOfWork.run(async () => {
      if (!(await this.webhooks.update(id, changes))) throw new DomainError('resource.not-found');
      await this.#record('webhook.updated', id, whatChanges(changes));
      return this.get(id);
    });
  }

  /** What waits for it is not sent any more. @throws DomainError `resource.not-found` */
  async delete(id: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      if (!(await this.webhooks.delete(id))) throw new DomainError('resource.not-found');
      await this.#record('webhook.deleted', id);
    });
  }

  /** Sends nothing more to an address that says that nobody is there. @see RFC 9110 section 15.5.11 */
  async disableGone(id: string, url: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      if (await this.webhooks.disable(id, url)) await this.#record('webhook.updated', id, 'gone');
    });
  }

  /**
   * Messages are signed with the new secret from now on, those that wait already too, and with the one before for so long.
   * @throws DomainError `request.parameter-invalid`, `resource.not-found`
   */
  async rotateSecret(
    id: string,
    { previousValidForMs, chosen }: { previousValidForMs: number; chosen?: Secret | undefined },
  ): Promise<WebhookWithSecret> {
    const secret = this.#checkSecret(chosen);
    return this.unitOfWork.run(async () => {
      if (!(await this.webhooks.rotate(id, secret, previousValidForMs))) throw new DomainError('resource.not-found');
      await this.#record('webhook.updated', id, 'secret');
      return { webhook: await this.get(id), secret };
    });
  }

  /** Sends it an event that means nothing. @throws DomainError `resource.not-found`, `resource.conflict` where it is disabled */
  async test(id: string): Promise<WebhookDelivery> {
    return this.unitOfWork.run(async () => {
      const webhook = await this.get(id);
      if (webhook.disabledAt !== undefined) {
        throw new DomainError('resource.conflict', { publicDetail: 'The webhook is disabled.' });
      }
      const event = this.#event(TEST_EVENT, { webhook_id: id });
      await this.#send(id, event);
      await this.#record('webhook.tested', id);
      return this.#delivery(id, event.id);
    });
  }

  /** The latest first. @throws DomainError `resource.not-found` */
  async deliveries(
    id: string,
    state: WebhookDeliveryState | undefined,
    page: PageRequest,
  ): Promise<Page<WebhookDelivery>> {
    await this.get(id);
    const outcome = state === 'pending' ? null : state;
    const { items, total } = await this.outbox.list(WEBHOOK_MESSAGES, id, { outcome }, page);
    return { items: items.map((message) => toDelivery(id, message)), total };
  }

  /**
   * Sends once more what was given up, or met a webhook that was disabled, a day ago at most.
   * @throws DomainError `resource.not-found`, `resource.conflict` where it is under way, or was delivered
   */
  async redeliver(id: string, eventId: string): Promise<WebhookDelivery> {
    return this.unitOfWork.run(async () => {
      await this.get(id);
      await this.#delivery(id, eventId);
      if (!(await this.outbox.repeat(WEBHOOK_MESSAGES, id, messageId(id, eventId)))) {
        throw new DomainError('resource.conflict', { publicDetail: 'It is under way, or has been delivered.' });
      }
      await this.#record('webhook.redelivered', id);
      return this.#delivery(id, eventId);
    });
  }

  async #delivery(id: string, eventId: string): Promise<WebhookDelivery> {
    const filter = { id: messageId(id, eventId) };
    const [message] = (await this.outbox.list(WEBHOOK_MESSAGES, id, filter, { limit: 1, offset: 0 })).items;
    if (!message) throw new DomainError('resource.not-found');
    return toDelivery(id, message);
  }

  #event(type: string, data: object): Event {
    return { id: this.randomness.id(), type, timestamp: new Date(this.clock.now()).toISOString(), data };
  }

  #send(webhookId: string, event: Event): Promise<void> {
    return this.outbox.put({
      id: messageId(webhookId, event.id),
      kind: WEBHOOK_MESSAGES,
      subjectId: webhookId,
      topic: event.type,
      payload: new Secret(JSON.stringify(event)),
    });
  }

  /** Credentials in it would be shown to every administrator, and the fragment is sent to nobody. */
  #checkUrl(url: string): void {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (!parsed || parsed.username !== '' || parsed.password !== '' || url.includes('#')) {
      throw invalidParameter('url', 'must be a URL without credentials and fragment');
    }
    if (url.length > MAX_URL_LENGTH) throw invalidParameter('url', `must have at most ${MAX_URL_LENGTH} characters`);
    if (!this.requests.permits(url)) {
      throw invalidParameter('url', 'must be https, at a public address or one that OUTBOUND_ALLOW lists');
    }
  }

  #checkSecret(chosen: Secret | undefined): Secret {
    if (chosen === undefined) return newWebhookSecret(this.randomness);
    if (isWebhookSecret(chosen.reveal())) return chosen;
    throw invalidParameter('secret', 'must be whsec_ and the base64 of 24 to 64 random bytes');
  }

  #record(event: `webhook.${string}` & Parameters<Audit['record']>[0]['event'], id: string, what = ''): Promise<void> {
    return this.audit.record({ event, outcome: 'success', reason: `${id} ${what}`.trim() });
  }
}

function whatChanges({ enabled, ...others }: WebhookChanges): string {
  const state = enabled === undefined ? [] : [enabled ? 'enabled' : 'disabled'];
  return [...state, ...Object.keys(others).toSorted()].join(' ');
}

/** One event goes to several webhooks under one id; each message has an id of its own. */
function messageId(webhookId: string, eventId: string): string {
  return `${webhookId}.${eventId}`;
}

/** Under which id the receiver knows the message. */
export function eventIdOf(webhookId: string, id: string): string {
  return id.slice(webhookId.length + 1);
}

function toDelivery(webhookId: string, { id, topic, outcome, ...message }: MessageRecord): WebhookDelivery {
  const { attempts, lastError, nextAttemptAt, createdAt, endedAt } = message;
  return {
    id: eventIdOf(webhookId, id),
    event: topic ?? '',
    state: (outcome ?? 'pending') as WebhookDeliveryState,
    attempts,
    lastError,
    nextAttemptAt,
    createdAt,
    endedAt,
  };
}
