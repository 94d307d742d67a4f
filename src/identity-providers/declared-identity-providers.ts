import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AppliedDeclarations, Configuration } from '../config/index.js';
import { IdentityProvidersRepository } from './identity-providers.repository.js';
import { toProvider } from './provider-entry.js';

/** Applies the identity providers of CONFIG_FILE at start. */
@Injectable()
export class DeclaredIdentityProviders implements OnModuleInit {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(AppliedDeclarations) private readonly applied: AppliedDeclarations,
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.applied.apply(this.configuration.declared.identity_providers, {
      kind: 'identity-provider',
      name: ({ id }) => id,
      apply: (declaration) => this.providers.put(toProvider(declaration)),
      disable: async (id) => void (await this.providers.disable(id)),
    });
  }
}
