import { Inject, Injectable } from '@nestjs/common';
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

  async covers(userId: string, clientId: string, scope: readonly string[]): Promise<boolean> {
    const allowed = await this.#scope(userId, clientId);
    return allowed !== undefined && scope.every((name) => allowed.includes(name));
  }

  async add(userId: string, clientId: string, scope: readonly string[]): Promise<void> {
    const merged = [...new Set([...((await this.#scope(userId, clientId)) ?? []), ...scope])].join(' ');
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

  async #scope(userId: string, clientId: string): Promise<string[] | undefined> {
    return (await this.#rows.findOneBy({ userId, clientId }))?.scope.split(' ');
  }

  get #rows() {
    return this.unitOfWork.repository(ConsentEntity);
  }
}
