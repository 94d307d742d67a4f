import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { DomainError, invalidParameter } from '../common/domain-error.js';
import type { Secret } from '../common/secret.js';
import { UnitOfWork } from '../database/index.js';
import { PasswordChanges } from './password-changes.js';
import { hashPassword } from './passwords.js';
import { UsersRepository, type User, type UserChanges } from './users.repository.js';

/** What is left out stays as it is; null clears it. */
export interface AccountChanges extends Omit<UserChanges, 'passwordHash' | 'emailVerifiedBy'> {
  password?: Secret | null;
}

/** Accounts as an administrator makes and changes them. */
@Injectable()
export class UserAccounts {
  constructor(
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(PasswordChanges) private readonly passwordChanges: PasswordChanges,
    @Inject(Audit) private readonly audit: Audit,
  ) {}

  /** @throws DomainError `resource.conflict`, `request.parameter-invalid` */
  async create(wanted: AccountChanges): Promise<User> {
    const changes = await withPasswordHash(wanted);
    return this.unitOfWork.run(async () => {
      const { id: userId } = await this.users.create({});
      const { after } = await this.#change(userId, changes);
      await this.audit.record({ event: 'user.created', outcome: 'success', userId });
      return after;
    });
  }

  /**
   * A new password ends what was obtained by the old one; a new e-mail address is not a verified one unless the change says so.
   * @throws DomainError `resource.not-found`, `resource.conflict`, `request.parameter-invalid`
   */
  async change(userId: string, wanted: AccountChanges): Promise<User> {
    const changes = await withPasswordHash(wanted);
    return this.unitOfWork.run(async () => {
      const { before, after } = await this.#change(userId, changes);
      if (differences(before, after, changes).includes('password')) await this.passwordChanges.changed(userId);
      for (const reason of differences(before, after, changes)) {
        await this.audit.record({ event: 'user.updated', outcome: 'success', userId, reason });
      }
      return after;
    });
  }

  async #change(userId: string, changes: UserChanges): Promise<{ before: User; after: User }> {
    const before = await this.users.hold(userId);
    if (!before) throw new DomainError('resource.not-found');
    const newEmail = changes.email !== undefined && changes.email !== (before.email ?? null);
    const { emailVerified = newEmail ? false : undefined } = changes;
    // Saying again what stands there vouches for nothing: who verified it stays who it was.
    const vouched = emailVerified === true && before.emailVerified && !newEmail;
    const emailVerifiedBy = emailVerified === true ? 'admin' : null;
    await this.users.change(userId, {
      ...changes,
      ...(emailVerified !== undefined && !vouched && { emailVerified, emailVerifiedBy }),
    });
    const after = await this.#get(userId);
    if (after.basicAuthEnabled && !after.hasPassword) throw invalidParameter('basic_auth', 'needs a password');
    return { before, after };
  }

  async #get(userId: string): Promise<User> {
    const user = await this.users.find(userId);
    if (!user) throw new DomainError('resource.not-found');
    return user;
  }
}

/** Outside the unit of work: it takes its time. */
async function withPasswordHash({ password, ...changes }: AccountChanges): Promise<UserChanges> {
  if (password === undefined) return changes;
  return { ...changes, passwordHash: password && (await hashPassword(password)) };
}

/** What the audit says of a change, a word for each; nothing where all is as it was. */
function differences(before: User, after: User, { passwordHash }: UserChanges): string[] {
  const profile = (['username', 'fullName', 'email', 'emailVerified'] as const).some(
    (member) => before[member] !== after[member],
  );
  return [
    ...(before.blocked === after.blocked ? [] : [after.blocked ? 'blocked' : 'unblocked']),
    ...(passwordHash === undefined || (passwordHash === null && !before.hasPassword) ? [] : ['password']),
    ...(before.basicAuthEnabled === after.basicAuthEnabled ? [] : ['basic-auth']),
    ...(profile ? ['profile'] : []),
  ];
}
