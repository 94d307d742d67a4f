import type { Secret } from '../common/secret.js';

/** One attempt to deliver a message. */
export interface Delivery {
  id: string;
  /** What the message is about. */
  subjectId: string | undefined;
  /** From 1. */
  attempt: number;
  payload: Secret;
  /** Aborts when the process stops and has waited a little: another one makes the delivery then, at once. */
  signal: AbortSignal;
}

/** Who delivers the messages of one kind. A message may be delivered twice, where a process died after it had been. */
export interface OutboxHandler {
  /** The outcomes after which what a message said is kept for a day, so that it can be sent again; else it is erased. */
  readonly repeatable?: readonly string[];
  /**
   * Runs outside any transaction, for four minutes at most. Answers the outcome, in a word of ours.
   * @throws DeliveryError to be asked again; anything else is tried again too
   */
  deliver(delivery: Delivery): Promise<string>;
  /** Runs in the transaction that ends the message, with its outcome or with `failed`. */
  ended?(delivery: Delivery, outcome: string): Promise<void>;
}

/** Why a message could not be delivered this time. The reason is a word of ours, safe to log. */
export class DeliveryError extends Error {
  readonly retryAfterMs: number;

  constructor(
    readonly reason: string,
    { retryAfterMs = 0 }: { retryAfterMs?: number | undefined } = {},
  ) {
    super(reason);
    this.name = 'DeliveryError';
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * The receiver is to be left alone for now: nothing was tried, so it does not count as an attempt, and whatever else
 * waits about the same subject waits as long.
 */
export class DeliveryPaused extends DeliveryError {
  constructor(retryAfterMs: number) {
    super('paused', { retryAfterMs });
    this.name = 'DeliveryPaused';
  }
}
