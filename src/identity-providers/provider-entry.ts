import { InvalidEntry, parseIdentityProvider, type IdentityProviderDeclaration } from '../config/index.js';
import type { IdentityProvider } from './identity-provider.js';

/** What the directory keeps of an entry of CONFIG_FILE or of the admin API. */
export function toProvider(entry: IdentityProviderDeclaration): Omit<IdentityProvider, 'version'> {
  return {
    id: entry.id,
    type: entry.type,
    displayName: entry.name ?? entry.id,
    issuer: entry.issuer,
    clientId: entry.client_id,
    clientSecret: entry.client_secret,
    privateKey: entry.private_key,
    privateKeyId: entry.private_key_id,
    teamId: entry.team_id,
    tokenEndpointAuthMethod: entry.token_endpoint_auth_method,
    clientAssertionAudience: entry.client_assertion_audience,
    scope: entry.scope,
    offlineAccess: entry.offline_access,
    signUp: entry.sign_up,
    trustVerifiedEmail: entry.trust_verified_email,
    authorizationParameters: entry.authorization_parameters,
    responseMode: entry.response_mode,
    preset: entry.preset,
    endpoints: written(entry.endpoints),
    claims: written(entry.claims),
    tenants: entry.tenants,
    accessTokenLifetime: entry.access_token_lifetime,
    refreshTokenIdleLifetime: entry.refresh_token_idle_lifetime,
    retention: entry.retention,
  };
}

/**
 * Reads the entry that the admin API is given. Secrets that it leaves out stay as they are, but only towards the same
 * provider: else whoever may change an entry, but not read it, could have the secret sent to a server of his own.
 *
 * @param body with `id`
 * @param stored what the entry replaces
 * @throws InvalidEntry
 */
export function readProvider(body: unknown, stored?: IdentityProvider): Omit<IdentityProvider, 'version'> {
  if (!stored || typeof body !== 'object' || body === null) return toProvider(parseIdentityProvider(body));
  const kept: Record<string, string | undefined> = {
    client_secret: stored.clientSecret?.reveal(),
    private_key: stored.privateKey?.reveal(),
  };
  const added = Object.keys(kept).filter((name) => !(name in body) && kept[name] !== undefined);
  const additions = Object.fromEntries(added.map((name) => [name, kept[name]]));
  const provider = toProvider(parseIdentityProvider({ ...body, ...additions }));
  const elsewhere = destinationOf(provider) !== destinationOf(stored);
  if (elsewhere && added.length > 0) {
    const message = 'is required where type, issuer, client_id, team_id or endpoints change';
    throw new InvalidEntry(added.map((path) => ({ path, message })));
  }
  return provider;
}

/** All that decides to whom a secret is shown, and as whose. */
function destinationOf({
  type,
  issuer,
  tenants,
  clientId,
  teamId,
  endpoints,
}: Omit<IdentityProvider, 'version'>): string {
  const { token, revocation } = endpoints;
  return JSON.stringify([type, issuer, tenants, clientId, teamId, token, revocation]);
}

function written(record: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])),
  );
}
