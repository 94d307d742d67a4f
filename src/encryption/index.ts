/**
 * The encryption room owns the key-encryption keys, the envelopes of single rows and the registry of tables that
 * hold such rows. It refuses to know what the secrets are or who may read them.
 */
export { EncryptedTables } from './encrypted-tables.js';
export { EncryptionModule } from './encryption.module.js';
export { DecryptionError, Envelope, Envelopes, type WrappedDataKey } from './envelopes.js';
export { Rewrapping, type EncryptionKeyUse, type RewrappingState } from './rewrapping.js';
