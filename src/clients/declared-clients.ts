import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import {
  ADMIN_SCOPE,
  AppliedDeclarations,
  clientDeclaration,
  Configuration,
  ConfigurationError,
  DOCUMENTATION_CLIENT_ID,
  sourceOf,
  STANDARD_SCOPES,
  withSource,
  type ClientDeclaration,
  type SigningAlgorithm,
} from '../config/index.js';
import { UsersRepository } from '../users/index.js';
import { toNewClient } from './client-entry.js';
import { ClientSecrets } from './client-secrets.js';
import { ClientsRepository } from './clients.repository.js';

/** Where the API documentation receives its authorization code. */
export const DOCUMENTATION_REDIRECT_PATH = '/docs/oauth2-redirect.html';

const DOCUMENTATION_CLIENT = {
  client_id: DOCUMENTATION_CLIENT_ID,
  client_name: 'API documentation',
  token_endpoint_auth_method: 'none',
  scope: Object.keys(STANDARD_SCOPES).join(' '),
};

/** Applies the clients of CONFIG_FILE at start. */
@Injectable()
export class DeclaredClients implements OnModuleInit {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(AppliedDeclarations) private readonly applied: AppliedDeclarations,
    @Inject(ClientsRepository) private readonly clients: ClientsRepository,
    @Inject(ClientSecrets) private readonly secrets: ClientSecrets,
    @Inject(UsersRepository) private readonly users: UsersRepository,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.applied.apply(this.#declarations(), {
      kind: 'client',
      name: ({ client_id }) => client_id,
      apply: (declaration) => this.#apply(declaration),
      disable: (clientId) => this.#remove(clientId),
    });
    await this.#refuseUnsignable();
  }

  /** What only the file gives goes with it: whoever enables the client later does not enable an administrator. */
  async #remove(clientId: string): Promise<void> {
    await this.clients.disable(clientId);
    const client = await this.clients.find(clientId);
    if (!client?.scope.includes(ADMIN_SCOPE)) return;
    await this.clients.replace(client, { ...client, scope: client.scope.filter((name) => name !== ADMIN_SCOPE) });
  }

  /** Of clients that were made here, too: their next id_token could not be signed. */
  async #refuseUnsignable(): Promise<void> {
    const { SIGNING_ALGS: algorithms } = this.configuration.environment;
    const [client] = await this.clients.signedOtherwise(algorithms);
    if (client) throw unsignable(client.clientId, client.idTokenSignedResponseAlg);
  }

  /** The documentation's own client exists by itself; a declaration of the same id widens it, for instance to providers. */
  #declarations(): ClientDeclaration[] {
    const { declared, environment } = this.configuration;
    const others = declared.clients.filter(({ client_id }) => client_id !== DOCUMENTATION_CLIENT_ID);
    if (environment.DOCS === 'off') return others;
    const own =
      declared.clients.find(({ client_id }) => client_id === DOCUMENTATION_CLIENT_ID) ??
      withSource(clientDeclaration.parse(DOCUMENTATION_CLIENT), DOCUMENTATION_CLIENT);
    const redirectUri = this.configuration.url(DOCUMENTATION_REDIRECT_PATH);
    const widened = { ...own, redirect_uris: [...new Set([...own.redirect_uris, redirectUri])] };
    return [...others, withSource(widened, [sourceOf(own), redirectUri])];
  }

  async #apply(declaration: ClientDeclaration): Promise<void> {
    // RFC 9700 section 4.15: a client's `sub` must never be taken for a user's.
    if (await this.users.find(declaration.client_id)) {
      throw new ConfigurationError(
        `CONFIG_FILE clients[${declaration.client_id}].client_id is the id of a user; choose another`,
      );
    }
    const { SIGNING_ALGS: algorithms } = this.configuration.environment;
    const { id_token_signed_response_alg: algorithm } = declaration;
    if (!algorithms.includes(algorithm)) throw unsignable(declaration.client_id, algorithm);
    const { client_secret: secret, token_endpoint_auth_method: method } = declaration;
    const stored = secret && (await this.secrets.seal(secret, { signs: method === 'client_secret_jwt' }));
    await this.clients.put(toNewClient(declaration), stored);
  }
}

function unsignable(clientId: string, algorithm: SigningAlgorithm): ConfigurationError {
  return new ConfigurationError(
    `SIGNING_ALGS lacks ${algorithm}, the id_token_signed_response_alg of the client ${clientId}; add it, or change the client`,
  );
}
