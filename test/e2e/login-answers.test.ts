import { decodeJwt, type JWTPayload } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import { count, expectErrorPage, expectNothingStored, login, sessionCookie } from '../support/journeys.js';
import { createWorld, type World } from '../support/world.js';

type Claims = JWTPayload & { iss: string; aud: string; exp: number; iat: number };

describe.each(databases)("the provider's answer to a sign-in on $name", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind, {
      configure: (configuration) => ({
        ...configuration,
        identity_providers: (configuration['identity_providers'] ?? []).map((provider) => {
          const entry = provider as { id: string };
          // Takes the place of a provider whose redirect URI the world has registered.
          return entry.id === 'online-only' ? { ...entry, sign_up: ['example.com', 'Partner.Example'] } : entry;
        }),
      }),
    });
  });
  afterAll(async () => {
    await world.stop();
  });

  describe('admits users', () => {
    it('unknown ones not at all without sign_up', async () => {
      const browser = world.browser();
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await login(world, browser, { provider: 'members-only', login: 'carol' }), 403);
      });
      expect(sessionCookie(browser, world)).toBeUndefined();
    });

    it('declared ones as the user who was declared, not as a new one', async () => {
      const users = await count(world, 'users');
      const browser = world.browser();
      expect((await login(world, browser, { login: 'ada' })).status).toBe(303);
      expect(await count(world, 'users')).toBe(users);
      expect((await browser.get(`${world.service.url}/login`)).text()).toContain('<strong>Ada</strong>');
    });

    it('never by e-mail: the same person at another provider is somebody else', async () => {
      const browser = world.browser();
      await login(world, browser, { login: 'ada', provider: 'online-only' });
      const [declared] = await world.database.query("SELECT id FROM users WHERE username = 'ada'");
      const [other] = await world.database.query(
        "SELECT user_id FROM linked_accounts WHERE subject = 'ada' AND identity_provider = 'online-only'",
      );
      expect(other?.['user_id']).toBeDefined();
      expect(other?.['user_id']).not.toBe(declared?.['id']);
    });

    it.each([
      ['an address that the provider did not verify', { email_verified: false }, false],
      ['a domain that only ends alike', { email: 'x@evil-example.com' }, false],
      ['a subdomain', { email: 'x@sub.example.com' }, false],
      ['the domain in the local part', { email: 'example.com@evil.example' }, false],
      ['no address', { email: '' }, false],
      ['a verified address of the domain in other letters', { email: 'x@EXAMPLE.com' }, true],
      ['a verified address of a domain declared in other letters', { email: 'x@partner.example' }, true],
    ])('by e-mail domain with %s', async (name, claims, admitted) => {
      const subject = `domain-${name.replaceAll(' ', '-')}`;
      world.upstream.users.set(subject, {
        sub: subject,
        preferred_username: subject,
        name: subject,
        email: `${subject}@example.com`,
        email_verified: true,
        groups: [],
        ...claims,
      });
      const answer = await login(world, world.browser(), { provider: 'online-only', login: subject });
      if (admitted) expect(answer.status).toBe(303);
      else expectErrorPage(answer, 403);
      expect(await count(world, 'linked_accounts', 'WHERE subject = ?', [subject])).toBe(admitted ? 1 : 0);
    });

    it('by the address of userinfo where the id_token has none, verified only if it says so itself', async () => {
      const withoutEmail = (verified: boolean | undefined): void => {
        world.upstream.alterNext(1, async (body) => {
          const claims = decodeJwt<Claims>(String(body['id_token']));
          const forged = { ...claims, email: undefined, email_verified: verified };
          return { ...body, id_token: await world.upstream.signIdToken(forged) };
        });
      };
      withoutEmail(undefined);
      expect((await login(world, world.browser(), { provider: 'online-only', login: 'info-user' })).status).toBe(303);
      const [row] = await world.database.query(
        "SELECT email FROM users WHERE id = (SELECT user_id FROM linked_accounts WHERE subject = 'info-user')",
      );
      expect(row?.['email']).toBe('info-user@example.com');
      withoutEmail(true);
      // bob's userinfo says that his address is not verified, whatever the id_token says of one it does not name.
      expectErrorPage(await login(world, world.browser(), { provider: 'online-only', login: 'bob' }), 403);
    });

    it('blocked ones never, and their open sessions are worth nothing', async () => {
      const browser = world.browser();
      const { access_token: token } = await world.signIn({ login: 'blocked-one', browser });
      const userId = decodeJwt(token).sub;
      await world.database.query('UPDATE users SET blocked_at = 1 WHERE id = ?', [userId]);
      const fresh = world.browser();
      await expectNothingStored(world, fresh, async () => {
        const page = await login(world, fresh, { login: 'blocked-one' });
        expectErrorPage(page, 403);
        expect(page.text()).toContain('blocked');
      });
      expect((await world.pace(token)).status).toBe(401);
      const [client] = await Promise.allSettled([world.signIn({ login: 'blocked-one', browser })]);
      expect(client.status).toBe('rejected');
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
