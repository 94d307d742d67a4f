import { Inject, Injectable } from '@nestjs/common';
import { In, IsNull, LessThan, Not } from 'typeorm';
import { Clock } from '../common/clock.js';
import type { Page, PageRequest } from '../common/page.js';
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
  /** One that nobody else has; a random one where there is none. */
  id?: string | undefined;
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

/** A message as it can be shown, without what it says. */
export interface MessageRecord {
  id: string;
  topic: string | undefined;
  /** In a word of ours; nothing while it is under way. */
  outcome: string | undefined;
  attempts: number;
  /** Of the latest attempt that failed; a word of ours. */
  lastError: string | undefined;
  /** Nothing while somebody delivers it, and once it has ended. */
  nextAttemptAt: number | undefined;
  createdAt: number;
  endedAt: number | undefined;
}

/** A message that is due. */
export interface DueMessage {
  id: string;
  kind: string;
  subjectId: string | undefined;
  attempts: number;
  nextAttemptAt: number;
  /** When it is given up. */
  expiresAt: number;
}

/** Without its payload where that cannot be opened, at least not with the keys of this process. */
export type TakenMessage = Omit<Delivery, 'payload' | 'signal'> & { payload: Secret | undefined };

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

  async insert(message: NewMessage, lifetimeMs: number): Promise<void> {
    const { id = this.randomness.id(), kind, subjectId, topic, payload } = message;
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

  /** What is due of a kind, the longest waiting first, and nothing about these subjects. */
  async due(kind: string, limit: number, except: readonly string[] = []): Promise<DueMessage[]> {
    const now = this.clock.now();
    const query = this.#rows
      .createQueryBuilder('message')
      .where('message.kind = :kind', { kind })
      .andWhere('(message.nextAttemptAt <= :now OR message.nextAttemptAt > :beyond)', {
        now,
        beyond: now + BEYOND_WAITS_MS,
      })
      .orderBy({ 'message.nextAttemptAt': 'ASC', 'message.createdAt': 'ASC' })
      .take(limit);
    if (except.length > 0) {
      query.andWhere('(message.subjectId IS NULL OR message.subjectId NOT IN (:...except))', { except });
    }
    return (await query.getMany()).map(({ id, subjectId, attempts, nextAttemptAt, expiresAt }) => ({
      id,
      kind,
      subjectId: subjectId ?? undefined,
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
    if (!row) return undefined;
    return { id: row.id, subjectId: row.subjectId ?? undefined, attempt: row.attempts, payload: this.#open(row) };
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

  /** Nothing that waits about the subject is tried before then. */
  async postpone(kind: string, subjectId: string, untilMs: number): Promise<void> {
    await this.#rows.update(
      { kind, subjectId, leaseOwner: IsNull(), nextAttemptAt: LessThan(untilMs) },
      { nextAttemptAt: untilMs },
    );
  }

  /** Keeps what came of the message and, unless it may be sent again, erases what it said. False as for `retry`. */
  async end(
    id: string,
    owner: string,
    outcome: string,
    { reason, keep }: { reason?: string | undefined; keep: boolean },
  ): Promise<boolean> {
    const { affected } = await this.#rows.update(
      { id, leaseOwner: owner },
      {
        ...(!keep && { payload: null, dataKey: null, encryptionKeyId: null }),
        leaseOwner: null,
        nextAttemptAt: null,
        outcome,
        lastError: reason ?? null,
        expiresAt: this.clock.now(),
      },
    );
    return affected === 1;
  }

  /** Begins anew with a message that has ended and was kept. */
  async repeat(kind: string, subjectId: string, id: string, lifetimeMs: number): Promise<boolean> {
    const now = this.clock.now();
    const { affected } = await this.#rows.update(
      { id, kind, subjectId, outcome: Not(IsNull()), payload: Not(IsNull()) },
      { outcome: null, attempts: 0, lastError: null, nextAttemptAt: now, expiresAt: now + lifetimeMs },
    );
    return affected === 1;
  }

  /** The messages about one subject, the latest first; with an outcome only those, with null those under way. */
  async page(
    kind: string,
    subjectId: string,
    { id, outcome }: { id?: string | undefined; outcome?: string | null | undefined },
    { limit, offset }: PageRequest,
  ): Promise<Page<MessageRecord>> {
    const [rows, total] = await this.#rows.findAndCount({
      where: {
        kind,
        subjectId,
        ...(id !== undefined && { id }),
        ...(outcome !== undefined && { outcome: outcome ?? IsNull() }),
      },
      order: { createdAt: 'DESC', id: 'DESC' },
      take: limit,
      skip: offset,
    });
    return { items: rows.map(toRecord), total };
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

function toRecord(row: OutboxMessageEntity): MessageRecord {
  const { id, topic, outcome, attempts, lastError, leaseOwner, nextAttemptAt, createdAt, expiresAt } = row;
  return {
    id,
    topic: topic ?? undefined,
    outcome: outcome ?? undefined,
    attempts,
    lastError: lastError ?? undefined,
    nextAttemptAt: leaseOwner === null ? (nextAttemptAt ?? undefined) : undefined,
    createdAt,
    // What is done with expires when it ends.
    endedAt: outcome === null ? undefined : expiresAt,
  };
}
