import { Audit } from '../../../src/audit/index.js';
import { Outbox } from '../../../src/outbox/index.js';
import { OutboxMessages } from '../../../src/outbox/outbox-messages.js';
import { WebhookRequests } from '../../../src/webhooks/webhook-requests.js';
import { WebhooksRepository } from '../../../src/webhooks/webhooks.repository.js';
import { Webhooks } from '../../../src/webhooks/webhooks.js';
import type { Replica } from './storage.js';

export function outboxOf(replica: Replica): Outbox {
  const { unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows } = replica;
  const messages = new OutboxMessages(unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows);
  return new Outbox(messages, unitOfWork, clock, randomness);
}

/** The webhooks' room on one replica, as the service puts it together. */
export function webhooksOf(replica: Replica, outbox = outboxOf(replica)) {
  const { unitOfWork, clock, randomness, envelopes, encryptedTables, configuration } = replica;
  const repository = new WebhooksRepository(unitOfWork, clock, randomness, envelopes, encryptedTables);
  const requests = new WebhookRequests(configuration);
  const audit = new Audit(unitOfWork, clock, randomness);
  const webhooks = new Webhooks(repository, requests, outbox, unitOfWork, audit, clock, randomness);
  return { webhooks, repository, requests, outbox };
}
