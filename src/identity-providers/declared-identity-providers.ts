import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AppliedDeclarations, Configuration, type IdentityProviderDeclaration } from '../config/index.js';
import { DEFAULT_OPTIONS } from './identity-provider.js';
import { IdentityProvidersRepository } from './identity-providers.repository.js';

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
      apply: (declaration) => this.#apply(declaration),
      disable: (id) => this.providers.disable(id),
    });
  }

  async #apply(declaration: IdentityProviderDeclaration): Promise<void> {
    await this.providers.put({
      ...DEFAULT_OPTIONS,
      id: declaration.id,
      type: declaration.type,
      displayName: declaration.name ?? declaration.id,
      issuer: declaration.issuer,
      clientId: declaration.client_id,
      clientSecret: declaration.client_secret,
      privateKey: undefined,
      tokenEndpointAuthMethod:
        declaration.token_endpoint_auth_method ?? (declaration.client_secret ? 'client_secret_basic' : 'none'),
      scope: declaration.scope,
      offlineAccess: declaration.offline_access,
      signUp: declaration.sign_up,
      authorizationParameters: declaration.authorization_parameters,
    });
  }
}
