import { Inject, Injectable } from '@nestjs/common';
import { In, IsNull, MoreThan, Not } from 'typeorm';
import { Clock } from '../common/clock.js';
import type { Page, PageRequest } from '../common/page.js';
import { Randomness } from '../common/random.js';
import type { SigningAlgorithm } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import type { Client, NewClient, RegisteredKeys } from './client.js';
import type { LiveSecret, StoredSecret } from './client-secrets.js';
import { ClientEntity, ClientSecretEntity } from './client.entity.js';

/** So many clients are kept in memory. */
const MAX_KNOWN = 1_000;

interface Known {
  client: Client;
  secrets?: LiveSecret[];
}

@Injectable()
export class ClientsRepository {
  readonly #known = new Map<string, Known>();

  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {}

  /**
   * The client as it is now. What was read before is kept in memory and counts while the version of the row says that it
   * is the latest, so that a change is seen at once whoever made it; asking for that is all that most calls do.
   */
  async find(clientId: string): Promise<Client | undefined> {
    const known = this.#known.get(clientId);
    if (known) {
      const now = await this.#rows.findOne({
        select: { clientId: true, version: true, disabledAt: true, lastUsedAt: true },
        where: { clientId },
      });
      if (now?.version === known.client.version) {
        return { ...known.client, enabled: now.disabledAt === null, lastUsedAt: now.lastUsedAt ?? undefined };
      }
      this.#known.delete(clientId);
      if (!now) return undefined;
    }
    const row = await this.#rows.findOneBy({ clientId });
    return row ? this.#keep(toClient(row)) : undefined;
  }

  #keep(client: Client): Client {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(client.clientId, { client });
    return client;
  }

  /** The oldest first. */
  async page({ limit, offset }: PageRequest): Promise<Page<Client>> {
    const [rows, total] = await this.#rows.findAndCount({
      order: { createdAt: 'ASC', clientId: 'ASC' },
      take: limit,
      skip: offset,
    });
    return { items: rows.map(toClient), total };
  }

  /** Those that are enabled and whose id_tokens would be signed with another algorithm than these. */
  async signedOtherwise(algorithms: readonly SigningAlgorithm[]): Promise<Client[]> {
    const rows = await this.#rows.findBy({ idTokenSignedResponseAlg: Not(In([...algorithms])), disabledAt: IsNull() });
    return rows.map(toClient);
  }

  /** A new registration; false where the id is taken. */
  async insert(client: NewClient, secret: StoredSecret | undefined): Promise<boolean> {
    return this.unitOfWork.run(async () => {
      const now = this.clock.now();
      const row = { ...toFields(client), ...this.#changed(), disabledAt: null, lastUsedAt: null, createdAt: now };
      const inserted = await this.unitOfWork.insertOnce(ClientEntity, row);
      if (inserted) await this.replaceSecrets(client.clientId, secret);
      return inserted;
    });
  }

  /** Writes the registration, enabled, and replaces its secrets. */
  async put(client: NewClient, secret: StoredSecret | undefined): Promise<void> {
    await this.unitOfWork.run(async () => {
      if (await this.insert(client, secret)) return;
      const { clientId } = client;
      await this.#rows.update({ clientId }, { ...toFields(client), ...this.#changed(), disabledAt: null });
      await this.replaceSecrets(clientId, secret);
    });
  }

  /** Writes the registration anew; false where it is no longer the one that was read. */
  async replace({ clientId, version }: Client, client: NewClient): Promise<boolean> {
    const { affected } = await this.#rows.update({ clientId, version }, { ...toFields(client), ...this.#changed() });
    return affected === 1;
  }

  /** False where it is enabled already, or there is no such client. */
  async enable(clientId: string): Promise<boolean> {
    const disabled = { clientId, disabledAt: Not(IsNull()) };
    const { affected } = await this.#rows.update(disabled, { disabledAt: null, ...this.#changed() });
    return affected === 1;
  }

  /** False where it is disabled already, or there is no such client. */
  async disable(clientId: string): Promise<boolean> {
    const enabled = { clientId, disabledAt: IsNull() };
    const { affected } = await this.#rows.update(enabled, { disabledAt: this.clock.now(), ...this.#changed() });
    return affected === 1;
  }

  async delete(clientId: string): Promise<boolean> {
    const { affected } = await this.#rows.delete({ clientId });
    await this.#secrets.delete({ clientId });
    return affected === 1;
  }

  /** Of all secrets only this one is left, if any. The registration has just been written, and is held by that. */
  async replaceSecrets(clientId: string, secret: StoredSecret | undefined): Promise<void> {
    await this.#secrets.delete({ clientId });
    if (secret) await this.#insertSecret(clientId, secret);
  }

  /** This secret, and for so long the one before; of those before that none. Likewise. */
  async rotateSecrets(clientId: string, secret: StoredSecret, previousValidForMs: number): Promise<void> {
    if (previousValidForMs <= 0) return this.replaceSecrets(clientId, secret);
    await this.#secrets.delete({ clientId, expiresAt: Not(IsNull()) });
    await this.#secrets.update({ clientId }, { expiresAt: this.clock.now() + previousValidForMs });
    await this.#insertSecret(clientId, secret);
  }

  /** The secrets that are valid now: two while one replaces the other. Of a client just as it was read. */
  async secrets({ clientId, version }: Client): Promise<LiveSecret[]> {
    const known = this.#known.get(clientId);
    if (known?.client.version !== version) return this.#readSecrets(clientId);
    const secrets = (known.secrets ??= await this.#readSecrets(clientId));
    return secrets.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > this.clock.now());
  }

  /** That it was used now; says nothing about the registration, so its version stays. */
  async noteUse(clientId: string): Promise<void> {
    await this.#rows.update({ clientId }, { lastUsedAt: this.clock.now() });
  }

  async #readSecrets(clientId: string): Promise<LiveSecret[]> {
    const rows = await this.#secrets.find({
      where: [
        { clientId, expiresAt: IsNull() },
        { clientId, expiresAt: MoreThan(this.clock.now()) },
      ],
    });
    return rows.map(({ id, verifier, secret, dataKey, encryptionKeyId, expiresAt }) => ({
      id,
      verifier,
      secret,
      dataKey,
      encryptionKeyId,
      expiresAt: expiresAt ?? undefined,
    }));
  }

  async #insertSecret(clientId: string, secret: StoredSecret): Promise<void> {
    await this.#secrets.insert({ ...secret, clientId, createdAt: this.clock.now(), expiresAt: null });
  }

  #changed(): Pick<ClientEntity, 'version' | 'updatedAt'> {
    return { version: this.randomness.id(), updatedAt: this.clock.now() };
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
