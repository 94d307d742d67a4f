import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startUpstream, type Upstream } from '../../scripts/upstream-provider.mjs';
import { databases } from '../support/databases.js';
import { form, type Browser, type BrowserResponse } from '../support/http-browser.js';
import {
  altered,
  bringBackCallback,
  count,
  expectErrorPage,
  expectNothingStored,
  login,
  sessionCookie,
} from '../support/journeys.js';
import { holdNextAnswer } from '../support/vault.js';
import { createWorld, PROVIDER, READ_SCOPE, UPSTREAM_CLIENT, type World } from '../support/world.js';

const SCOPE = `${READ_SCOPE} user:federated-identity:set user:federated-identity:delete`;
/** Its word on e-mail addresses is trusted, and it admits nobody new. */
const TRUSTED = 'members-only';
/** As trusted, and whoever is unknown signs up. */
const TRUSTED_OPEN = 'online-only';
/** Another provider, whose operator is an attacker. */
const EVIL = 'evil';
/** The world's provider, spoken to in plain OAuth 2. */
const PLAIN = 'plain';

type Entry = Record<string, unknown> & { id: string };

describe.each(databases)('linked accounts on $name', (kind) => {
  let world: World;
  let evil: Upstream;
  let people = 0;
  beforeAll(async () => {
    evil = await startUpstream({ clients: [] });
    world = await createWorld(kind, {
      configure: ({ clients = [], identity_providers: providers = [], users = [] }, { issuer }) => ({
        clients: clients.map((client) => ({
          ...(client as object),
          scope: SCOPE,
          upstream_providers: [PROVIDER, TRUSTED, TRUSTED_OPEN, PLAIN],
        })),
        identity_providers: [
          ...providers.map((entry) => ({
            ...(entry as Entry),
            ...((entry as Entry).id !== PROVIDER && { trust_verified_email: true }),
          })),
          { id: EVIL, issuer: evil.issuer, ...UPSTREAM_CLIENT, sign_up: true },
          {
            id: PLAIN,
            type: 'oauth2',
            ...UPSTREAM_CLIENT,
            scope: 'openid profile email',
            sign_up: true,
            endpoints: { authorization: `${issuer}/auth`, token: `${issuer}/token`, userinfo: `${issuer}/me` },
            claims: { sub: 'sub' },
          },
        ],
        users: [...users, { username: 'vouched', email: 'Vouched@Example.com' }],
      }),
    });
    const callback = (id: string): string => `${world.service.url}/login/${id}/callback`;
    await evil.addClient({ ...UPSTREAM_CLIENT, redirect_uris: [callback(EVIL)] });
    await world.upstream.addClient({
      ...UPSTREAM_CLIENT,
      redirect_uris: [PROVIDER, TRUSTED, TRUSTED_OPEN, PLAIN].map(callback),
    });
  });
  afterAll(async () => {
    await world.stop();
    await evil.stop();
  });

  /** A person as the provider describes them; the name stands in nobody else's address. */
  function person(claims: { email?: string; email_verified?: boolean } = {}): string {
    people += 1;
    const name = `linker-${people}`;
    world.upstream.users.set(name, {
      sub: name,
      preferred_username: name,
      name,
      email: `${name}@example.com`,
      email_verified: true,
      groups: [],
      ...claims,
    });
    return name;
  }

  async function userOf(subject: string, provider: string): Promise<string | undefined> {
    const [row] = await world.database.query(
      'SELECT user_id FROM linked_accounts WHERE subject = ? AND identity_provider = ? AND unlinked_at IS NULL',
      [subject, provider],
    );
    return row?.['user_id'] as string | undefined;
  }

  const userNamed = async (username: string): Promise<unknown> =>
    (await world.database.query('SELECT id FROM users WHERE username = ?', [username]))[0]?.['id'];

  async function subjectOf(answer: BrowserResponse): Promise<unknown> {
    expect(answer.status).toBe(200);
    const { access_token: token } = answer.json<{ access_token: string }>();
    const userinfo = await world
      .browser()
      .request(`${world.upstream.issuer}/me`, { headers: { authorization: `Bearer ${token}` } });
    return userinfo.json()['sub'];
  }

  const pace = (method: 'PUT' | 'DELETE', token: string, provider = PROVIDER): Promise<BrowserResponse> =>
    world.request(`/federated-identities/${provider}`, { method, headers: { authorization: `Bearer ${token}` } });

  async function connect(browser: Browser, subject: string, provider = PROVIDER): Promise<BrowserResponse> {
    // The provider of the tests ends the tokens of whoever was signed in there when somebody else signs in.
    for (const { name } of browser.cookies(world.upstream.issuer)) {
      if (name.startsWith('_idp')) browser.setCookie(world.upstream.issuer, `${name}=; Path=/; Max-Age=0`);
    }
    const page = await browser.get(`${world.service.url}/connect/${provider}`);
    const { action, fields } = form(page.text(), 'csrf_token');
    return browser.post(`${world.service.url}${action}?login_hint=${subject}`, fields);
  }

  describe("PACE's PUT", () => {
    it('makes the account that was connected in this session the default, which the connecting alone does not', async () => {
      const [first, second] = [person(), person()];
      const browser = world.browser();
      const { access_token: token } = await world.signIn({ login: first, browser, scope: SCOPE });
      await connect(browser, second);
      expect(await subjectOf(await world.pace(token))).toBe(first);
      expect((await pace('PUT', token)).status).toBe(204);
      expect(await subjectOf(await world.pace(token))).toBe(second);
      expect((await pace('PUT', token)).status).toBe(204);
      expect(await subjectOf(await world.pace(token))).toBe(second);
    });

    it('makes the account with which the session began the default again', async () => {
      const [first, second] = [person(), person()];
      const browser = world.browser();
      await world.signIn({ login: first, browser, scope: SCOPE });
      await connect(browser, second);
      const { access_token: token } = await world.signIn({ login: second, scope: SCOPE });
      expect(await subjectOf(await world.pace(token))).toBe(first);
      expect((await pace('PUT', token)).status).toBe(204);
      expect(await subjectOf(await world.pace(token))).toBe(second);
    });

    it('chooses nothing that was connected in another session, or longer ago', async () => {
      const [first, second] = [person(), person()];
      const browser = world.browser();
      const { access_token: token } = await world.signIn({ login: first, browser, scope: SCOPE });
      const other = world.browser();
      await world.signIn({ login: first, browser: other });
      await connect(other, second);
      await pace('PUT', token);
      expect(await subjectOf(await world.pace(token))).toBe(first);
      await connect(browser, second);
      await world.database.query('UPDATE linked_accounts SET linked_at = ? WHERE subject = ?', [
        Date.now() - 11 * 60_000,
        second,
      ]);
      expect((await pace('PUT', token)).status).toBe(204);
      expect(await subjectOf(await world.pace(token))).toBe(first);
    });

    it('leads to a connect URL where nothing is linked, and works after it', async () => {
      const name = person();
      const browser = world.browser();
      const { access_token: token } = await world.signIn({ login: name, browser, scope: SCOPE });
      const refused = await pace('PUT', token, TRUSTED);
      expect(refused.status).toBe(401);
      const { errors } = refused.json<{ errors: { meta: { connect_url: string } }[] }>();
      const page = await browser.get(errors[0]?.meta.connect_url ?? '');
      const { action, fields } = form(page.text(), 'ticket');
      await browser.post(`${world.service.url}${action}?login_hint=${name}`, fields);
      expect((await pace('PUT', token, TRUSTED)).status).toBe(204);
      expect(await subjectOf(await world.pace(token, TRUSTED))).toBe(name);
    });
  });

  describe("PACE's DELETE", () => {
    it('unlinks all accounts of that provider, whose tokens never come back, and no other', async () => {
      const [first, second] = [person(), person()];
      const browser = world.browser();
      const { access_token: token } = await world.signIn({ login: first, browser, scope: SCOPE });
      await connect(browser, second);
      await connect(browser, first, TRUSTED);
      expect((await pace('DELETE', token)).status).toBe(204);
      expect((await world.pace(token)).status).toBe(401);
      expect((await pace('PUT', token)).status).toBe(401);
      expect((await world.pace(token)).status).toBe(401);
      expect(await subjectOf(await world.pace(token, TRUSTED))).toBe(first);
      expect(await userOf(first, PROVIDER)).toBeUndefined();
      expect((await pace('DELETE', token)).status).toBe(204);
      const events = await world.database.query(
        "SELECT client_id, identity_provider FROM audit_events WHERE event = 'identity.unlinked' AND user_id = ?",
        [decodeJwt(token).sub],
      );
      expect(events).toEqual([1, 2].map(() => ({ client_id: 'reader', identity_provider: PROVIDER })));
    });

    it('keeps the last account that the user signs in with as that, and signing in again links it again', async () => {
      const name = person();
      const { access_token: token } = await world.signIn({ login: name, scope: SCOPE });
      const userId = decodeJwt(token).sub;
      await pace('DELETE', token);
      expect(await userOf(name, PROVIDER)).toBe(userId);
      const again = await world.signIn({ login: name, scope: SCOPE });
      expect(decodeJwt(again.access_token).sub).toBe(userId);
      expect(await subjectOf(await world.pace(token))).toBe(name);
    });

    it('wins over a refresh that is under way', async () => {
      const name = person();
      const { access_token: token } = await world.signIn({ login: name, scope: SCOPE });
      await world.database.query('UPDATE linked_accounts SET expires_at = 1 WHERE subject = ?', [name]);
      const held = holdNextAnswer(world);
      const reading = world.pace(token);
      await held.reached;
      expect((await pace('DELETE', token)).status).toBe(204);
      held.release();
      expect((await reading).status).toBe(401);
      expect((await world.pace(token)).status).toBe(401);
      const [row] = await world.database.query(
        'SELECT access_token, refresh_token, id_token FROM linked_accounts WHERE subject = ?',
        [name],
      );
      expect(row).toEqual({ access_token: null, refresh_token: null, id_token: null });
    });
  });

  describe('a verified e-mail address that the operator trusts', () => {
    it('links the account to the user who has it, once and for all, and says so in the audit', async () => {
      const name = person();
      const { access_token: token } = await world.signIn({ login: name, scope: SCOPE, provider: TRUSTED_OPEN });
      const userId = String(decodeJwt(token).sub);
      const users = await count(world, 'users');
      const browser = world.browser();
      expect((await login(world, browser, { provider: TRUSTED, login: name })).status).toBe(303);
      expect([await userOf(name, TRUSTED), await count(world, 'users')]).toEqual([userId, users]);
      const [linked] = await world.database.query(
        "SELECT outcome, reason FROM audit_events WHERE event = 'identity.linked' AND user_id = ? AND identity_provider = ?",
        [userId, TRUSTED],
      );
      expect(linked).toEqual({ outcome: 'success', reason: 'trusted-verified-email' });
      // From now on the subject is known, whatever its address.
      world.upstream.users.get(name)!.email_verified = false;
      expect((await login(world, world.browser(), { provider: TRUSTED, login: name })).status).toBe(303);
    });

    it('counts with capitals as well as without, and where the operator has declared it', async () => {
      const declared = person({ email: 'vouched@example.COM' });
      expect((await login(world, world.browser(), { provider: TRUSTED, login: declared })).status).toBe(303);
      expect(await userOf(declared, TRUSTED)).toBe(await userNamed('vouched'));
    });

    it.each<[string | null, boolean]>([
      ['admin', true],
      [TRUSTED_OPEN, true],
      [PROVIDER, false],
      // Another provider had that id.
      [`provider:${TRUSTED_OPEN} https://elsewhere.example`, false],
      // Its id is that of no verifier.
      ['provider:admin', false],
      // As a release before 0.2.0 left it.
      [null, false],
    ])('counts by who verified it for our user, by %s: %s', async (verifier, counts) => {
      const name = person();
      await login(world, world.browser(), { login: name });
      const owner = await userOf(name, PROVIDER);
      const by =
        verifier !== null && /^(?!admin)[a-z-]+$/.test(verifier)
          ? `provider:${verifier} ${world.upstream.issuer}`
          : verifier;
      await world.database.query('UPDATE users SET email_verified_by = ? WHERE id = ?', [by, owner]);
      const answer = await login(world, world.browser(), { provider: TRUSTED, login: name });
      expect(answer.status).toBe(counts ? 303 : 403);
      expect(await userOf(name, TRUSTED)).toBe(counts ? owner : undefined);
    });

    it('is not taken from a stranger who signed up with it at a provider that is not trusted', async () => {
      const name = person();
      evil.users.set(`evil-${name}`, { ...world.upstream.users.get(name)!, sub: `evil-${name}` });
      await login(world, world.browser(), { provider: EVIL, login: `evil-${name}` });
      const hijacker = await userOf(`evil-${name}`, EVIL);
      const [{ email } = {}] = await world.database.query('SELECT email FROM users WHERE id = ?', [hijacker]);
      expect(email).toBe(`${name}@example.com`);
      const browser = world.browser();
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await login(world, browser, { provider: TRUSTED, login: name }), 403);
      });
      expect((await login(world, world.browser(), { provider: TRUSTED_OPEN, login: name })).status).toBe(303);
      expect(await userOf(name, TRUSTED_OPEN)).not.toBe(hijacker);
    });

    it('brings no account back that the user unlinked', async () => {
      const name = person();
      const { access_token: token } = await world.signIn({ login: name, scope: SCOPE, provider: TRUSTED_OPEN });
      await login(world, world.browser(), { provider: TRUSTED, login: name });
      expect((await pace('DELETE', token, TRUSTED)).status).toBe(204);
      const browser = world.browser();
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await login(world, browser, { provider: TRUSTED, login: name }), 403);
      });
      // Only the user brings it back.
      const own = world.browser();
      await world.signIn({ login: name, browser: own, provider: TRUSTED_OPEN });
      await connect(own, name, TRUSTED);
      expect(await userOf(name, TRUSTED)).toBe(decodeJwt(token).sub);
    });

    it('lets a blocked user in no more than anything else', async () => {
      const name = person();
      await login(world, world.browser(), { provider: TRUSTED_OPEN, login: name });
      await world.database.query('UPDATE users SET blocked_at = 1 WHERE id = ?', [await userOf(name, TRUSTED_OPEN)]);
      const browser = world.browser();
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await login(world, browser, { provider: TRUSTED, login: name }), 403);
      });
    });

    it.each<[string, (owner: string) => string]>([
      ['does not verify', (owner) => person({ email: `${owner}@example.com`, email_verified: false })],
      [
        'spells with a letter that only looks or folds alike',
        (owner) => person({ email: `${owner}@example.com`.replace('k', '\u212A') }),
      ],
      ['does not say', () => person({ email: '' })],
    ])('links nothing where the provider %s it', async (_, other) => {
      const owner = person();
      await login(world, world.browser(), { provider: TRUSTED_OPEN, login: owner });
      const name = other(owner);
      const browser = world.browser();
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await login(world, browser, { provider: TRUSTED, login: name }), 403);
      });
      expect((await login(world, world.browser(), { provider: TRUSTED_OPEN, login: name })).status).toBe(303);
      expect(await userOf(name, TRUSTED_OPEN)).not.toBe(await userOf(owner, TRUSTED_OPEN));
    });

    it('links nothing where our user has never proven to have it', async () => {
      const owner = person({ email_verified: false });
      await login(world, world.browser(), { provider: TRUSTED_OPEN, login: owner });
      const name = person({ email: `${owner}@example.com` });
      const browser = world.browser();
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await login(world, browser, { provider: TRUSTED, login: name }), 403);
      });
    });

    it('does not guess between two users who have it', async () => {
      const owners = [person(), person({ email: `linker-${people}@example.com` })];
      for (const owner of owners) {
        await login(world, world.browser(), { login: owner });
        const userId = await userOf(owner, PROVIDER);
        await world.database.query("UPDATE users SET email_verified_by = 'admin' WHERE id = ?", [userId]);
      }
      const name = person({ email: `${owners[0]}@example.com` });
      const browser = world.browser();
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await login(world, browser, { provider: TRUSTED, login: name }), 403);
      });
      await login(world, world.browser(), { provider: TRUSTED_OPEN, login: name });
      const userId = await userOf(name, TRUSTED_OPEN);
      expect(userId).toBeDefined();
      for (const owner of owners) expect(userId).not.toBe(await userOf(owner, PROVIDER));
    });

    it('links nothing at a provider that is not trusted, though a trusted one knows the user', async () => {
      const owner = person();
      await login(world, world.browser(), { provider: TRUSTED_OPEN, login: owner });
      const name = person({ email: `${owner}@example.com` });
      expect((await login(world, world.browser(), { login: name })).status).toBe(303);
      expect(await userOf(name, PROVIDER)).not.toBe(await userOf(owner, TRUSTED_OPEN));
    });
  });

  describe('an attacker who runs a provider of their own (mix-up)', () => {
    const attacks: [string, (honest: URL, own: URL) => URL][] = [
      [
        "the honest provider's answer at their callback",
        (honest, own) => altered(own, Object.fromEntries(honest.searchParams)),
      ],
      [
        "the honest provider's code beside their own state",
        (honest, own) => altered(own, { code: honest.searchParams.get('code') }),
      ],
      [
        "the honest provider's code and iss beside their own state",
        (honest, own) => altered(own, { code: honest.searchParams.get('code'), iss: honest.searchParams.get('iss') }),
      ],
      [
        "their state at the honest provider's callback",
        (honest, own) => altered(honest, { state: own.searchParams.get('state') }),
      ],
      [
        "their code at the honest provider's callback",
        (honest, own) => altered(honest, { code: own.searchParams.get('code') }),
      ],
      [
        "their answer at the honest provider's callback",
        (honest, own) => altered(honest, Object.fromEntries(own.searchParams)),
      ],
    ];
    it.each(attacks)('gets nothing for %s', async (_, attack) => {
      const browser = world.browser();
      const honest = await bringBackCallback(world, browser, { login: person() });
      const own = await bringBackCallback(world, browser, { provider: EVIL, login: 'mallory' });
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await browser.request(attack(honest, own)));
      });
      expect(sessionCookie(browser, world)).toBeUndefined();
    });
  });

  describe('a provider of plain OAuth 2', () => {
    it('is asked without a nonce, signs a user in, and gives tokens', async () => {
      const name = person();
      const started = await world.browser().request(`${world.service.url}/login/${PLAIN}`);
      expect(started.location?.searchParams.has('nonce')).toBe(false);
      expect(started.location?.searchParams.get('code_challenge_method')).toBe('S256');
      const { access_token: token } = await world.signIn({ login: name, provider: PLAIN, scope: SCOPE });
      expect(await subjectOf(await world.pace(token, PLAIN))).toBe(name);
      expect((await pace('PUT', token, PLAIN)).status).toBe(204);
      expect((await pace('DELETE', token, PLAIN)).status).toBe(204);
    });

    it('takes no answer of another provider, nor a second time', async () => {
      const browser = world.browser();
      const callback = await bringBackCallback(world, browser, { provider: PLAIN, login: person() });
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await browser.request(callback.href.replace(`/login/${PLAIN}/`, `/login/${PROVIDER}/`)), 400);
        const others = world.browser();
        const other = await bringBackCallback(world, others, { login: person() });
        expectErrorPage(await others.request(other.href.replace(`/login/${PROVIDER}/`, `/login/${PLAIN}/`)), 400);
      });
      expect((await browser.request(callback)).status).toBe(303);
      expectErrorPage(await browser.request(callback), 400);
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    world.ledger.addAll(evil.secrets, "at the attacker's provider");
    await world.assertNoLeaks();
  });
});
