import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '../common/domain-error.js';
import type { Secret } from '../common/secret.js';
import { UnitOfWork } from '../database/index.js';
import { Throttling } from '../throttling/index.js';
import { verifyPassword } from './passwords.js';
import { UsersRepository, type User } from './users.repository.js';

interface VerifiedUser {
  user: User;
  passwordHash: string | null;
}

/**
 * Users by their password. Failures are throttled per name and per address; a throttled attempt is answered like a
 * wrong password without looking at it, with the delay in `meta.retryAfterSeconds`.
 */
@Injectable()
export class PasswordAuthentication {
  constructor(
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(Throttling) private readonly throttling: Throttling,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * HTTP Basic authentication, which is off unless switched on for that user.
   * @throws DomainError `credentials.password-wrong`, `credentials.basic-disabled` or `credentials.user-blocked`; the
   * latter two only to somebody who knew the password.
   */
  async authenticate(username: string, password: Secret): Promise<User> {
    const { user } = await this.#verify(username, password);
    if (!user.basicAuthEnabled) throw new DomainError('credentials.basic-disabled');
    return notBlocked(user);
  }

  /**
   * The sign-in on our own page. What `start` does is one unit of work with the check that the password still is the one
   * that was verified: a change of it ends the sessions there are, and none may come after it from the old one.
   * @throws DomainError `credentials.password-wrong`; `credentials.user-blocked` only to somebody who knew the password.
   */
  async signIn<Started>(username: string, password: Secret, start: (user: User) => Promise<Started>): Promise<Started> {
    const verified = await this.#verify(username, password);
    return this.unitOfWork.run(async () => {
      const { passwordHash, ...user } = (await this.users.hold(verified.user.id)) ?? {};
      if (passwordHash !== verified.passwordHash) throw new DomainError('credentials.password-wrong');
      return start(notBlocked(user as User));
    });
  }

  async #verify(username: string, password: Secret): Promise<VerifiedUser> {
    let verified: VerifiedUser | undefined;
    const { accepted, retryAfterSeconds } = await this.throttling.attempt(username, async () => {
      const { passwordHash = null, ...user } = (await this.users.findByUsername(username)) ?? {};
      if (await verifyPassword(password, passwordHash)) verified = { user: user as User, passwordHash };
      return verified !== undefined;
    });
    if (verified && accepted) return verified;
    throw new DomainError('credentials.password-wrong', {
      ...(retryAfterSeconds !== undefined && { privateDetail: 'throttled', meta: { retryAfterSeconds } }),
    });
  }
}

function notBlocked(user: User): User {
  if (user.blocked) throw new DomainError('credentials.user-blocked');
  return user;
}
