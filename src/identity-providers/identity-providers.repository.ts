import { Inject, Injectable } from '@nestjs/common';
import { IsNull, Not } from 'typeorm';
import { Clock } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import type { Secret } from '../common/secret.js';
import { UnitOfWork } from '../database/index.js';
import { EncryptedTables, Envelopes } from '../encryption/index.js';
import { IdentityProviderEntity } from './identity-provider.entity.js';
import { DEFAULT_OPTIONS, type IdentityProvider, type ProviderOptions } from './identity-provider.js';

const TABLE = 'identity_providers';
const SECRET_COLUMN = 'client_secret';
const KEY_COLUMN = 'private_key';

/** The directory of upstream providers. Every read asks the database, so that a change reaches all replicas at once. */
@Injectable()
export class IdentityProvidersRepository {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(EncryptedTables) encryptedTables: EncryptedTables,
  ) {
    encryptedTables.register(IdentityProviderEntity);
  }

  /** An enabled provider. */
  async find(id: string): Promise<IdentityProvider | undefined> {
    const row = await this.#rows.findOneBy({ id, disabledAt: IsNull() });
    return row ? this.#toProvider(row) : undefined;
  }

  /** The enabled providers, by id. */
  async list(): Promise<IdentityProvider[]> {
    const rows = await this.#rows.find({ where: { disabledAt: IsNull() }, order: { id: 'ASC' } });
    return rows.map((row) => this.#toProvider(row));
  }

  /** What anybody may know of the enabled providers, by id. No secret is decrypted for it: every sign-in page asks. */
  async names(): Promise<Pick<IdentityProvider, 'id' | 'displayName' | 'offlineAccess'>[]> {
    return this.#rows.find({
      select: { id: true, displayName: true, offlineAccess: true },
      where: { disabledAt: IsNull() },
      order: { id: 'ASC' },
    });
  }

  /** Some of the enabled providers, by id, and how many there are. */
  async page({
    limit,
    offset,
  }: {
    limit: number;
    offset: number;
  }): Promise<{ providers: IdentityProvider[]; total: number }> {
    const [rows, total] = await this.#rows.findAndCount({
      where: { disabledAt: IsNull() },
      order: { id: 'ASC' },
      take: limit,
      skip: offset,
    });
    return { providers: rows.map((row) => this.#toProvider(row)), total };
  }

  /** Makes a provider, or makes one anew that was disabled. @returns false if there is one of that id */
  async add(provider: Omit<IdentityProvider, 'version'>): Promise<boolean> {
    const row = this.#toRow(provider);
    if (await this.unitOfWork.insertOnce(IdentityProviderEntity, { ...row, createdAt: row.updatedAt })) return true;
    const { affected } = await this.#rows.update({ id: provider.id, disabledAt: Not(IsNull()) }, row);
    return affected === 1;
  }

  /** Makes a provider or replaces it, secrets included; a disabled one is enabled again. */
  async put(provider: Omit<IdentityProvider, 'version'>): Promise<void> {
    const row = this.#toRow(provider);
    const inserted = await this.unitOfWork.insertOnce(IdentityProviderEntity, { ...row, createdAt: row.updatedAt });
    if (!inserted) await this.#rows.update({ id: provider.id }, row);
  }

  /** @returns false if the enabled provider is not of that version any more: it was changed or disabled meanwhile */
  async replace(version: string, provider: Omit<IdentityProvider, 'version'>): Promise<boolean> {
    const { affected } = await this.#rows.update(
      { id: provider.id, version, disabledAt: IsNull() },
      this.#toRow(provider),
    );
    return affected === 1;
  }

  /** Accounts there and their tokens stay, but are neither served nor refreshed. @returns false if there was none */
  async disable(id: string): Promise<boolean> {
    const now = this.clock.now();
    const { affected } = await this.#rows.update({ id, disabledAt: IsNull() }, { disabledAt: now, updatedAt: now });
    return affected === 1;
  }

  #toRow(provider: Omit<IdentityProvider, 'version'>) {
    const { clientSecret, privateKey } = provider;
    const envelope = clientSecret || privateKey ? this.envelopes.create({ table: TABLE, id: provider.id }) : undefined;
    const seal = (column: string, secret: Secret | undefined) =>
      secret && envelope ? envelope.seal(column, secret) : null;
    return {
      id: provider.id,
      type: provider.type,
      displayName: provider.displayName,
      issuer: provider.issuer,
      clientId: provider.clientId,
      clientSecret: seal(SECRET_COLUMN, clientSecret),
      tokenEndpointAuthMethod: provider.tokenEndpointAuthMethod,
      scope: provider.scope,
      offlineAccess: provider.offlineAccess,
      signUp: typeof provider.signUp === 'boolean' ? provider.signUp : [...provider.signUp],
      authorizationParameters: { ...provider.authorizationParameters },
      options: optionsOf(provider),
      privateKey: seal(KEY_COLUMN, privateKey),
      version: this.randomness.id(),
      dataKey: envelope?.wrapped.dataKey ?? null,
      encryptionKeyId: envelope?.wrapped.encryptionKeyId ?? null,
      disabledAt: null,
      updatedAt: this.clock.now(),
    };
  }

  #toProvider(row: IdentityProviderEntity): IdentityProvider {
    const { id, dataKey, encryptionKeyId } = row;
    const envelope =
      dataKey !== null && encryptionKeyId !== null
        ? this.envelopes.open({ table: TABLE, id }, { dataKey, encryptionKeyId })
        : undefined;
    const unseal = (column: string, ciphertext: string | null) =>
      ciphertext === null ? undefined : envelope?.unseal(column, ciphertext);
    return {
      ...DEFAULT_OPTIONS,
      ...row.options,
      id,
      type: row.type as IdentityProvider['type'],
      displayName: row.displayName,
      issuer: row.issuer,
      clientId: row.clientId,
      clientSecret: unseal(SECRET_COLUMN, row.clientSecret),
      privateKey: unseal(KEY_COLUMN, row.privateKey),
      tokenEndpointAuthMethod: row.tokenEndpointAuthMethod as IdentityProvider['tokenEndpointAuthMethod'],
      scope: row.scope,
      offlineAccess: row.offlineAccess,
      signUp: row.signUp,
      authorizationParameters: row.authorizationParameters,
      version: row.version,
    };
  }

  get #rows() {
    return this.unitOfWork.repository(IdentityProviderEntity);
  }
}

function optionsOf(provider: ProviderOptions): ProviderOptions {
  const names = Object.keys(DEFAULT_OPTIONS) as (keyof ProviderOptions)[];
  return Object.fromEntries(names.map((name) => [name, provider[name]])) as unknown as ProviderOptions;
}
