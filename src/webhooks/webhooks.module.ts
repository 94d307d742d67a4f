import { Module } from '@nestjs/common';
import { OutboxModule } from '../outbox/index.js';
import { WebhookDeliveries } from './webhook-deliveries.js';
import { WebhookRequests } from './webhook-requests.js';
import { Webhooks } from './webhooks.js';
import { WebhooksRepository } from './webhooks.repository.js';

@Module({
  imports: [OutboxModule],
  providers: [WebhookDeliveries, WebhookRequests, Webhooks, WebhooksRepository],
  exports: [Webhooks],
})
export class WebhooksModule {}
