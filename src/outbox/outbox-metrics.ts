import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Clock } from '../common/clock.js';
import { UnitOfWork } from '../database/index.js';
import { Metrics } from '../metrics/index.js';
import { OutboxMessageEntity } from './outbox-message.entity.js';

/** How deep the outbox is, over all replicas, and what this process delivered. */
@Injectable()
export class OutboxMetrics {
  readonly #deliveries: Counter<'kind' | 'outcome'>;

  constructor(
    @Inject(Metrics) metrics: Metrics,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    const registers = [metrics.registry];
    this.#deliveries = new Counter({
      name: 'symbolon_outbox_deliveries_total',
      help: 'Attempts of this process to deliver messages, by what came of them',
      labelNames: ['kind', 'outcome'],
      registers,
    });
    const waiting = new Gauge({
      name: 'symbolon_outbox_messages',
      help: 'Messages that are not delivered yet, of all replicas',
      labelNames: ['kind'],
      registers,
    });
    const oldest = new Gauge({
      name: 'symbolon_outbox_oldest_message_age_seconds',
      help: 'Age of the oldest message that is not delivered yet',
      labelNames: ['kind'],
      registers,
    });
    metrics.lookUp('outbox', {
      gauges: [waiting, oldest],
      read: async () =>
        (await this.#waiting()).flatMap(({ kind, messages, oldestAt }) => [
          { gauge: waiting, labels: { kind }, value: messages },
          { gauge: oldest, labels: { kind }, value: Math.max(0, this.clock.now() - oldestAt) / 1000 },
        ]),
    });
  }

  /** @param outcome is that of the message where it has ended, `retried` or `postponed` where it has not. */
  delivered(kind: string, outcome: string): void {
    this.#deliveries.inc({ kind, outcome });
  }

  async #waiting(): Promise<{ kind: string; messages: number; oldestAt: number }[]> {
    const rows = await this.unitOfWork
      .repository(OutboxMessageEntity)
      .createQueryBuilder('message')
      .select('message.kind', 'kind')
      .addSelect('count(*)', 'messages')
      .addSelect('min(message.createdAt)', 'oldest')
      .where('message.nextAttemptAt IS NOT NULL')
      .groupBy('message.kind')
      .getRawMany<{ kind: string; messages: number | string; oldest: number | string }>();
    return rows.map(({ kind, messages, oldest }) => ({ kind, messages: Number(messages), oldestAt: Number(oldest) }));
  }
}
