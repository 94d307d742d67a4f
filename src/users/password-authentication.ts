import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '../common/domain-error.js';
import type { Secret } from '../common/secret.js';
import { verifyPassword } from './passwords.js';
import { UsersRepository, type User } from './users.repository.js';

/** Users by their password. */
@Injectable()
export class PasswordAuthentication {
  constructor(@Inject(UsersRepository) private readonly users: UsersRepository) {}

  /**
   * HTTP Basic authentication, which is off unless switched on for that user.
   * @throws DomainError `credentials.password-wrong`, `credentials.basic-disabled` or `credentials.user-blocked`; the
   * latter two only to somebody who knew the password.
   */
  async authenticate(username: string, password: Secret): Promise<User> {
    const user = await this.#verify(username, password);
    if (!user.basicAuthEnabled) throw new DomainError('credentials.basic-disabled');
    return notBlocked(user);
  }

  /**
   * The sign-in on our own page.
   * @throws DomainError `credentials.password-wrong`; `credentials.user-blocked` only to somebody who knew the password.
   */
  async signIn(username: string, password: Secret): Promise<User> {
    return notBlocked(await this.#verify(username, password));
  }

  async #verify(username: string, password: Secret): Promise<User> {
    const user = await this.users.findByUsername(username);
    if ((await verifyPassword(password, user?.passwordHash ?? null)) && user) return user;
    throw new DomainError('credentials.password-wrong');
  }
}

function notBlocked(user: User): User {
  if (user.blocked) throw new DomainError('credentials.user-blocked');
  return user;
}
