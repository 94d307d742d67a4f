import { Inject, Injectable } from '@nestjs/common';
import { IsNull, LessThanOrEqual } from 'typeorm';
import { Clock } from '../../common/clock.js';
import { Randomness } from '../../common/random.js';
import { UnitOfWork } from '../../database/index.js';
import { GrantEntity } from './grant.entities.js';

export interface Grant {
  id: string;
  userId: string;
  clientId: string;
  scope: readonly string[];
  sessionId: string | undefined;
  /** Milliseconds since the epoch, as the next. */
  authTime: number;
  createdAt: number;
  claims: Readonly<Record<string, unknown>>;
  revoked: boolean;
}

export type NewGrant = Omit<Grant, 'id' | 'createdAt' | 'revoked'>;

@Injectable()
export class GrantsRepository {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {}

  async find(id: string): Promise<Grant | undefined> {
    const row = await this.#rows.findOneBy({ id });
    return row ? toGrant(row) : undefined;
  }

  async create(grant: NewGrant): Promise<Grant> {
    const row: GrantEntity = {
      id: this.randomness.id(),
      userId: grant.userId,
      clientId: grant.clientId,
      scope: grant.scope.join(' '),
      sessionId: grant.sessionId ?? null,
      authTime: grant.authTime,
      claims: { ...grant.claims },
      createdAt: this.clock.now(),
      revokedAt: null,
      revokedReason: null,
    };
    await this.#rows.insert(row);
    return toGrant(row);
  }

  /** Ends the grant and with it every token issued from it. */
  async revoke(id: string, reason: string): Promise<boolean> {
    const { affected } = await this.#rows.update(
      { id, revokedAt: IsNull() },
      { revokedAt: this.clock.now(), revokedReason: reason },
    );
    return affected === 1;
  }

  /** Ends everything that the user allowed one client, up to an instant where there is one; answers how much it was. */
  async revokeAllBetween(
    { userId, clientId, until }: { userId: string; clientId: string; until?: number | undefined },
    reason: string,
  ): Promise<number> {
    const { affected } = await this.#rows.update(
      { userId, clientId, revokedAt: IsNull(), ...(until !== undefined && { createdAt: LessThanOrEqual(until) }) },
      { revokedAt: this.clock.now(), revokedReason: reason },
    );
    return affected ?? 0;
  }

  /** Ends everything that the user allowed. */
  async revokeAllOfUser(userId: string, reason: string): Promise<void> {
    await this.#rows.update({ userId, revokedAt: IsNull() }, { revokedAt: this.clock.now(), revokedReason: reason });
  }

  /** The same for a user who is deleted: it is forgotten who they were. */
  async forgetUser(userId: string): Promise<void> {
    await this.revokeAllOfUser(userId, 'user deleted');
    await this.#rows.update({ userId }, { claims: {} });
  }

  /** Ends everything that the client was allowed. */
  async revokeAllOfClient(clientId: string, reason: string): Promise<void> {
    await this.#rows.update({ clientId, revokedAt: IsNull() }, { revokedAt: this.clock.now(), revokedReason: reason });
  }

  get #rows() {
    return this.unitOfWork.repository(GrantEntity);
  }
}

function toGrant(row: GrantEntity): Grant {
  return {
    id: row.id,
    userId: row.userId,
    clientId: row.clientId,
    scope: row.scope === '' ? [] : row.scope.split(' '),
    sessionId: row.sessionId ?? undefined,
    authTime: row.authTime,
    createdAt: row.createdAt,
    claims: row.claims as Record<string, unknown>,
    revoked: row.revokedAt !== null,
  };
}
