import { Inject, Injectable } from '@nestjs/common';
import type { Client } from '../clients/index.js';
import { Clock } from '../common/clock.js';
import { UnitOfWork } from '../database/index.js';
import { ConsentEntity } from './authorization.entities.js';

/** What a user has allowed a client before, so that it need not be asked again. */
@Injectable()
export class Consents {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async covers(userId: string, client: Client, scope: readonly string[]): Promise<boolean> {
    const allowed = await this.#allowed(userId, client);
    return allowed !== undefined && scope.every((name) => allowed.includes(name));
  }

  async add(userId: string, client: Client, scope: readonly string[]): Promise<void> {
    const { clientId } = client;
    const merged = [...new Set([...((await this.#allowed(userId, client)) ?? []), ...scope])].join(' ');
    const grantedAt = this.clock.now();
    const inserted = await this.unitOfWork.insertOnce(ConsentEntity, { userId, clientId, scope: merged, grantedAt });
    if (!inserted) await this.#rows.update({ userId, clientId }, { scope: merged, grantedAt });
  }

  async forget(userId: string): Promise<void> {
    await this.#rows.delete({ userId });
  }

  async forgetClient(clientId: string): Promise<void> {
    await this.#rows.delete({ clientId });
  }

  /** What was allowed to a former client of the same id does not count. */
  async #allowed(userId: string, { clientId, createdAt }: Client): Promise<string[] | undefined> {
    const consent = await this.#rows.findOneBy({ userId, clientId });
    return consent && consent.grantedAt >= createdAt ? consent.scope.split(' ') : undefined;
  }

  get #rows() {
    return this.unitOfWork.repository(ConsentEntity);
  }
}
