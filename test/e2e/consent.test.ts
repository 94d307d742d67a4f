import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import { form, type Browser, type BrowserResponse } from '../support/http-browser.js';
import {
  authorizationUrl,
  count,
  expectErrorPage,
  expectNothingStored,
  expectPageHeaders,
  login,
  open,
  sessionCookie,
  toldClient,
} from '../support/journeys.js';
import { createWorld, READ_SCOPE, REDIRECT_URI, type World } from '../support/world.js';

const MARKUP = `<b onclick="x('y')">&amp;</b>`;

describe.each(databases)('consent on $name', (kind) => {
  let world: World;
  let people = 0;
  beforeAll(async () => {
    world = await createWorld(kind, {
      configure: (configuration) => ({
        ...configuration,
        clients: [
          ...(configuration['clients'] ?? []),
          {
            client_id: 'marked-up',
            client_name: MARKUP,
            token_endpoint_auth_method: 'none',
            redirect_uris: [REDIRECT_URI, 'com.example.app:/cb'],
            scope: `${READ_SCOPE} accounts:read`,
          },
          {
            client_id: 'renewing',
            token_endpoint_auth_method: 'none',
            grant_types: ['authorization_code', 'refresh_token'],
            redirect_uris: [REDIRECT_URI],
            scope: 'openid offline_access',
            access_token_lifetime: 1800,
            refresh_token_lifetime: 10 * 86_400,
          },
        ],
        scopes: [{ name: 'accounts:read', description: `See your accounts ${MARKUP}` }],
      }),
    });
  });
  afterAll(async () => {
    await world.stop();
  });

  interface Asked {
    browser: Browser;
    person: string;
    page: BrowserResponse;
    state: string;
    fields: Record<string, string>;
  }

  /** A person of their own in front of the page. */
  async function asked(
    changes: Record<string, string | null> = {},
    known?: { browser: Browser; person: string },
  ): Promise<Asked> {
    people += 1;
    const { person, browser } = known ?? { person: `person-${people}`, browser: world.browser() };
    const { url, state } = authorizationUrl(world, { client_id: 'asker', login_hint: person, ...changes });
    const page = await open(browser, url);
    expect(page.status).toBe(200);
    return { browser, person, page, state, fields: form(page.text(), 'decision').fields };
  }

  const answer = (browser: Browser, fields: Record<string, string>): Promise<BrowserResponse> =>
    browser.post(`${world.service.url}/auth/consent`, fields, { redirect: 'manual' });

  it('is asked on a page that shows the client, the user, the scopes, where it leads and for how long', async () => {
    const { page, person } = await asked();
    expectPageHeaders(page);
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' https://app.example;");
    const text = page.text();
    expect(text).toContain('<strong>The Asker</strong>');
    expect(text).toContain(`<strong>${person.replace('p', 'P')}</strong>`);
    for (const scope of READ_SCOPE.split(' ')) expect(text).toContain(`(${scope})`);
    expect(text).toContain('app.example');
    expect(text).toContain('60 minutes');
    expect(text).not.toMatch(/<script|https?:\/\/(?!app\.example)/);
  });

  it.each([
    ['openid', 'Its access lasts 30 minutes.'],
    ['openid offline_access', 'It can renew its access for 10 days without asking you again.'],
  ])('says how long a client of its own lifetimes keeps %s', async (scope, duration) => {
    const { page } = await asked({ client_id: 'renewing', scope });
    expect(page.text()).toContain(duration);
  });

  it('shows names as text, whoever chose them', async () => {
    world.upstream.users.set('marked-up', {
      sub: 'marked-up',
      preferred_username: 'marked-up',
      name: MARKUP,
      email: 'marked-up@example.com',
      email_verified: true,
      groups: [],
    });
    const scope = `${READ_SCOPE} accounts:read`;
    const { page } = await asked({
      client_id: 'marked-up',
      scope,
      login_hint: 'marked-up',
      redirect_uri: 'com.example.app:/cb',
    });
    expect(page.text()).not.toContain('<b ');
    expect(page.text().match(/&lt;b onclick=&quot;x\(&#39;y&#39;\)&quot;&gt;&amp;amp;&lt;\/b&gt;/g)).toHaveLength(4);
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' com.example.app:;");
  });

  it('denied, tells the client so, remembers nothing and ends the request', async () => {
    const { browser, person, state, fields } = await asked();
    await expectNothingStored(world, browser, async () => {
      const denied = await answer(browser, { ...fields, decision: 'deny' });
      expect(denied.status).toBe(303);
      expect(Object.fromEntries(toldClient(denied))).toEqual({
        error: 'access_denied',
        error_description: expect.any(String) as string,
        state,
        iss: world.service.url,
      });
      expectErrorPage(await answer(browser, { ...fields, decision: 'allow' }), 400);
    });
    await asked({}, { browser, person });
  });

  it('allowed, gives a code with a 303 and is remembered: not asked again, save for more or on demand', async () => {
    const narrow = { scope: 'openid profile' };
    const { browser, person, state, fields } = await asked(narrow);
    const allowed = await answer(browser, { ...fields, decision: 'allow' });
    expect(allowed.status).toBe(303);
    expect(allowed.headers.get('referrer-policy')).toBe('no-referrer');
    expect(allowed.headers.get('cache-control')).toBe('no-store');
    expect(toldClient(allowed).get('state')).toBe(state);
    for (const scope of ['openid profile', 'openid']) {
      const { url } = authorizationUrl(world, { client_id: 'asker', scope, login_hint: person });
      expect(toldClient(await open(browser, url)).get('code')).not.toBeNull();
    }
    await asked({ ...narrow, prompt: 'consent' }, { browser, person });
    const more = await asked({ scope: 'openid email' }, { browser, person });
    expect(toldClient(await answer(browser, { ...more.fields, decision: 'allow' })).get('code')).not.toBeNull();
    const { url } = authorizationUrl(world, { client_id: 'asker', scope: 'openid profile email', login_hint: person });
    expect(toldClient(await open(browser, url)).get('code')).not.toBeNull();
  });

  it('of one user is not that of another in the same browser', async () => {
    const first = await asked();
    await answer(first.browser, { ...first.fields, decision: 'allow' });
    await login(world, first.browser, { login: 'somebody-else' });
    const second = await asked({ login_hint: 'somebody-else' }, { browser: first.browser, person: 'somebody-else' });
    expect(second.page.text()).toContain('Somebody-else');
  });

  it('given twice at once gives one code', async () => {
    const { browser, fields } = await asked();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => answer(browser, { ...fields, decision: 'allow' })),
    );
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(9);
  });

  describe('is refused and stores nothing', () => {
    const allow = { decision: 'allow' };

    it.each([
      ['no CSRF token', (fields: Record<string, string>) => ({ id: fields['id'] ?? '' })],
      ['an empty CSRF token', (fields: Record<string, string>) => ({ ...fields, csrf_token: '' })],
      ['a wrong CSRF token', (fields: Record<string, string>) => ({ ...fields, csrf_token: 'x'.repeat(43) })],
    ])('with %s', async (_, change) => {
      const { browser, fields } = await asked();
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await answer(browser, { ...change(fields), ...allow }), 403);
      });
      // The person can still answer.
      expect(toldClient(await answer(browser, { ...fields, ...allow })).get('code')).not.toBeNull();
    });

    it('with the CSRF token of another request, or of the same browser before it signed in again', async () => {
      const first = await asked();
      const second = await asked({}, first);
      await expectNothingStored(world, first.browser, async () => {
        const mixed = { ...first.fields, csrf_token: second.fields['csrf_token'] ?? '' };
        expectErrorPage(await answer(first.browser, { ...mixed, ...allow }), 403);
      });
      await login(world, first.browser, { login: 'the-next-user' });
      await expectNothingStored(world, first.browser, async () => {
        expectErrorPage(await answer(first.browser, { ...first.fields, ...allow }), 403);
      });
    });

    it("with another browser's form: an attacker cannot have a victim consent to the attacker's request", async () => {
      const attacker = await asked();
      const victim = await asked();
      await expectNothingStored(world, victim.browser, async () => {
        expectErrorPage(await answer(victim.browser, { ...attacker.fields, ...allow }), 403);
        const own = { ...victim.fields, id: attacker.fields['id'] ?? '' };
        expectErrorPage(await answer(victim.browser, { ...own, ...allow }), 403);
        expectErrorPage(await answer(world.browser(), { ...attacker.fields, ...allow }), 403);
      });
    });

    it('with a stolen session but without the browser that brought the request', async () => {
      const victim = await asked();
      const thief = world.browser();
      const session = victim.browser.cookies(world.service.url).find(({ name }) => name.includes('-session-'));
      thief.setCookie(world.service.url, `${session?.name}=${session?.value}; Path=/`);
      await expectNothingStored(world, thief, async () => {
        expectErrorPage(await answer(thief, { ...victim.fields, ...allow }), 403);
        await thief.request(`${world.service.url}/login`);
        expectErrorPage(await answer(thief, { ...victim.fields, ...allow }), 400);
      });
    });

    it('without a decision, with another one, and repeated ones', async () => {
      const { browser, fields } = await asked();
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await answer(browser, fields), 400);
        expectErrorPage(await answer(browser, { ...fields, decision: 'perhaps' }), 400);
        const pairs: [string, string][] = [...Object.entries(fields), ['decision', 'deny'], ['decision', 'allow']];
        const repeated = await browser.post(`${world.service.url}/auth/consent`, pairs, { redirect: 'manual' });
        expectErrorPage(repeated, 400);
      });
    });

    it('as JSON, and as a GET', async () => {
      const { browser, fields } = await asked();
      await expectNothingStored(world, browser, async () => {
        const json = await browser.request(`${world.service.url}/auth/consent`, { json: { ...fields, ...allow } });
        expectErrorPage(json);
        const query = new URLSearchParams({ ...fields, ...allow }).toString();
        expectErrorPage(await browser.request(`${world.service.url}/auth/consent?${query}`), 405);
      });
    });

    it('once the session has ended, the request has expired, or the client or the user is no longer welcome', async () => {
      const ended = await asked();
      await world.database.query('UPDATE sessions SET ended_at = 1 WHERE ended_at IS NULL');
      const expired = await asked();
      await world.database.query('UPDATE authorization_requests SET expires_at = 1 WHERE consumed_at IS NULL');
      const blocked = await asked();
      const userOf = 'SELECT user_id FROM linked_accounts WHERE subject = ?';
      await world.database.query(`UPDATE users SET blocked_at = 1 WHERE id = (${userOf})`, [blocked.person]);
      const retired = await asked({ client_id: 'marked-up' });
      await world.database.query("UPDATE clients SET disabled_at = 1 WHERE client_id = 'marked-up'");
      for (const [{ browser, fields }, status] of [
        [ended, 403],
        [expired, 400],
        [blocked, 403],
        [retired, 400],
      ] as const) {
        await expectNothingStored(world, browser, async () => {
          expectErrorPage(await answer(browser, { ...fields, ...allow }), status);
        });
      }
    });
  });

  it('never puts the session into an address', async () => {
    const { browser, fields } = await asked();
    await answer(browser, { ...fields, decision: 'allow' });
    const session = sessionCookie(browser, world) ?? '';
    expect(session).toHaveLength(43);
    expect(browser.visited.join('\n')).not.toContain(session);
    expect(await count(world, 'consents')).toBeGreaterThan(0);
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
