import { Inject, Injectable } from '@nestjs/common';
import { Sessions } from '../sessions/index.js';

/** Ends what a room gave to whoever knew the user's password: part of the unit of work that changes it, so no network. */
export type PasswordChangeListener = (userId: string) => Promise<unknown>;

/**
 * What ends with a password. Who changes it may do so because somebody else knew it: no session outlives it, and nothing
 * that was given for the password itself. Rooms that give something for a password register what they have to end.
 */
@Injectable()
export class PasswordChanges {
  readonly #listeners: PasswordChangeListener[] = [];

  constructor(@Inject(Sessions) private readonly sessions: Sessions) {}

  register(listener: PasswordChangeListener): void {
    this.#listeners.push(listener);
  }

  /** The user has another password, or none any more. */
  async changed(userId: string): Promise<void> {
    for (const end of this.#listeners) await end(userId);
    await this.sessions.endAllOf(userId);
  }
}
