import { Inject, Injectable } from '@nestjs/common';
import { Audit, type AuditRecord } from '../audit/index.js';
import { DomainError, invalidParameter } from '../common/domain-error.js';
import type { Page, PageRequest } from '../common/page.js';
import { Randomness } from '../common/random.js';
import { Secret } from '../common/secret.js';
import { ADMIN_SCOPE, Configuration, parseClient, type ClientEntry } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import { UsersRepository } from '../users/index.js';
import { toEntry, toNewClient } from './client-entry.js';
import { ClientSecrets, type StoredSecret } from './client-secrets.js';
import type { Client, NewClient } from './client.js';
import { ClientsRepository } from './clients.repository.js';

/** Forgets what a room keeps of a client: part of the unit of work that deletes it, so no network. */
export type ClientDeletionListener = (clientId: string) => Promise<unknown>;

/** A client together with the secret that it was just given, which is shown this once. */
export interface ClientWithSecret {
  client: Client;
  secret: Secret | undefined;
}

/** Clients as an administrator sees them, each an entry as CONFIG_FILE has it. Every change is seen by all replicas at once. */
@Injectable()
export class ClientRegistry {
  readonly #listeners: ClientDeletionListener[] = [];

  constructor(
    @Inject(ClientsRepository) private readonly clients: ClientsRepository,
    @Inject(ClientSecrets) private readonly secrets: ClientSecrets,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  /** Rooms that keep something of clients register what they have to forget. */
  onDeleted(listener: ClientDeletionListener): void {
    this.#listeners.push(listener);
  }

  /** The oldest first. */
  page(page: PageRequest): Promise<Page<Client>> {
    return this.clients.page(page);
  }

  /** @throws DomainError `resource.not-found` */
  async get(clientId: string): Promise<Client> {
    const client = await this.clients.find(clientId);
    if (!client) throw new DomainError('resource.not-found');
    return client;
  }

  /**
   * @param entry its `client_id` is made where there is none, and so is a secret that its method needs
   * @throws DomainError `request.parameter-invalid`, `resource.conflict` where the id is taken
   */
  async create(entry: Partial<ClientEntry>): Promise<ClientWithSecret> {
    const { client, chosen } = this.#read({ ...entry, client_id: entry.client_id ?? this.#newClientId() });
    const secret = chosen ?? (usesSecret(client) ? this.#newSecret() : undefined);
    const stored = secret && (await this.#seal(client, secret));
    const { clientId } = client;
    return this.unitOfWork.run(async () => {
      // RFC 9700 section 4.15: a client's `sub` must never be taken for a user's.
      const isUser = (await this.users.find(clientId)) !== undefined;
      if (isUser || !(await this.clients.insert(client, stored))) {
        throw new DomainError('resource.conflict', {
          publicDetail: 'client_id is taken',
          meta: { parameter: 'client_id' },
        });
      }
      await this.#record('client.created', clientId);
      return { client: await this.get(clientId), secret };
    });
  }

  /**
   * Its secrets stay, unless another one is chosen, or its new method has no use for them; where that needs another,
   * one is made.
   * @param rewrite makes the new entry of the one that it replaces, maybe more than once
   * @throws DomainError `request.parameter-invalid`, `resource.not-found`
   */
  async change(clientId: string, rewrite: (entry: ClientEntry) => Partial<ClientEntry>): Promise<ClientWithSecret> {
    for (;;) {
      const current = await this.get(clientId);
      const { client, chosen } = this.#read({ client_id: clientId, ...rewrite(toEntry(current)) }, current);
      if (client.clientId !== clientId) throw invalidParameter('client_id', 'must be the one of the path');
      const kept = secretKind(client) === secretKind(current) && !chosen;
      const secret = chosen ?? (usesSecret(client) && !kept ? this.#newSecret() : undefined);
      const stored = secret && (await this.#seal(client, secret));
      const changed = await this.unitOfWork.run(async () => {
        if (!(await this.clients.replace(current, client))) return undefined;
        if (!kept) await this.clients.replaceSecrets(clientId, stored);
        await this.#record('client.updated', clientId);
        return this.get(clientId);
      });
      if (changed) return { client: changed, secret };
    }
  }

  /** Ends all that was given to it. @throws DomainError `resource.not-found` */
  async delete(clientId: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      // First, so that of two deletions only one runs the listeners, and what is made for the client meanwhile fails.
      if (!(await this.clients.delete(clientId))) throw new DomainError('resource.not-found');
      for (const forget of this.#listeners) await forget(clientId);
      await this.#record('client.deleted', clientId);
    });
  }

  /** @throws DomainError `resource.not-found`, `request.parameter-invalid` where its id_tokens could not be signed */
  async enable(clientId: string): Promise<Client> {
    return this.unitOfWork.run(async () => {
      this.#refuseUnsignable(await this.get(clientId));
      if (await this.clients.enable(clientId)) await this.#record('client.enabled', clientId);
      return this.get(clientId);
    });
  }

  /** It is not authenticated any more, and nothing that it was given counts until it is enabled again. @throws DomainError `resource.not-found` */
  async disable(clientId: string): Promise<Client> {
    return this.unitOfWork.run(async () => {
      if (await this.clients.disable(clientId)) await this.#record('client.disabled', clientId);
      return this.get(clientId);
    });
  }

  /**
   * The client has a new secret from now on, and with it for so long the one before; never more than these two.
   * @throws DomainError `request.parameter-invalid` where it is to have none, `resource.not-found`
   */
  async rotateSecret(
    clientId: string,
    { previousValidForMs, chosen }: { previousValidForMs: number; chosen?: Secret | undefined },
  ): Promise<ClientWithSecret & { secret: Secret }> {
    for (;;) {
      const current = await this.get(clientId);
      if (!usesSecret(current)) {
        throw new DomainError('request.parameter-invalid', {
          publicDetail: 'The client authenticates without a secret.',
        });
      }
      if (chosen) this.#read({ ...toEntry(current), client_secret: chosen.reveal() }, current);
      const secret = chosen ?? this.#newSecret();
      const stored = await this.#seal(current, secret);
      const rotated = await this.unitOfWork.run(async () => {
        if (!(await this.clients.replace(current, current))) return undefined;
        await this.clients.rotateSecrets(clientId, stored, previousValidForMs);
        await this.#record('client.secret-rotated', clientId);
        return this.get(clientId);
      });
      if (rotated) return { client: rotated, secret };
    }
  }

  /** @throws DomainError `request.parameter-invalid` with all that is wrong */
  #read(entry: Partial<ClientEntry>, current?: Client): { client: NewClient; chosen: Secret | undefined } {
    const declaration = parseClient(entry);
    const client = toNewClient(declaration);
    if (client.scope.includes(ADMIN_SCOPE) && !current?.scope.includes(ADMIN_SCOPE)) {
      throw invalidParameter('scope', `must not hold ${ADMIN_SCOPE}, which only CONFIG_FILE gives`);
    }
    this.#refuseUnsignable(client);
    return { client, chosen: declaration.client_secret };
  }

  #refuseUnsignable({ idTokenSignedResponseAlg }: NewClient): void {
    const { SIGNING_ALGS: algorithms } = this.configuration.environment;
    if (algorithms.includes(idTokenSignedResponseAlg)) return;
    throw invalidParameter('id_token_signed_response_alg', `must be one of ${algorithms.join(', ')}`);
  }

  /** A UUID of another version than the ids of users have, so that it can never be one's. @see RFC 9562 section 5.8 */
  #newClientId(): string {
    return this.randomness.id().replace(/^(.{14})4/, '$18');
  }

  #seal(client: NewClient, secret: Secret): Promise<StoredSecret> {
    return this.secrets.seal(secret, { signs: secretKind(client) === 'signs' });
  }

  #newSecret(): Secret {
    return new Secret(this.randomness.token());
  }

  #record(event: AuditRecord['event'], clientId: string): Promise<void> {
    return this.audit.record({ event, outcome: 'success', clientId });
  }
}

function usesSecret(client: NewClient): boolean {
  return secretKind(client) !== undefined;
}

/** What is stored of a secret depends on whether it is presented or signed with. */
function secretKind({ tokenEndpointAuthMethod: method }: NewClient): 'presented' | 'signs' | undefined {
  if (method === 'client_secret_jwt') return 'signs';
  return method.startsWith('client_secret_') ? 'presented' : undefined;
}
