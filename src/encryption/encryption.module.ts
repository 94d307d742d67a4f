import { Global, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { Randomness } from '../common/random.js';
import { Configuration, ConfigurationError } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import { EncryptedTables } from './encrypted-tables.js';
import { Envelopes } from './envelopes.js';

@Global()
@Module({
  providers: [
    {
      provide: Envelopes,
      inject: [Configuration, Randomness],
      useFactory: ({ environment }: Configuration, randomness: Randomness) =>
        new Envelopes(environment.ENCRYPTION_KEYS, randomness),
    },
    {
      provide: EncryptedTables,
      inject: [UnitOfWork, Envelopes],
      useFactory: (unitOfWork: UnitOfWork, envelopes: Envelopes) => new EncryptedTables(unitOfWork, envelopes),
    },
  ],
  exports: [Envelopes, EncryptedTables],
})
export class EncryptionModule implements OnApplicationBootstrap {
  constructor(@Inject(EncryptedTables) private readonly tables: EncryptedTables) {}

  /** Better no start than a vault whose rows turn out to be unreadable one by one. */
  async onApplicationBootstrap(): Promise<void> {
    const [missing] = await this.tables.missingKeys();
    if (missing === undefined) return;
    throw new ConfigurationError(
      `ENCRYPTION_KEYS lacks the key "${missing}", which rows of the database are encrypted with; add it back behind the first key`,
    );
  }
}
