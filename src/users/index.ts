/**
 * The users room owns accounts: profile, optional password, whether they are blocked. It refuses to know how a user
 * is known elsewhere (federated-identities) or what was issued to them (tokens).
 */
export { PasswordAuthentication } from './password-authentication.js';
export { PasswordChanges } from './password-changes.js';
export { UserAccounts, type AccountChanges } from './user-accounts.js';
export { UserDeletion } from './user-deletion.js';
export { UsersModule } from './users.module.js';
export { UsersRepository, type Profile, type User, type Verifier } from './users.repository.js';
