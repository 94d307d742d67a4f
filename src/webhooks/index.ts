/**
 * The webhooks room owns who wants to hear of what happens, their secrets, and the signed messages to them. It refuses
 * to know what happens: whoever makes something true says so.
 */
export {
  WEBHOOK_EVENTS,
  type Webhook,
  type WebhookChanges,
  type WebhookDelivery,
  type WebhookDeliveryState,
  type WebhookEvent,
} from './webhook.js';
export { Webhooks, type WebhookWithSecret } from './webhooks.js';
export { WebhooksModule } from './webhooks.module.js';
