import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { backoffMs } from '../common/backoff.js';
import { Clock } from '../common/clock.js';
import type { Page, PageRequest } from '../common/page.js';
import { Randomness } from '../common/random.js';
import type { Secret } from '../common/secret.js';
import { Poller, UnitOfWork } from '../database/index.js';
import { DeliveryError, DeliveryPaused, type OutboxHandler } from './delivery.js';
import { OutboxMetrics } from './outbox-metrics.js';
import {
  OutboxMessages,
  type DueMessage,
  type MessageRecord,
  type MessageState,
  type NewMessage,
  type TakenMessage,
} from './outbox-messages.js';

export type { MessageRecord, MessageState, NewMessage } from './outbox-messages.js';

/** How often a process looks for messages that others wrote, or that are due again. */
const POLL_MS = 1_000;
/** So many of each kind at once in each process: one kind does not hold up the others. */
const CONCURRENT = 16;
/** And so few of them about one subject: nor does a receiver that hangs, or that is written to all the time. */
const CONCURRENT_PER_SUBJECT = 4;
/** Longer than any delivery takes; when a process dies, another one takes its message over after this. */
const LEASE_MS = 5 * 60_000;
const MAX_ATTEMPTS = 12;
/** The outcome of what was given up. */
const FAILED = 'failed';
const MAX_AGE_MS = 3 * 24 * 3600_000;
/** The last attempts are made a day later. */
const BACKOFF = { firstMs: 10_000, maxMs: 6 * 3600_000, factor: 3 };
/** For so long a process that stops waits for what is being delivered, before it breaks off what can be broken off. */
const STOP_GRACE_MS = 3_000;

/**
 * Messages to other services, written in the transaction that wants them and delivered after it: at least once,
 * normally once, by whichever replica takes one first. They are encrypted, and erased when they are done with, unless
 * who delivers them may be asked to do so again.
 */
@Injectable()
export class Outbox implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('Outbox');
  readonly #handlers = new Map<string, OutboxHandler>();
  readonly #underWay = new Map<Promise<void>, DueMessage>();
  readonly #breakOff = new AbortController();
  readonly #poller: Poller;
  #stopped = false;

  constructor(
    @Inject(OutboxMessages) private readonly messages: OutboxMessages,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(OutboxMetrics) private readonly metrics: OutboxMetrics,
  ) {
    this.#poller = new Poller(
      unitOfWork,
      () => this.#takeAllDue(),
      (error) => this.#logger.warn({ error }, 'the outbox cannot be read for now'),
    );
  }

  register(kind: string, handler: OutboxHandler): void {
    this.#handlers.set(kind, handler);
  }

  /** Writes a message; it is sent once the transaction that is open is committed. */
  async put(message: NewMessage): Promise<void> {
    await this.messages.insert(message, MAX_AGE_MS);
    this.unitOfWork.afterCommit(() => this.#poller.look());
  }

  /** How far the messages about these have come, the latest first. */
  async statesOf(kind: string, subjectIds: readonly string[]): Promise<MessageState[]> {
    return this.messages.statesOf(kind, subjectIds);
  }

  /** The messages about one subject, the latest first; with an outcome only those, with null those under way. */
  async list(
    kind: string,
    subjectId: string,
    filter: { id?: string | undefined; outcome?: string | null | undefined },
    page: PageRequest,
  ): Promise<Page<MessageRecord>> {
    return this.messages.page(kind, subjectId, filter, page);
  }

  /** Sends again what has ended and was kept; false where that cannot be had. */
  async repeat(kind: string, subjectId: string, id: string): Promise<boolean> {
    const repeated = await this.messages.repeat(kind, subjectId, id, MAX_AGE_MS);
    if (repeated) this.unitOfWork.afterCommit(() => this.#poller.look());
    return repeated;
  }

  onApplicationBootstrap(): void {
    this.#poller.start(POLL_MS);
    this.#poller.look();
  }

  /** What is being delivered is finished, or broken off if it takes long; the rest waits for another process, or for the next start. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    await this.#poller.stop();
    const grace = setTimeout(() => this.#breakOff.abort(), STOP_GRACE_MS);
    await Promise.allSettled(this.#underWay.keys());
    clearTimeout(grace);
  }

  async #takeAllDue(): Promise<void> {
    for (const kind of this.#handlers.keys()) await this.#takeDue(kind);
  }

  async #takeDue(kind: string): Promise<void> {
    for (;;) {
      const { free, full } = this.#room(kind);
      if (free <= 0 || this.#stopped) return;
      const found = await this.messages.due(kind, free, full);
      for (const due of found) {
        if (this.#stopped) return;
        if (!this.#isFull(due)) await this.#begin(due);
      }
      // Else others may be due behind those about a subject that has enough by now.
      if (found.length < free) return;
    }
  }

  /** How many more of the kind can be begun, and about which subjects none. */
  #room(kind: string): { free: number; full: string[] } {
    const underWay = [...this.#underWay.values()].filter((due) => due.kind === kind);
    const full = underWay.filter((due) => this.#isFull(due)).map(({ subjectId }) => subjectId!);
    return { free: CONCURRENT - underWay.length, full: [...new Set(full)] };
  }

  #isFull({ kind, subjectId }: DueMessage): boolean {
    if (subjectId === undefined) return false;
    const same = [...this.#underWay.values()].filter((due) => due.kind === kind && due.subjectId === subjectId);
    return same.length >= CONCURRENT_PER_SUBJECT;
  }

  async #begin(due: DueMessage): Promise<void> {
    const owner = this.randomness.id();
    const taken = await this.messages.take(due, owner, LEASE_MS);
    const handler = this.#handlers.get(due.kind);
    if (!taken || !handler) return;
    const delivering = this.#deliver(handler, due, taken, owner)
      .catch((error: unknown) => this.#logger.warn({ error, kind: due.kind }, 'a message could not be handled'))
      .finally(() => {
        this.#underWay.delete(delivering);
        this.#poller.look();
      });
    this.#underWay.set(delivering, due);
  }

  async #deliver(handler: OutboxHandler, due: DueMessage, taken: TakenMessage, owner: string): Promise<void> {
    // Whoever took it before may have died of it each time.
    if (taken.attempt > MAX_ATTEMPTS) {
      await this.#end(due.kind, taken, owner, FAILED, 'given-up');
      return;
    }
    let outcome: string;
    try {
      if (!isReadable(taken)) throw new DeliveryError('unreadable');
      outcome = await handler.deliver({ ...taken, signal: this.#breakOff.signal });
    } catch (error) {
      await this.#failed(error, due, taken, owner);
      return;
    }
    await this.#end(due.kind, taken, owner, outcome);
  }

  async #failed(error: unknown, due: DueMessage, taken: TakenMessage, owner: string): Promise<void> {
    const { kind, subjectId, expiresAt } = due;
    const { id, attempt } = taken;
    if (this.#breakOff.signal.aborted) {
      await this.messages.retry(id, owner, { delayMs: 0, reason: 'stopped', attempts: attempt - 1 });
      return;
    }
    const known = error instanceof DeliveryError ? error : new DeliveryError('error');
    const { reason, retryAfterMs } = known;
    if (known !== error) this.#logger.error({ error, kind }, 'the delivery of a message failed');
    const paused = known instanceof DeliveryPaused;
    // What was paused together does not come back together.
    const delayMs = paused
      ? retryAfterMs + backoffMs(1, BACKOFF, this.randomness)
      : Math.max(retryAfterMs, backoffMs(attempt, BACKOFF, this.randomness));
    if ((!paused && attempt >= MAX_ATTEMPTS) || this.clock.now() + delayMs > expiresAt) {
      await this.#end(kind, taken, owner, FAILED, reason);
      return;
    }
    if (!paused) this.#logger.warn({ kind, reason, attempt }, 'a message could not be delivered yet');
    await this.messages.retry(id, owner, { delayMs, reason, attempts: paused ? attempt - 1 : attempt });
    this.metrics.delivered(kind, paused ? 'postponed' : 'retried');
    if (paused && subjectId !== undefined) {
      await this.messages.postpone(kind, subjectId, this.clock.now() + retryAfterMs);
    }
  }

  async #end(kind: string, taken: TakenMessage, owner: string, outcome: string, reason?: string): Promise<void> {
    const handler = this.#handlers.get(kind);
    const keep = handler?.repeatable?.includes(outcome) ?? false;
    await this.unitOfWork.run(async () => {
      const ended = await this.messages.end(taken.id, owner, outcome, { reason, keep });
      if (ended) this.unitOfWork.afterCommit(() => this.metrics.delivered(kind, outcome));
      if (ended && isReadable(taken)) await handler?.ended?.({ ...taken, signal: this.#breakOff.signal }, outcome);
    });
  }
}

function isReadable(taken: TakenMessage): taken is TakenMessage & { payload: Secret } {
  return taken.payload !== undefined;
}
