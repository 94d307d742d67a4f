import { Inject, Injectable } from '@nestjs/common';
import { IsNull, MoreThan } from 'typeorm';
import { Clock } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import { UnitOfWork } from '../database/index.js';
import { ClientEntity, ClientSecretEntity } from './client.entity.js';

export type ClientAuthenticationMethod = 'client_secret_basic' | 'client_secret_post' | 'none';

/** A registered client, in the names of RFC 7591 section 2 where it has one. */
export interface Client {
  clientId: string;
  clientName: string;
  tokenEndpointAuthMethod: ClientAuthenticationMethod;
  grantTypes: readonly string[];
  redirectUris: readonly string[];
  scope: readonly string[];
  /** Whose upstream tokens it may read for its users. */
  upstreamProviders: readonly string[];
  /** Whether it may receive upstream refresh tokens where a face has the field. */
  upstreamRefreshToken: boolean;
  consent: 'explicit' | 'implicit';
  requirePkce: boolean;
  idTokenSignedResponseAlg: 'RS256' | 'ES256';
  enabled: boolean;
}

export type NewClient = Omit<Client, 'enabled'>;

@Injectable()
export class ClientsRepository {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {}

  async find(clientId: string): Promise<Client | undefined> {
    const row = await this.#rows.findOneBy({ clientId });
    return row ? toClient(row) : undefined;
  }

  /** Writes the registration, enabled, and replaces its secrets. */
  async put(client: NewClient, secretVerifier: string | undefined): Promise<void> {
    const now = this.clock.now();
    const { clientId } = client;
    const fields = {
      ...client,
      grantTypes: [...client.grantTypes],
      redirectUris: [...client.redirectUris],
      scope: client.scope.join(' '),
      upstreamProviders: [...client.upstreamProviders],
      disabledAt: null,
      updatedAt: now,
    };
    await this.unitOfWork.run(async () => {
      const inserted = await this.unitOfWork.insertOnce(ClientEntity, { ...fields, createdAt: now });
      if (!inserted) await this.#rows.update({ clientId }, fields);
      await this.#secrets.delete({ clientId });
      if (secretVerifier !== undefined) {
        await this.#secrets.insert({
          id: this.randomness.id(),
          clientId,
          verifier: secretVerifier,
          createdAt: now,
          expiresAt: null,
        });
      }
    });
  }

  async disable(clientId: string): Promise<void> {
    const now = this.clock.now();
    await this.#rows.update({ clientId, disabledAt: IsNull() }, { disabledAt: now, updatedAt: now });
  }

  /** The verifiers of the secrets that are valid now: two while one replaces the other. */
  async secretVerifiers(clientId: string): Promise<string[]> {
    const rows = await this.#secrets.find({
      where: [
        { clientId, expiresAt: IsNull() },
        { clientId, expiresAt: MoreThan(this.clock.now()) },
      ],
    });
    return rows.map(({ verifier }) => verifier);
  }

  get #rows() {
    return this.unitOfWork.repository(ClientEntity);
  }

  get #secrets() {
    return this.unitOfWork.repository(ClientSecretEntity);
  }
}

function toClient(row: ClientEntity): Client {
  return {
    clientId: row.clientId,
    clientName: row.clientName ?? row.clientId,
    tokenEndpointAuthMethod: row.tokenEndpointAuthMethod as ClientAuthenticationMethod,
    grantTypes: row.grantTypes,
    redirectUris: row.redirectUris,
    scope: row.scope.split(' '),
    upstreamProviders: row.upstreamProviders,
    upstreamRefreshToken: row.upstreamRefreshToken,
    consent: row.consent as Client['consent'],
    requirePkce: row.requirePkce,
    idTokenSignedResponseAlg: row.idTokenSignedResponseAlg as Client['idTokenSignedResponseAlg'],
    enabled: row.disabledAt === null,
  };
}
