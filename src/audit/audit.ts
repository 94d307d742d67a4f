import { Inject, Injectable } from '@nestjs/common';
import { Between, In, LessThan, type FindOptionsWhere } from 'typeorm';
import { Clock } from '../common/clock.js';
import type { Page, PageRequest } from '../common/page.js';
import { Randomness } from '../common/random.js';
import { requestContext } from '../common/request-context.js';
import { JointInserts, UnitOfWork } from '../database/index.js';
import { AuditEventEntity } from './audit-event.entity.js';

export type AuditedEvent =
  | 'user.signed-in'
  | 'user.created'
  | 'client.authorized'
  | 'token.issued'
  | 'token.reused'
  | 'token.revoked'
  | 'client.created'
  | 'client.updated'
  | 'client.deleted'
  | 'client.enabled'
  | 'client.disabled'
  | 'client.secret-rotated'
  | 'user.updated'
  | 'user.deleted'
  | 'identity.linked'
  | 'identity.unlinked'
  | 'identity.imported'
  | 'identity.expired'
  | 'identity-provider.created'
  | 'identity-provider.updated'
  | 'identity-provider.deleted'
  | 'identity-provider.tested'
  | 'user-token.created'
  | 'user-token.updated'
  | 'user-token.deleted'
  | 'admin.refused'
  | 'api-key.created'
  | 'api-key.deleted'
  | 'audit.exported'
  | 'encryption-keys.rewrapped'
  | 'signing-keys.rotated'
  | 'webhook.created'
  | 'webhook.updated'
  | 'webhook.deleted'
  | 'webhook.tested'
  | 'webhook.redelivered'
  | 'upstream-token.read'
  | 'upstream-token.refreshed'
  | 'upstream-token.revoked';

/** Who did what, through which client, for whom, at which provider, with what outcome; never token material. */
export interface AuditRecord {
  /** Of what must not be recorded twice; otherwise it is given one. */
  id?: string | undefined;
  event: AuditedEvent;
  outcome: 'success' | 'failure';
  userId?: string | undefined;
  clientId?: string | undefined;
  identityProvider?: string | undefined;
  /** A word of ours, never text that somebody sent. */
  reason?: string | undefined;
}

/** A record as it was kept, with the request that it belongs to. */
export interface AuditEntry {
  id: string;
  /** Milliseconds since the epoch. */
  at: number;
  event: string;
  outcome: string;
  userId: string | undefined;
  /** Who did it, where it was not the user. */
  actor: string | undefined;
  clientId: string | undefined;
  identityProvider: string | undefined;
  reason: string | undefined;
  requestId: string | undefined;
  address: string | undefined;
}

export interface AuditFilter {
  event?: string | undefined;
  userId?: string | undefined;
  clientId?: string | undefined;
  identityProvider?: string | undefined;
  /** Milliseconds since the epoch, both included. */
  from?: number | undefined;
  to?: number | undefined;
}

/** So many entries are in memory while the log is read as a whole. */
const BATCH = 500;

/**
 * The audit log. A record written inside a unit of work is committed with what it records, or not at all; one outside of
 * any is committed with those of other requests, and before its own request is answered.
 */
@Injectable()
export class Audit {
  readonly #joint = new JointInserts((rows: AuditEventEntity[]) =>
    this.unitOfWork.repository(AuditEventEntity).insert(rows),
  );

  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {}

  async record({ id, event, outcome, userId, clientId, identityProvider, reason }: AuditRecord): Promise<void> {
    const context = requestContext.getStore();
    const row: AuditEventEntity = {
      id: id ?? this.randomness.id(),
      at: this.clock.now(),
      event,
      outcome,
      userId: userId ?? null,
      actor: context?.actor ?? null,
      clientId: clientId ?? context?.clientId ?? null,
      identityProvider: identityProvider ?? null,
      reason: reason ?? null,
      requestId: context?.requestId ?? null,
      address: context?.address ?? null,
    };
    if (this.unitOfWork.inTransaction) await this.unitOfWork.repository(AuditEventEntity).insert(row);
    else await this.#joint.add(row);
  }

  /** What was recorded under this id, if it was. */
  async outcomeOf(id: string): Promise<AuditRecord['outcome'] | undefined> {
    const row = await this.unitOfWork.repository(AuditEventEntity).findOneBy({ id });
    return row ? (row.outcome as AuditRecord['outcome']) : undefined;
  }

  /** The newest first. */
  async list({ from, to, ...equal }: AuditFilter, { limit, offset }: PageRequest): Promise<Page<AuditEntry>> {
    const [rows, total] = await this.unitOfWork.repository(AuditEventEntity).findAndCount({
      where: { ...defined(equal), at: Between(from ?? 0, to ?? Number.MAX_SAFE_INTEGER) },
      order: { at: 'DESC', id: 'DESC' },
      take: limit,
      skip: offset,
    });
    return { items: rows.map(toEntry), total };
  }

  /** Removes the oldest records from before an instant; answers how many. */
  async removeBefore(at: number, limit: number): Promise<number> {
    const rows = this.unitOfWork.repository(AuditEventEntity);
    const old = await rows.find({
      select: { id: true },
      where: { at: LessThan(at) },
      order: { at: 'ASC' },
      take: limit,
    });
    if (old.length > 0) await rows.delete({ id: In(old.map(({ id }) => id)) });
    return old.length;
  }

  /**
   * All that was written before `until`, the oldest first, in batches. Each is read when it is asked for and none is kept,
   * nor a transaction held open: a log of any length takes the memory of one batch, however slow the reader is.
   */
  async *export(
    { from = 0, to = Number.MAX_SAFE_INTEGER, ...equal }: AuditFilter,
    until: number,
  ): AsyncGenerator<AuditEntry[]> {
    let after = { at: from, id: '' };
    for (;;) {
      const rows = await this.unitOfWork
        .repository(AuditEventEntity)
        .createQueryBuilder('entry')
        .where(defined(equal))
        .andWhere('entry.at >= :at AND (entry.at > :at OR entry.id > :id)', after)
        .andWhere('entry.at <= :to AND entry.at < :until', { to, until })
        .orderBy('entry.at', 'ASC')
        .addOrderBy('entry.id', 'ASC')
        .limit(BATCH)
        .getMany();
      const last = rows.at(-1);
      if (last === undefined) return;
      yield rows.map(toEntry);
      if (rows.length < BATCH) return;
      after = { at: last.at, id: last.id };
    }
  }
}

function defined(filter: Omit<AuditFilter, 'from' | 'to'>): FindOptionsWhere<AuditEventEntity> {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

function toEntry(row: AuditEventEntity): AuditEntry {
  return {
    id: row.id,
    at: row.at,
    event: row.event,
    outcome: row.outcome,
    userId: row.userId ?? undefined,
    actor: row.actor ?? undefined,
    clientId: row.clientId ?? undefined,
    identityProvider: row.identityProvider ?? undefined,
    reason: row.reason ?? undefined,
    requestId: row.requestId ?? undefined,
    address: row.address ?? undefined,
  };
}
