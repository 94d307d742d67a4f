import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { UnitOfWork } from '../database/index.js';
import { Sessions } from '../sessions/index.js';
import { UsersRepository } from './users.repository.js';

/** Forgets what a room keeps of a user: part of the unit of work that deletes them, so no network. */
export type DeletionListener = (userId: string) => Promise<unknown>;

/** The deletion of a user. Rooms that keep something of users register what they have to forget. */
@Injectable()
export class UserDeletion {
  readonly #listeners: DeletionListener[] = [];

  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(Audit) private readonly audit: Audit,
  ) {}

  register(listener: DeletionListener): void {
    this.#listeners.push(listener);
  }

  /** All of it or nothing; false where there is no such user. */
  async delete(userId: string): Promise<boolean> {
    return this.unitOfWork.run(async () => {
      // First, so that of two deletions only one runs the listeners, and what is made for the user meanwhile fails.
      if (!(await this.users.delete(userId))) return false;
      for (const forget of this.#listeners) await forget(userId);
      // After linked accounts, as a sign-in locks them: the other way round the two would wait for each other.
      await this.sessions.endAllOf(userId);
      await this.audit.record({ event: 'user.deleted', outcome: 'success', userId });
      return true;
    });
  }
}
