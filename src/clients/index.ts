/**
 * The clients room owns who may ask: the registry, its secrets, and how a client proves to be itself. It refuses to
 * know what is asked for: grants, scopes policy and tokens are the engine's.
 */
export { ClientAuthentication } from './authentication/client-authentication.js';
export type { PresentedClient } from './authentication/presented-client.js';
export { toEntry } from './client-entry.js';
export { ClientRegistry, type ClientWithSecret } from './client-registry.js';
export { ClientsModule } from './clients.module.js';
export type { Client } from './client.js';
export { ClientsRepository } from './clients.repository.js';
export { DOCUMENTATION_REDIRECT_PATH } from './declared-clients.js';
