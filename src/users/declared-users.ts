import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AppliedDeclarations, Configuration, type UserDeclaration } from '../config/index.js';
import { PasswordChanges } from './password-changes.js';
import { hashPassword, verifyPassword } from './passwords.js';
import { UsersRepository } from './users.repository.js';

/** Applies the users of CONFIG_FILE at start. */
@Injectable()
export class DeclaredUsers implements OnModuleInit {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(AppliedDeclarations) private readonly applied: AppliedDeclarations,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(PasswordChanges) private readonly passwordChanges: PasswordChanges,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.applied.apply(this.configuration.declared.users, {
      kind: 'user',
      name: ({ username }) => username,
      apply: (declaration) => this.#apply(declaration),
      disable: async (username) => {
        const user = await this.users.findByUsername(username);
        if (user) await this.users.change(user.id, { blocked: true });
      },
    });
  }

  async #apply({ username, password, basic_auth, full_name, email }: UserDeclaration): Promise<void> {
    const passwordHash = password ? await hashPassword(password) : null;
    const existing = await this.users.findByUsername(username);
    if (!existing) {
      const profile = { username, fullName: full_name, email };
      await this.users.create(profile, { passwordHash, basicAuthEnabled: basic_auth });
      return;
    }
    await this.users.change(existing.id, {
      fullName: full_name ?? null,
      email: email ?? null,
      ...((email ?? undefined) !== existing.email && { emailVerified: false, emailVerifiedBy: null }),
      passwordHash,
      basicAuthEnabled: basic_auth,
      blocked: false,
    });
    const samePassword = password
      ? await verifyPassword(password, existing.passwordHash)
      : existing.passwordHash === null;
    if (!samePassword) await this.passwordChanges.changed(existing.id);
  }
}
