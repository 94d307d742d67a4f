import { Inject, Injectable } from '@nestjs/common';
import { IsNull, MoreThan } from 'typeorm';
import { Clock } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import { UnitOfWork } from '../database/index.js';
import type { Client, NewClient, RegisteredKeys } from './client.js';
import { ClientEntity, ClientSecretEntity } from './client.entity.js';

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
    const fields = { ...toFields(client), version: this.randomness.id(), disabledAt: null, updatedAt: now };
    await this.unitOfWork.run(async () => {
      const inserted = await this.unitOfWork.insertOnce(ClientEntity, { ...fields, lastUsedAt: null, createdAt: now });
      if (!inserted) await this.#rows.update({ clientId }, fields);
      await this.#secrets.delete({ clientId });
      if (secretVerifier !== undefined) {
        await this.#secrets.insert({
          id: this.randomness.id(),
          clientId,
          verifier: secretVerifier,
          secret: null,
          dataKey: null,
          encryptionKeyId: null,
          createdAt: now,
          expiresAt: null,
        });
      }
    });
  }

  async disable(clientId: string): Promise<void> {
    const now = this.clock.now();
    await this.#rows.update(
      { clientId, disabledAt: IsNull() },
      { disabledAt: now, updatedAt: now, version: this.randomness.id() },
    );
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

type Fields = Omit<ClientEntity, 'version' | 'disabledAt' | 'createdAt' | 'updatedAt' | 'lastUsedAt'>;

function toFields(client: NewClient): Fields {
  return {
    clientId: client.clientId,
    clientName: client.clientName,
    tokenEndpointAuthMethod: client.tokenEndpointAuthMethod,
    tokenEndpointAuthSigningAlg: client.tokenEndpointAuthSigningAlg ?? null,
    jwks: client.jwks ?? null,
    jwksUri: client.jwksUri ?? null,
    grantTypes: [...client.grantTypes],
    redirectUris: [...client.redirectUris],
    scope: client.scope.join(' '),
    accessTokenFormat: client.accessTokenFormat,
    accessTokenLifetime: client.accessTokenLifetime ?? null,
    refreshTokenLifetime: client.refreshTokenLifetime ?? null,
    upstreamProviders: [...client.upstreamProviders],
    upstreamRefreshToken: client.upstreamRefreshToken,
    consent: client.consent,
    requirePkce: client.requirePkce,
    introspection: client.introspection,
    idTokenSignedResponseAlg: client.idTokenSignedResponseAlg,
    metadata: { ...client.metadata },
  };
}

function toClient(row: ClientEntity): Client {
  return {
    clientId: row.clientId,
    clientName: row.clientName ?? row.clientId,
    tokenEndpointAuthMethod: row.tokenEndpointAuthMethod as Client['tokenEndpointAuthMethod'],
    tokenEndpointAuthSigningAlg: (row.tokenEndpointAuthSigningAlg ??
      undefined) as Client['tokenEndpointAuthSigningAlg'],
    jwks: (row.jwks ?? undefined) as RegisteredKeys | undefined,
    jwksUri: row.jwksUri ?? undefined,
    grantTypes: row.grantTypes,
    redirectUris: row.redirectUris,
    scope: row.scope === '' ? [] : row.scope.split(' '),
    accessTokenFormat: row.accessTokenFormat as Client['accessTokenFormat'],
    accessTokenLifetime: row.accessTokenLifetime ?? undefined,
    refreshTokenLifetime: row.refreshTokenLifetime ?? undefined,
    upstreamProviders: row.upstreamProviders,
    upstreamRefreshToken: row.upstreamRefreshToken,
    consent: row.consent as Client['consent'],
    requirePkce: row.requirePkce,
    introspection: row.introspection as Client['introspection'],
    idTokenSignedResponseAlg: row.idTokenSignedResponseAlg as Client['idTokenSignedResponseAlg'],
    metadata: row.metadata as Record<string, unknown>,
    enabled: row.disabledAt === null,
    version: row.version,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    lastUsedAt: row.lastUsedAt ?? undefined,
  };
}
