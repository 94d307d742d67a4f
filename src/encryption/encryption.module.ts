import { Global, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { Randomness } from '../common/random.js';
import { Configuration, ConfigurationError } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import { EncryptedTables } from './encrypted-tables.js';
import { Envelopes } from './envelopes.js';
import { Rewrapping } from './rewrapping.js';

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
    Rewrapping,
  ],
  exports: [Envelopes, EncryptedTables, Rewrapping],
})
export class EncryptionModule implements OnModuleInit {
  constructor(@Inject(EncryptedTables) private readonly tables: EncryptedTables) {}

  /**
   * Better no start than a vault whose rows turn out to be unreadable one by one. Nest initialises global modules
   * first: a start that is refused has applied no declaration and encrypted nothing with the wrong key.
   */
  async onModuleInit(): Promise<void> {
    const [unusable] = await this.tables.unusableKeys();
    if (unusable === undefined) return;
    throw new ConfigurationError(
      `ENCRYPTION_KEYS lacks the key "${unusable}", or has another value for it: rows of the database are encrypted with it; add the right one back behind the first key`,
    );
  }
}
