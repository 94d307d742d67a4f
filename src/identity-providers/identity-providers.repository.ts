import { Inject, Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import { Clock } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import { UnitOfWork } from '../database/index.js';
import { EncryptedTables, Envelopes } from '../encryption/index.js';
import { IdentityProviderEntity } from './identity-provider.entity.js';
import type { IdentityProvider } from './identity-provider.js';

const TABLE = 'identity_providers';
const SECRET_COLUMN = 'client_secret';

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

  async put(provider: Omit<IdentityProvider, 'version'>): Promise<void> {
    const now = this.clock.now();
    const { clientSecret, signUp, ...rest } = provider;
    const envelope = clientSecret && this.envelopes.create({ table: TABLE, id: provider.id });
    const row = {
      ...rest,
      signUp: typeof signUp === 'boolean' ? signUp : [...signUp],
      authorizationParameters: { ...provider.authorizationParameters },
      clientSecret: clientSecret && envelope ? envelope.seal(SECRET_COLUMN, clientSecret) : null,
      dataKey: envelope?.wrapped.dataKey ?? null,
      encryptionKeyId: envelope?.wrapped.encryptionKeyId ?? null,
      options: null,
      privateKey: null,
      version: this.randomness.id(),
      disabledAt: null,
      updatedAt: now,
    };
    const inserted = await this.unitOfWork.insertOnce(IdentityProviderEntity, { ...row, createdAt: now });
    if (!inserted) await this.#rows.update({ id: provider.id }, row);
  }

  async disable(id: string): Promise<void> {
    const now = this.clock.now();
    await this.#rows.update({ id, disabledAt: IsNull() }, { disabledAt: now, updatedAt: now });
  }

  #toProvider(row: IdentityProviderEntity): IdentityProvider {
    const { dataKey, encryptionKeyId, clientSecret } = row;
    const sealed = dataKey !== null && encryptionKeyId !== null && clientSecret !== null;
    return {
      id: row.id,
      type: row.type as IdentityProvider['type'],
      displayName: row.displayName,
      issuer: row.issuer,
      clientId: row.clientId,
      clientSecret: sealed
        ? this.envelopes
            .open({ table: TABLE, id: row.id }, { dataKey, encryptionKeyId })
            .unseal(SECRET_COLUMN, clientSecret)
        : undefined,
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
