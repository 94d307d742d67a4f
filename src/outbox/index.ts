/**
 * The outbox room owns messages that have to reach another service after the transaction that wanted them, however
 * long that service is away. It refuses to know what they say: who sends them registers who delivers them.
 */
export { DeliveryError, DeliveryPaused, type Delivery, type OutboxHandler } from './delivery.js';
export { OutboxModule } from './outbox.module.js';
export { Outbox, type MessageRecord, type MessageState, type NewMessage } from './outbox.js';
