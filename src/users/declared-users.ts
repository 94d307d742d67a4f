import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AppliedDeclarations, Configuration, type UserDeclaration } from '../config/index.js';
import { hashPassword } from './passwords.js';
import { UsersRepository } from './users.repository.js';

/** Applies the users of CONFIG_FILE at start. */
@Injectable()
export class DeclaredUsers implements OnModuleInit {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(AppliedDeclarations) private readonly applied: AppliedDeclarations,
    @Inject(UsersRepository) private readonly users: UsersRepository,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.applied.apply(this.configuration.declared.users, {
      kind: 'user',
      name: ({ username }) => username,
      apply: (declaration) => this.#apply(declaration),
      disable: async (username) => {
        const user = await this.users.findByUsername(username);
        if (user) await this.users.setBlocked(user.id, true);
      },
    });
  }

  async #apply({ username, password, basic_auth, full_name, email }: UserDeclaration): Promise<void> {
    const profile = { username, fullName: full_name, email };
    const settings = { passwordHash: password ? await hashPassword(password) : null, basicAuthEnabled: basic_auth };
    const existing = await this.users.findByUsername(username);
    if (!existing) {
      await this.users.create(profile, settings);
      return;
    }
    await this.users.update(existing.id, profile, settings);
    await this.users.setBlocked(existing.id, false);
  }
}
