import { Inject, Injectable } from '@nestjs/common';
import { In, LessThanOrEqual, MoreThan } from 'typeorm';
import { Clock } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import { Secret } from '../common/secret.js';
import { ExpiredRows, UnitOfWork } from '../database/index.js';
import { DecryptionError, EncryptedTables, Envelopes } from '../encryption/index.js';
import type { Delivery } from './delivery.js';
import { OutboxMessageEntity } from './outbox-message.entity.js';

const TABLE = 'outbox_messages';
const COLUMN = 'payload';
/** No message waits so long: the clock was turned back since. */
const BEYOND_WAITS_MS = 24 * 3600_000;

export interface NewMessage {
  kind: string;
  /** What the message is about, so that its state can be shown there. */
  subjectId?: string | undefined;
  /** What it says, in a word of ours. */
  topic?: string | undefined;
  payload: Secret;
}

/** How far a message has come. */
export interface MessageState {
  subjectId: string;
  /** In a word of ours; nothing while it is under way. */
  outcome: string | undefined;
  /** When it ended, or was written. */
  at: number;
}

/** A message that is due. */
export interface DueMessage {
  id: string;
  kind: string;
  attempts: number;
  nextAttemptAt: number;
  /** When it is given up. */
  expiresAt: number;
}

/** Without its payload where that cannot be opened, at least not with the keys of this process. */
export type TakenMessage = Omit<Delivery, 'payload'> & { payload: Secret | undefined };

/** The rows of the outbox, the leases on them, and the encryption of what they say. */
@Injectable()
export class OutboxMessages {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(EncryptedTables) encryptedTables: EncryptedTables,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    encryptedTables.register(OutboxMessageEntity);
    expiredRows.register(OutboxMessageEntity);
  }

  async insert({ kind, subjectId, topic, payload }: NewMessage, lifetimeMs: number): Promise<void> {
    const id = this.randomness.id();
    const envelope = this.envelopes.create({ table: TABLE, id });
    const now = this.clock.now();
    await this.#rows.insert({
      id,
      kind,
      subjectId: subjectId ?? null,
      topic: topic ?? null,
      payload: envelope.seal(COLUMN, payload),
      ...envelope.wrapped,
      attempts: 0,
      nextAttemptAt: now,
      leaseOwner: null,
      outcome: null,
      lastError: null,
      createdAt: now,
      expiresAt: now + lifetimeMs,
    });
  }

  /** What is due, the longest waiting first. */
  async due(kinds: readonly string[], limit: number): Promise<DueMessage[]> {
    const now = this.clock.now();
    const rows = await this.#rows.find({
      where: [LessThanOrEqual(now), MoreThan(now + BEYOND_WAITS_MS)].map((nextAttemptAt) => ({
        nextAttemptAt,
        kind: In([...kinds]),
      })),
      order: { nextAttemptAt: 'ASC' },
      take: limit,
    });
    return rows.map(({ id, kind, attempts, nextAttemptAt, expiresAt }) => ({
      id,
      kind,
      attempts,
      nextAttemptAt: nextAttemptAt!,
      expiresAt,
    }));
  }

  /** Takes the message for so long; nothing where somebody else was faster. */
  async take(due: DueMessage, owner: string, leaseMs: number): Promise<TakenMessage | undefined> {
    const { affected } = await this.#rows.update(
      { id: due.id, nextAttemptAt: due.nextAttemptAt },
      { leaseOwner: owner, attempts: due.attempts + 1, nextAttemptAt: this.clock.now() + leaseMs },
    );
    const row = affected === 1 ? await this.#rows.findOneBy({ id: due.id }) : null;
    return row ? { id: row.id, attempt: row.attempts, payload: this.#open(row) } : undefined;
  }

  #open({ id, payload, dataKey, encryptionKeyId }: OutboxMessageEntity): Secret | undefined {
    if (payload === null || dataKey === null || encryptionKeyId === null) return undefined;
    try {
      return this.envelopes.open({ table: TABLE, id }, { dataKey, encryptionKeyId }).unseal(COLUMN, payload);
    } catch (error) {
      if (error instanceof DecryptionError) return undefined;
      throw error;
    }
  }

  /** False where the lease ran out and somebody else has the message by now. */
  async retry(
    id: string,
    owner: string,
    { delayMs, reason, attempts }: { delayMs: number; reason: string; attempts: number },
  ): Promise<boolean> {
    const { affected } = await this.#rows.update(
      { id, leaseOwner: owner },
      { leaseOwner: null, nextAttemptAt: this.clock.now() + delayMs, lastError: reason, attempts },
    );
    return affected === 1;
  }

  /** Keeps what came of the message and erases what it said. False as for `retry`. */
  async end(id: string, owner: string, outcome: string, reason: string | undefined): Promise<boolean> {
    const { affected } = await this.#rows.update(
      { id, leaseOwner: owner },
      {
        payload: null,
        dataKey: null,
        encryptionKeyId: null,
        leaseOwner: null,
        nextAttemptAt: null,
        outcome,
        lastError: reason ?? null,
        expiresAt: this.clock.now(),
      },
    );
    return affected === 1;
  }

  /** Of all messages about these, the latest first. */
  async statesOf(kind: string, subjectIds: readonly string[]): Promise<MessageState[]> {
    const rows = await this.#rows.find({
      where: { kind, subjectId: In([...subjectIds]) },
      order: { createdAt: 'DESC', id: 'ASC' },
    });
    return rows.map(({ subjectId, outcome, createdAt, expiresAt }) => ({
      subjectId: subjectId!,
      outcome: outcome ?? undefined,
      // What is done with expires when it ends.
      at: outcome === null ? createdAt : expiresAt,
    }));
  }

  get #rows() {
    return this.unitOfWork.repository(OutboxMessageEntity);
  }
}
