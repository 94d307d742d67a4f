/**
 * The config room owns what the operator decided: the environment, CONFIG_FILE, and which of its entries were
 * applied. It refuses to know what an entry means: every feature applies its own.
 */
export { AppliedDeclarations } from './applied-declarations.js';
export { ConfigModule } from './config.module.js';
export { Configuration, loadConfiguration } from './configuration.js';
export {
  ADMIN_SCOPE,
  LINK_SCOPE,
  OFFLINE_ACCESS_SCOPE,
  STANDARD_SCOPES,
  UNLINK_SCOPE,
  UPSTREAM_TOKEN_SCOPE,
  USER_TOKENS_SCOPE,
} from './scopes.js';
export { SCOPE } from './declaration-fields.js';
export { sourceOf, withSource } from './declaration-sources.js';
export { ConfigurationError } from './configuration-error.js';
export {
  ASSERTION_ALGORITHMS,
  CLIENT_AUTHENTICATION_METHODS,
  clientDeclaration,
  clientJsonSchema,
  DOCUMENTATION_CLIENT_ID,
  parseClient,
  type AssertionAlgorithm,
  type ClientAuthenticationMethod,
  type ClientDeclaration,
  type ClientEntry,
} from './client-declaration.js';
export { InvalidEntry } from './entry.js';
export type { UserDeclaration } from './declarations.js';
export {
  identityProviderDeclaration,
  identityProviderJsonSchema,
  parseIdentityProvider,
  type IdentityProviderDeclaration,
} from './identity-provider-declaration.js';
export { privateKeyIn, PROFILE_CLAIMS } from './written-identity-provider.js';
export type { EncryptionKey } from './environment.js';
export { SIGNING_ALGORITHMS, type SigningAlgorithm } from './signing-algorithms.js';
