/**
 * The identity-providers room owns the directory of upstream providers and everything that is said to them over the
 * network, within limits. It refuses to know our users and where tokens are kept.
 */
export type { ConnectionSlot } from './connection-slots.js';
export type { PostedProfile, UserinfoClaims } from './claims.js';
export { isIssuerOf, type IdentityProvider } from './identity-provider.js';
export { IdentityProvidersModule } from './identity-providers.module.js';
export { IdentityProvidersRepository } from './identity-providers.repository.js';
export { OutboundClient, OutboundDocument, OutboundError } from './outbound-client.js';
export { ProviderCheck, type FindingStatus, type ProviderFinding, type ProviderReport } from './provider-check.js';
export { readProvider, toProvider } from './provider-entry.js';
export type { RevocationHint } from './revocation.js';
export type { TokenResponse } from './token-response.js';
export type { ProvenIdentity, UpstreamClient } from './upstream-client.js';
export { UpstreamClients } from './upstream-clients.js';
export { retryAfterMs, UnknownKeyError, UpstreamError } from './upstream-error.js';
