import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { backoffMs } from '../common/backoff.js';
import { Clock } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import { requestContext } from '../common/request-context.js';
import { UnitOfWork } from '../database/index.js';
import { DeliveryError, DeliveryPaused, type Delivery, type OutboxHandler } from './delivery.js';
import {
  OutboxMessages,
  type DueMessage,
  type MessageState,
  type NewMessage,
  type TakenMessage,
} from './outbox-messages.js';

export type { MessageState, NewMessage } from './outbox-messages.js';

/** How often a process looks for messages that others wrote, or that are due again. */
const POLL_MS = 1_000;
/** So many at once in each process: one receiver that hangs does not hold up the others. */
const CONCURRENT = 4;
/** Longer than any delivery takes; when a process dies, another one takes its message over after this. */
const LEASE_MS = 5 * 60_000;
const MAX_ATTEMPTS = 12;
/** The outcome of what was given up. */
const FAILED = 'failed';
const MAX_AGE_MS = 3 * 24 * 3600_000;
/** The last attempts are made a day later. */
const BACKOFF = { firstMs: 10_000, maxMs: 6 * 3600_000, factor: 3 };

/**
 * Messages to other services, written in the transaction that wants them and delivered after it: at least once,
 * normally once, by whichever replica takes one first. They are encrypted, and erased when they are done with.
 */
@Injectable()
export class Outbox implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('Outbox');
  readonly #handlers = new Map<string, OutboxHandler>();
  readonly #underWay = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(
    @Inject(OutboxMessages) private readonly messages: OutboxMessages,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {}

  register(kind: string, handler: OutboxHandler): void {
    this.#handlers.set(kind, handler);
  }

  /** Writes a message; it is sent once the transaction that is open is committed. */
  async put(message: NewMessage): Promise<void> {
    await this.messages.insert(message, MAX_AGE_MS);
    this.unitOfWork.afterCommit(() => this.#look());
  }

  /** How far the messages about these have come, the latest first. */
  async statesOf(kind: string, subjectIds: readonly string[]): Promise<MessageState[]> {
    return this.messages.statesOf(kind, subjectIds);
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => this.#look(), POLL_MS).unref();
    this.#look();
  }

  /** What is being delivered is finished; the rest waits for another process, or for the next start. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#looking;
    await Promise.allSettled(this.#underWay);
  }

  #look(): void {
    if (this.#stopped || this.#looking) return;
    // What is due need not be what the current request wrote: it is not to be audited as that one's doing.
    this.#looking = requestContext
      .exit(() => this.unitOfWork.outside(() => this.#takeDue()))
      .catch((error: unknown) => this.#logger.warn({ error }, 'the outbox could not be read'))
      .finally(() => {
        this.#looking = undefined;
      });
  }

  async #takeDue(): Promise<void> {
    const free = CONCURRENT - this.#underWay.size;
    if (free === 0 || this.#handlers.size === 0) return;
    for (const due of await this.messages.due([...this.#handlers.keys()], free)) {
      const delivering = this.#deliver(due)
        .catch((error: unknown) => this.#logger.warn({ error, kind: due.kind }, 'a message could not be handled'))
        .finally(() => {
          this.#underWay.delete(delivering);
          this.#look();
        });
      this.#underWay.add(delivering);
    }
  }

  async #deliver(due: DueMessage): Promise<void> {
    const owner = this.randomness.id();
    const taken = await this.messages.take(due, owner, LEASE_MS);
    const handler = this.#handlers.get(due.kind);
    if (!taken || !handler) return;
    // Whoever took it before may have died of it each time.
    if (taken.attempt > MAX_ATTEMPTS) {
      await this.#end(due.kind, taken, owner, FAILED, 'given-up');
      return;
    }
    let outcome: string;
    try {
      if (!isReadable(taken)) throw new DeliveryError('unreadable');
      outcome = await handler.deliver(taken);
    } catch (error) {
      await this.#failed(error, due, taken, owner);
      return;
    }
    await this.#end(due.kind, taken, owner, outcome);
  }

  async #failed(error: unknown, { kind, expiresAt }: DueMessage, taken: TakenMessage, owner: string): Promise<void> {
    const known = error instanceof DeliveryError ? error : new DeliveryError('error');
    const { reason, retryAfterMs } = known;
    if (known !== error) this.#logger.error({ error, kind }, 'the delivery of a message failed');
    const { attempt } = taken;
    const paused = known instanceof DeliveryPaused;
    // What was paused together does not come back together.
    const delayMs = paused
      ? retryAfterMs + backoffMs(1, BACKOFF, this.randomness)
      : Math.max(retryAfterMs, backoffMs(attempt, BACKOFF, this.randomness));
    if ((!paused && attempt >= MAX_ATTEMPTS) || this.clock.now() + delayMs > expiresAt) {
      await this.#end(kind, taken, owner, FAILED, reason);
    } else {
      if (!paused) this.#logger.warn({ kind, reason, attempt }, 'a message could not be delivered yet');
      await this.messages.retry(taken.id, owner, { delayMs, reason, attempts: paused ? attempt - 1 : attempt });
    }
  }

  async #end(kind: string, taken: TakenMessage, owner: string, outcome: string, reason?: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      const ended = await this.messages.end(taken.id, owner, outcome, reason);
      if (ended && isReadable(taken)) await this.#handlers.get(kind)?.ended?.(taken, outcome);
    });
  }
}

function isReadable(taken: TakenMessage): taken is Delivery {
  return taken.payload !== undefined;
}
