import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { Browser, BrowserResponse } from '../support/http-browser.js';
import type { Service } from '../support/service.js';
import { createWorld, PROVIDER, READ_SCOPE, REDIRECT_URI, type TokenAnswer, type World } from '../support/world.js';

const confidential = (id: string) => ({
  client_id: id,
  client_secret: `${id}-secret-0123456789abcdef0123456789abcdef`,
});
const KEEPER = confidential('keeper');
const OPAQUE = confidential('opaque-keeper');
const AUDITOR = confidential('auditor');
const CLIENTS = [KEEPER, OPAQUE, AUDITOR];
const SCOPE = `${READ_SCOPE} offline_access`;
const common = {
  redirect_uris: [REDIRECT_URI],
  scope: SCOPE,
  grant_types: ['authorization_code', 'refresh_token'],
  consent: 'implicit',
  upstream_providers: [PROVIDER],
};

type Client = typeof KEEPER;
type Given = Required<TokenAnswer>;

/** Each face's addresses for the same. */
const RAIDIAM = { token: '/token', introspect: '/token/introspection', revoke: '/revoke' };
const SLASHID = { token: '/oauth2/tokens', introspect: '/oauth2/tokens/introspect', revoke: '/oauth2/tokens/revoke' };
const FACES = [RAIDIAM, SLASHID];

describe.each(databases)('"One guard for all faces": tokens across faces and processes on $name', (kind) => {
  let world: World;
  let here: Service;
  /** A second process on PostgreSQL; SQLite never has two. */
  let there: Service;
  let browser: Browser;

  beforeAll(async () => {
    world = await createWorld(kind, {
      configure: ({ clients = [], ...rest }) => ({
        ...rest,
        clients: [
          ...clients,
          { ...KEEPER, ...common },
          { ...OPAQUE, ...common, access_token_format: 'opaque' },
          { ...AUDITOR, scope: 'accounts:read', grant_types: ['client_credentials'], introspection: 'any' },
        ],
      }),
    });
    for (const { client_secret: secret } of CLIENTS) world.ledger.add(secret, 'configured secret');
    here = world.service;
    there = kind.name === 'postgres' ? await world.startReplica() : here;
    browser = world.browser();
  });
  afterAll(() => world.stop());

  const post = (at: Service, path: string, client: Client, form: Record<string, string>): Promise<BrowserResponse> =>
    world.browser().request(at.url + path, {
      form,
      headers: {
        authorization: `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`,
      },
    });
  const signIn = async (client: Client): Promise<Given> =>
    (await world.signIn({ client, browser, scope: SCOPE })) as Given;
  const refresh = (at: Service, path: string, client: Client, token: string): Promise<BrowserResponse> =>
    post(at, path, client, { grant_type: 'refresh_token', refresh_token: token });
  const isActive = async (at: Service, path: string, client: Client, token: string): Promise<boolean> =>
    (await post(at, path, client, { token })).json<{ active: boolean }>().active;
  const upstream = async (at: Service, token: string): Promise<number[]> => {
    const pace = { path: `/federated-identities/${PROVIDER}/token`, headers: { authorization: `Bearer ${token}` } };
    const onezone = { path: `/api/v3/onezone/user/idp_access_token/${PROVIDER}`, headers: { 'x-auth-token': token } };
    const asked = [pace, onezone].map(({ path, headers }) =>
      world.browser().request(at.url + path, { method: 'POST', headers }),
    );
    return (await Promise.all(asked)).map(({ status }) => status);
  };
  /** Every way to see it, in the other process as in this one. */
  const expectAlive = async (client: Client, token: string, alive: boolean): Promise<void> => {
    for (const at of [here, there]) {
      for (const { introspect } of FACES) expect(await isActive(at, introspect, client, token)).toBe(alive);
      expect(await upstream(at, token)).toStrictEqual(alive ? [200, 200] : [401, 401]);
    }
  };

  describe.each([
    ['JWT', KEEPER],
    ['opaque', OPAQUE],
  ])('%s', (_, client) => {
    it.each(FACES)(
      'an access token that $revoke ends in one process is refused by all faces of the other',
      async ({ revoke }) => {
        const { access_token: token } = await signIn(client);
        await expectAlive(client, token, true);
        expect((await post(here, revoke, client, { token })).status).toBe(200);
        await expectAlive(client, token, false);
      },
    );

    it.each(FACES)('so is all of a family whose refresh token $revoke ends', async ({ revoke }) => {
      const first = await signIn(client);
      const second = (await refresh(there, SLASHID.token, client, first.refresh_token)).json<Given>();
      const third = (await refresh(here, RAIDIAM.token, client, second.refresh_token)).json<Given>();
      expect((await post(there, revoke, client, { token: third.refresh_token })).status).toBe(200);
      for (const { access_token: token } of [first, second, third]) await expectAlive(client, token, false);
      for (const { token } of FACES) expect((await refresh(here, token, client, third.refresh_token)).status).toBe(400);
    });

    it('so is all that a person allowed the client, after revoke-all', async () => {
      const [one, other] = [await signIn(client), await signIn(client)];
      const introspected = await post(there, RAIDIAM.introspect, client, { token: one.access_token });
      const { sub } = introspected.json<{ sub: string }>();
      expect((await post(there, '/oauth2/tokens/revoke-all', client, { person_id: sub })).status).toBe(200);
      for (const { access_token: token } of [one, other]) await expectAlive(client, token, false);
    });

    it.each(FACES)(
      '"says `active` only to the token\'s own client … or a client with `introspection: any`": $introspect',
      async ({ introspect }) => {
        const { access_token: token, refresh_token: kept } = await signIn(client);
        const stranger = client === KEEPER ? OPAQUE : KEEPER;
        for (const each of [token, kept]) {
          const seen = [client, AUDITOR, stranger].map((asking) => isActive(there, introspect, asking, each));
          expect(await Promise.all(seen)).toStrictEqual([true, true, false]);
        }
      },
    );
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
