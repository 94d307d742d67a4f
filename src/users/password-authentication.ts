import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '../common/domain-error.js';
import type { Secret } from '../common/secret.js';
import { verifyPassword } from './passwords.js';
import { UsersRepository, type User } from './users.repository.js';

/** HTTP Basic authentication of a user, which is off unless switched on for that user. */
@Injectable()
export class PasswordAuthentication {
  constructor(@Inject(UsersRepository) private readonly users: UsersRepository) {}

  /**
   * @throws DomainError `credentials.password-wrong`, `credentials.basic-disabled` or `credentials.user-blocked`; the
   * latter two only to somebody who knew the password.
   */
  async authenticate(username: string, password: Secret): Promise<User> {
    const user = await this.users.findByUsername(username);
    if (!(await verifyPassword(password, user?.passwordHash ?? null)) || !user) {
      throw new DomainError('credentials.password-wrong');
    }
    if (!user.basicAuthEnabled) throw new DomainError('credentials.basic-disabled');
    if (user.blocked) throw new DomainError('credentials.user-blocked');
    return user;
  }
}
