import type { DatabaseKind, Row } from '../../support/databases.js';
import { createWorld, PROVIDER, UPSTREAM_CLIENT, type World } from '../../support/world.js';

/** The same server, known as an OpenID provider and as an OAuth 2.0 provider that has explicit endpoints. */
export const PROVIDERS = [
  { type: 'oidc', provider: PROVIDER },
  { type: 'oauth2', provider: 'plain' },
] as const;

export const PLAIN_CLIENT = { client_id: 'symbolon-plain', client_secret: 'plain-secret-plain-secret-plain-0000' };

/** How long the service waits for a provider that hangs: each such row costs it. */
const UPSTREAM_TIMEOUT_MS = '1500';

/** The OpenID provider once more, under a name of its own: nothing that is cached of the first is of use to it. */
export const FRESH_PROVIDER = 'fresh';

export async function createWorldOfTwo(kind: DatabaseKind, env: Record<string, string> = {}): Promise<World> {
  const world = await createWorld(kind, {
    env: { UPSTREAM_TIMEOUT_MS, ...env },
    configure: ({ clients = [], identity_providers: providers = [], ...rest }, { issuer }) => ({
      ...rest,
      clients: clients.map((entry) => {
        const client = entry as { upstream_providers?: string[] };
        return client.upstream_providers === undefined
          ? client
          : { ...client, upstream_providers: [...client.upstream_providers, 'plain', FRESH_PROVIDER] };
      }),
      identity_providers: [
        ...providers,
        { id: FRESH_PROVIDER, issuer, ...UPSTREAM_CLIENT, offline_access: true, sign_up: true },
        {
          id: 'plain',
          type: 'oauth2',
          ...PLAIN_CLIENT,
          endpoints: {
            authorization: `${issuer}/auth`,
            token: `${issuer}/token`,
            userinfo: `${issuer}/me`,
            revocation: `${issuer}/token/revocation`,
          },
          claims: { sub: 'sub', name: 'name', email: 'email', email_verified: 'email_verified' },
          // Its userinfo endpoint is an OpenID provider's, and refuses a token without this scope.
          scope: 'openid profile email offline_access',
          offline_access: true,
          sign_up: true,
        },
      ],
    }),
  });
  const callback = (id: string): string => `${world.service.url}/login/${id}/callback`;
  await world.upstream.addClient({
    ...PLAIN_CLIENT,
    redirect_uris: [callback('plain')],
    id_token: false,
  });
  await world.upstream.addClient({ ...UPSTREAM_CLIENT, redirect_uris: [PROVIDER, FRESH_PROVIDER].map(callback) });
  world.ledger.add(PLAIN_CLIENT.client_secret, 'configured secret');
  return world;
}

/** The live row of an account, its instants as numbers on both databases. */
export async function account(world: World, provider: string, subject: string): Promise<Row> {
  const [row] = await world.database.query(
    'SELECT * FROM linked_accounts WHERE identity_provider = ? AND subject = ? AND unlinked_at IS NULL',
    [provider, subject],
  );
  return Object.fromEntries(
    Object.entries(row ?? {}).map(([name, value]) => [
      name,
      name.endsWith('_at') && value !== null ? Number(value) : value,
    ]),
  );
}

/** As if the provider had given the access token for an hour, of which so many seconds are left. */
export async function setSecondsLeft(world: World, provider: string, subject: string, seconds: number): Promise<void> {
  const expiresAt = Date.now() + seconds * 1000;
  await world.database.query(
    'UPDATE linked_accounts SET expires_at = ?, obtained_at = ? WHERE identity_provider = ? AND subject = ?',
    [expiresAt, expiresAt - 3_600_000, provider, subject],
  );
}
