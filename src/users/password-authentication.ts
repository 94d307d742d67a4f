import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '../common/domain-error.js';
import type { Secret } from '../common/secret.js';
import { Throttling } from '../throttling/index.js';
import { verifyPassword } from './passwords.js';
import { UsersRepository, type User } from './users.repository.js';

/**
 * Users by their password. Failures are throttled per name and per address; a throttled attempt is answered like a
 * wrong password without looking at it, with the delay in `meta.retryAfterSeconds`.
 */
@Injectable()
export class PasswordAuthentication {
  constructor(
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(Throttling) private readonly throttling: Throttling,
  ) {}

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
    let user: User | undefined;
    const { accepted, retryAfterSeconds } = await this.throttling.attempt(username, async () => {
      const { passwordHash = null, ...found } = (await this.users.findByUsername(username)) ?? {};
      if (await verifyPassword(password, passwordHash)) user = found as User;
      return user !== undefined;
    });
    if (user && accepted) return user;
    throw new DomainError('credentials.password-wrong', {
      ...(retryAfterSeconds !== undefined && { privateDetail: 'throttled', meta: { retryAfterSeconds } }),
    });
  }
}

function notBlocked(user: User): User {
  if (user.blocked) throw new DomainError('credentials.user-blocked');
  return user;
}
