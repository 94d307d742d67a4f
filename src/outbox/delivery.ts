import type { Secret } from '../common/secret.js';

/** One attempt to deliver a message. */
export interface Delivery {
  id: string;
  /** What the message is about. */
  subjectId: string | undefined;
  /** From 1. */
  attempt: number;
  payload: Secret;
}

/** Who delivers the messages of one kind. A message may be delivered twice, where a process died after it had been. */
export interface OutboxHandler {
  /**
   * Runs outside any transaction, for four minutes at most. Answers the outcome, in a word of ours.
   * @throws DeliveryError to be asked again, or not; anything else is tried again too
   */
  deliver(delivery: Delivery): Promise<string>;
  /** Runs in the transaction that ends the message, with its outcome or with `failed`. */
  ended?(delivery: Delivery, outcome: string): Promise<void>;
}

/** Why a message could not be delivered this time. The reason is a word of ours, safe to log. */
export class DeliveryError extends Error {
  readonly retryAfterMs: number | undefined;
  /** Nothing will change: the message is given up. */
  readonly permanent: boolean;

  constructor(
    readonly reason: string,
    { retryAfterMs, permanent = false }: { retryAfterMs?: number | undefined; permanent?: boolean } = {},
  ) {
    super(reason);
    this.name = 'DeliveryError';
    this.retryAfterMs = retryAfterMs;
    this.permanent = permanent;
  }
}
