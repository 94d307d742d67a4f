import type { DatabaseKind } from '../databases.js';
import { CLIENTS, createWorld, READ_SCOPE, type World } from '../world.js';
import type { StandIn } from './stand-in.js';

export const UNLINKING_SCOPE = `${READ_SCOPE} user:federated-identity:delete`;

/**
 * A world whose only interesting provider is one by preset, played by a stand-in. The entry says what an operator would:
 * the preset, how we are registered, and beyond that only where the stand-in listens.
 */
export async function createPresetWorld(
  kind: DatabaseKind,
  standIn: StandIn,
  entry: { id: string; preset: string } & Record<string, unknown>,
): Promise<World> {
  const world = await createWorld(kind, {
    configure: (configuration) => ({
      ...configuration,
      clients: [
        {
          ...CLIENTS.trusted,
          redirect_uris: ['https://app.example/callback'],
          scope: UNLINKING_SCOPE,
          consent: 'implicit',
          upstream_providers: [entry.id],
          upstream_refresh_token: true,
        },
      ],
      identity_providers: [{ sign_up: true, client_id: standIn.client.client_id, ...entry }],
      users: [],
    }),
  });
  standIn.redirectUri = `${world.service.url}/login/${entry.id}/callback`;
  return world;
}

/** PACE's token of the account, and what else it says. */
export interface Given {
  access_token: string;
  token_type: string;
  expires_in: number;
  refresh_token?: string;
  scope: string;
}

/** The whole way of a person to our token for the one client there is. */
export async function signInByPreset(world: World, provider: string, login: string): Promise<string> {
  const answer = await world.signIn({ login, provider, client: CLIENTS.trusted, scope: UNLINKING_SCOPE });
  return answer.access_token;
}

/** Through PACE's face. */
export async function unlink(world: World, token: string, provider: string): Promise<void> {
  const answer = await world.request(`/federated-identities/${provider}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${token}` },
  });
  if (answer.status !== 204) throw new Error(`${answer.status} ${answer.text()}`);
}
