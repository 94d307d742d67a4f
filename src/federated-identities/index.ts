/**
 * The federated-identities room owns who the user is elsewhere: the Passport strategies, sign-in and linking, and
 * PACE's face. It refuses to know how upstream tokens are kept and refreshed (idp-offline-access).
 */
export { FederatedIdentitiesModule } from './federated-identities.module.js';
