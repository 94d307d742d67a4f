/**
 * The tokens room owns the one engine: grants, signing keys, access tokens, and the faces that speak OAuth. It
 * refuses to know how a user was recognised (federated-identities) and what upstream tokens are (the vault).
 */
export { AccessTokens, type ClientCaller } from './access-tokens/access-tokens.js';
export type { Caller } from './access-tokens/caller.js';
export { bearerToken, CallerGuard, CurrentCaller } from './access-tokens/caller.guard.js';
export { AdministratorGuard } from './administrators/administrator.guard.js';
export { Administrators } from './administrators/administrators.js';
export { API_KEY_SCOPES, ApiKeys, type ApiKey } from './administrators/api-keys.js';
export { isRefreshable } from './engine/scope-policy.js';
export { AuthorizationCodes } from './grants/authorization-codes.js';
export { SigningKeyRotation, type RotationRequest, type SigningKeyUse } from './signing/signing-key-rotation.js';
export { TokensModule } from './tokens.module.js';
export type { Creation, NamedToken, NamedTokenChanges, NewNamedToken } from './user-tokens/user-token.js';
export { UserTokens } from './user-tokens/user-tokens.js';
