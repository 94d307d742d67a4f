import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocked, Stage, type Actor } from '../support/contract-row.js';
import { databases } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import { CLIENTS, createWorld, PROVIDER, type World } from '../support/world.js';
import { BAD_BASIC, BAD_TOKEN, COMMON, NOBODY, refused, unauthenticated, USER_BLOCKED } from './onezone/answers.js';
import { asPythonClient, basic, bearer, CONFIGURATION, PASSWORD, USER, withToken } from './onezone/requests.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const ok = (body: unknown) => ({ status: 200, headers: COMMON, body });

interface CurrentUser {
  userId: string;
  creationTime: number;
  linkedAccounts: { idp: string }[];
}

describe.each(databases)('Onezone: the current user and the configuration, on $name', (kind) => {
  let world: World;
  let stage: Stage;
  let alice: Actor;

  beforeAll(async () => {
    world = await createWorld(kind, {
      configure: ({ users = [], identity_providers: providers = [], ...rest }) => ({
        ...rest,
        identity_providers: providers.map((provider) => ({
          ...(provider as object),
          scope: 'openid profile email groups offline_access',
        })),
        users: [
          ...users,
          { username: 'nameless', password: PASSWORD, basic_auth: true },
          { username: 'barred', password: PASSWORD, basic_auth: true, email: 'barred@example.com' },
        ],
      }),
    });
    stage = new Stage(world);
    alice = await stage.actor();
    await world.database.query(`UPDATE users SET blocked_at = ? WHERE username = 'barred'`, [Date.now()]);
  });
  afterAll(async () => {
    await world.stop();
  });

  const wire = (answer: BrowserResponse) => stage.normaliser.wire(answer);
  const get = (headers: Record<string, string> = {}) => world.request(USER, { headers });
  const user = async (headers: Record<string, string>): Promise<CurrentUser> => (await get(headers)).json();

  describe('GET /user', () => {
    it('says everything about a user and the accounts that the client may use', async () => {
      const answer = await get(withToken(alice).headers);
      const { userId, creationTime } = answer.json<CurrentUser>();
      expect(userId).toMatch(/^[0-9a-f-]{36}$/);
      expect(Math.abs(creationTime - Date.now() / 1000)).toBeLessThan(120);
      expect(wire(answer)).toStrictEqual(
        ok({
          userId,
          fullName: 'Alice Archer',
          username: userId,
          emails: ['alice@example.com'],
          linkedAccounts: [
            {
              idp: PROVIDER,
              subjectId: 'alice',
              fullName: 'Alice Archer',
              username: 'alice',
              emails: ['alice@example.com'],
              entitlements: ['admins', 'developers'],
              custom: {},
            },
          ],
          basicAuthEnabled: false,
          blocked: false,
          creationTime,
        }),
      );
    });

    it('says to a password what there is, and nothing is null', async () => {
      const { userId, creationTime } = await user(basic('nameless'));
      expect(wire(await get(basic('nameless')))).toStrictEqual(
        ok({
          userId,
          fullName: 'Unnamed User',
          username: 'nameless',
          emails: [],
          linkedAccounts: [],
          basicAuthEnabled: true,
          blocked: false,
          creationTime,
        }),
      );
    });

    it('leaves out a subject that was declared and never linked, until it is', async () => {
      expect((await user(basic('ada'))).linkedAccounts).toEqual([]);
      await stage.actor({ login: 'ada' });
      expect((await user(basic('ada'))).linkedAccounts).toMatchObject([{ idp: PROVIDER, subjectId: 'ada' }]);
      await world.database.query('UPDATE linked_accounts SET unlinked_at = 1 WHERE subject = ?', ['ada']);
      expect((await user(basic('ada'))).linkedAccounts).toEqual([]);
    });

    const NOTHING = { fullName: 'Unnamed User', emails: [], linkedAccounts: [] };
    it.each([
      ['openid', NOTHING],
      ['openid profile', { ...NOTHING, fullName: 'Alice Archer' }],
      ['openid email', { ...NOTHING, emails: ['alice@example.com'] }],
      [
        'openid federated-identity:token',
        {
          ...NOTHING,
          linkedAccounts: [
            {
              idp: PROVIDER,
              subjectId: 'alice',
              fullName: null,
              username: null,
              emails: [],
              entitlements: [],
              custom: {},
            },
          ],
        },
      ],
    ])('says no more than the scope %s allows', async (scope, shown) => {
      const actor = await stage.actor({ scope });
      const { userId, creationTime } = await user(withToken(actor).headers);
      expect(wire(await get(withToken(actor).headers))).toStrictEqual(
        ok({ userId, username: userId, basicAuthEnabled: false, blocked: false, creationTime, ...shown }),
      );
    });

    it('shows a client the accounts at its providers only', async () => {
      const stranger = await stage.actor({ client: CLIENTS.stranger });
      expect((await user(bearer(stranger.token))).linkedAccounts).toEqual([]);
      const actor = await stage.actor({ login: 'bob', provider: 'online-only' });
      const trusted = await stage.actor({ login: 'bob', client: CLIENTS.trusted, provider: 'online-only' });
      expect((await user(bearer(actor.token))).linkedAccounts.map(({ idp }) => idp)).toEqual(['online-only']);
      expect((await user(bearer(trusted.token))).linkedAccounts).toEqual([]);
    });

    it('says nothing to nobody', async () => {
      expect(wire(await get())).toStrictEqual(NOBODY);
      expect(wire(await get({ 'x-auth-token': 'x', ...basic('ada') }))).toStrictEqual(BAD_TOKEN);
      expect(wire(await get(basic('ada', 'wrong-password')))).toStrictEqual(BAD_BASIC);
    });

    it('tells a blocked user so: to the right password nested, to a valid token alone', async () => {
      expect(wire(await get(basic('barred')))).toStrictEqual(unauthenticated(USER_BLOCKED));
      expect(wire(await get(basic('barred', 'wrong-password')))).toStrictEqual(BAD_BASIC);
      const actor = await stage.actor({ login: 'blocked-user' });
      await blocked(actor);
      expect(wire(await get(withToken(actor).headers))).toStrictEqual(refused(400, USER_BLOCKED));
    });
  });

  describe('GET /configuration', () => {
    it('is public, and names the providers', async () => {
      expect(wire(await world.request(CONFIGURATION))).toStrictEqual(
        ok({
          name: 'Symbolon',
          version,
          build: version,
          domain: new URL(world.service.url).hostname,
          subdomainDelegationSupported: false,
          compatibilityRegistryRevision: 0,
          compatibleOneproviderVersions: [],
          availableSpaceTags: {},
          supportedIdPs: [
            { id: 'members-only', offlineAccess: true },
            { id: 'mobypay', offlineAccess: true },
            { id: 'online-only', offlineAccess: false },
          ],
        }),
      );
    });

    it('leaves out a provider that is disabled', async () => {
      await world.database.query(`UPDATE identity_providers SET disabled_at = 1 WHERE id = 'members-only'`);
      const { supportedIdPs } = (await world.request(CONFIGURATION)).json<{ supportedIdPs: { id: string }[] }>();
      expect(supportedIdPs.map(({ id }) => id)).toEqual(['mobypay', 'online-only']);
    });

    it('is asked nothing about who asks', async () => {
      expect((await asPythonClient(world, 'GET', CONFIGURATION, {})).status).toBe(200);
      expect((await asPythonClient(world, 'GET', CONFIGURATION, { token: 'x' })).status).toBe(200);
    });
  });

  describe("the vendor's Python client", () => {
    it('is known by its token, whatever its Basic says', async () => {
      const { userId } = await user(withToken(alice).headers);
      for (const credentials of [{}, { username: 'ada', password: PASSWORD }, { username: 'ada', password: 'wrong' }]) {
        const answer = await asPythonClient(world, 'GET', USER, { token: alice.token, ...credentials });
        expect({ status: answer.status, userId: answer.json<CurrentUser>().userId }).toEqual({ status: 200, userId });
      }
    });

    it('finds nothing null in what it requires', async () => {
      const answer = await asPythonClient(world, 'GET', USER, { token: alice.token });
      expect(Object.entries(answer.json()).filter(([, value]) => value === null)).toEqual([]);
      expect(Object.keys(answer.json()).toSorted()).toEqual([
        'basicAuthEnabled',
        'blocked',
        'creationTime',
        'emails',
        'fullName',
        'linkedAccounts',
        'userId',
        'username',
      ]);
    });

    it('without a token is its Basic, which is nobody where it is empty', async () => {
      const answer = await asPythonClient(world, 'GET', USER, { username: 'ada', password: PASSWORD });
      expect(answer.json()).toMatchObject({ username: 'ada' });
      expect(wire(await asPythonClient(world, 'GET', USER, {}))).toStrictEqual(BAD_BASIC);
    });
  });

  it.each([USER, CONFIGURATION])('lets scripts of other origins ask %s', async (path) => {
    const answer = await world.request(path, {
      method: 'OPTIONS',
      headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'GET' },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
