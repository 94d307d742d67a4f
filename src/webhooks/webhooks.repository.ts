import { Inject, Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import { Clock } from '../common/clock.js';
import type { Page, PageRequest } from '../common/page.js';
import { Randomness } from '../common/random.js';
import type { Secret } from '../common/secret.js';
import { UnitOfWork } from '../database/index.js';
import { EncryptedTables, Envelopes } from '../encryption/index.js';
import { WebhookEntity } from './webhook.entity.js';
import type { Receiver, Webhook, WebhookChanges, WebhookEvent } from './webhook.js';

const TABLE = 'webhooks';

/** The rows of webhooks and the encryption of their secrets. */
@Injectable()
export class WebhooksRepository {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(EncryptedTables) encryptedTables: EncryptedTables,
  ) {
    encryptedTables.register(WebhookEntity);
  }

  count(): Promise<number> {
    return this.#rows.count();
  }

  /** The oldest first. */
  async page({ limit, offset }: PageRequest): Promise<Page<Webhook>> {
    const [rows, total] = await this.#rows.findAndCount({
      order: { createdAt: 'ASC', id: 'ASC' },
      take: limit,
      skip: offset,
    });
    return { items: rows.map(toWebhook), total };
  }

  async find(id: string): Promise<Webhook | undefined> {
    const row = await this.#rows.findOneBy({ id });
    return row ? toWebhook(row) : undefined;
  }

  /** The ids of those who are to hear of such an event. */
  async subscribers(event: WebhookEvent): Promise<string[]> {
    const rows = await this.#rows.find({ select: { id: true, events: true }, where: { disabledAt: IsNull() } });
    return rows.filter(({ events }) => events === null || events.includes(event)).map(({ id }) => id);
  }

  async receiver(id: string): Promise<Receiver | undefined> {
    const row = await this.#rows.findOneBy({ id });
    if (!row) return undefined;
    const envelope = this.envelopes.open({ table: TABLE, id }, row);
    const secrets = [envelope.unseal('secret', row.secret)];
    if (row.previousSecret !== null && this.clock.now() < (row.previousSecretExpiresAt ?? 0)) {
      secrets.push(envelope.unseal('previous_secret', row.previousSecret));
    }
    return { url: row.url, disabled: row.disabledAt !== null, secrets };
  }

  async insert(url: string, { description, events, enabled = true }: WebhookChanges, secret: Secret): Promise<Webhook> {
    const id = this.randomness.id();
    const now = this.clock.now();
    const envelope = this.envelopes.create({ table: TABLE, id });
    const row: WebhookEntity = {
      id,
      url,
      description: description ?? null,
      events: events ? [...events] : null,
      secret: envelope.seal('secret', secret),
      previousSecret: null,
      previousSecretExpiresAt: null,
      ...envelope.wrapped,
      disabledAt: enabled ? null : now,
      createdAt: now,
      updatedAt: now,
    };
    await this.#rows.insert(row);
    return toWebhook(row);
  }

  /** False where there is no such webhook. */
  async update(id: string, { url, description, events, enabled }: WebhookChanges): Promise<boolean> {
    const now = this.clock.now();
    const { affected } = await this.#rows.update(
      { id },
      {
        ...(url !== undefined && { url }),
        ...(description !== undefined && { description }),
        ...(events !== undefined && { events: events && [...events] }),
        ...(enabled !== undefined && { disabledAt: enabled ? null : now }),
        updatedAt: now,
      },
    );
    return affected === 1;
  }

  /** What was told that it wants no more there; false where it has another address by now, or is disabled already. */
  async disable(id: string, url: string): Promise<boolean> {
    const now = this.clock.now();
    const { affected } = await this.#rows.update(
      { id, url, disabledAt: IsNull() },
      { disabledAt: now, updatedAt: now },
    );
    return affected === 1;
  }

  /**
   * Signs with the new secret from now on, and with the one before for so long. Of two at once the later finds the
   * former's, so that none that was handed out is lost. False where there is no such webhook.
   */
  async rotate(id: string, secret: Secret, previousValidForMs: number): Promise<boolean> {
    for (;;) {
      const row = await this.#rows.findOneBy({ id });
      if (!row) return false;
      const previous = this.envelopes.open({ table: TABLE, id }, row).unseal('secret', row.secret);
      const envelope = this.envelopes.create({ table: TABLE, id });
      const now = this.clock.now();
      const overlaps = previousValidForMs > 0;
      const { affected } = await this.#rows.update(
        { id, secret: row.secret },
        {
          secret: envelope.seal('secret', secret),
          previousSecret: overlaps ? envelope.seal('previous_secret', previous) : null,
          previousSecretExpiresAt: overlaps ? now + previousValidForMs : null,
          ...envelope.wrapped,
          updatedAt: now,
        },
      );
      if (affected === 1) return true;
    }
  }

  async delete(id: string): Promise<boolean> {
    const { affected } = await this.#rows.delete({ id });
    return affected === 1;
  }

  get #rows() {
    return this.unitOfWork.repository(WebhookEntity);
  }
}

function toWebhook(row: WebhookEntity): Webhook {
  return {
    id: row.id,
    url: row.url,
    description: row.description ?? undefined,
    events: (row.events as WebhookEvent[] | null) ?? undefined,
    disabledAt: row.disabledAt ?? undefined,
    previousSecretExpiresAt: row.previousSecretExpiresAt ?? undefined,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
