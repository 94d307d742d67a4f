/**
 * The idp-offline-access room owns the vault: linked accounts, the encrypted upstream tokens, their refresh, and
 * Onezone's face. It refuses to know how somebody signs in at a provider (federated-identities).
 */
export { AccountImport, type ForeignAccount, type ImportOptions, type ImportResult } from './account-import.js';
export { ConnectTickets } from './connect-tickets.js';
export { IdpOfflineAccessModule } from './idp-offline-access.module.js';
export type { LinkedAccount } from './linked-account.js';
export { LinkedAccounts, type RevocationOfUser, type UpstreamIdentity } from './linked-accounts.js';
export { UpstreamAccess } from './upstream-access.js';
