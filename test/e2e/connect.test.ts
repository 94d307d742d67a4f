import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases, type Row } from '../support/databases.js';
import { decodeEntities, form, type Browser, type BrowserResponse } from '../support/http-browser.js';
import { count, expectErrorPage, expectNothingStored, expectPageHeaders, login } from '../support/journeys.js';
import { createWorld, PROVIDER, type World } from '../support/world.js';

interface Person {
  name: string;
  browser: Browser;
  token: string;
  userId: string;
}

const isCallback = (url: URL): boolean => url.pathname.endsWith('/callback');

/** Presses the button on the page, as `as` at the provider, and stops before our callback. */
async function confirm(browser: Browser, page: BrowserResponse, as: string): Promise<BrowserResponse> {
  expect(page.status).toBe(200);
  const { action, fields } = form(page.text(), 'csrf_token');
  // The browser has a session of its own at the provider; the hint says who presses the button there.
  const target = `${new URL(action, page.url).href}?login_hint=${as}`;
  return browser.post(target, fields, { stopBefore: isCallback });
}

/** Follows the link to a provider on the page of choices. */
async function choose(browser: Browser, page: BrowserResponse, provider: string, as: string): Promise<BrowserResponse> {
  const href = new RegExp(`href="([^"]*/login/${provider}\\?[^"]*)"`).exec(page.text())?.[1] ?? '';
  return browser.get(`${new URL(decodeEntities(href), page.url).href}&login_hint=${as}`);
}

async function link(browser: Browser, url: string, as: string): Promise<BrowserResponse> {
  const { location } = await confirm(browser, await browser.get(url), as);
  return browser.request(location ?? '');
}

/** The scope that the provider is asked for. */
const asked = (answer: BrowserResponse): string[] =>
  answer.location?.searchParams.get('scope')?.split(' ').toSorted() ?? [];

describe.each(databases)('connecting an account on $name', (kind) => {
  let world: World;
  let people = 0;
  beforeAll(async () => {
    world = await createWorld(kind);
  });
  afterAll(async () => {
    await world.stop();
  });

  async function person(): Promise<Person> {
    people += 1;
    const name = `person-${people}`;
    const browser = world.browser();
    const { access_token: token } = await world.signIn({ login: name, browser });
    const [row] = await world.database.query('SELECT user_id FROM linked_accounts WHERE subject = ?', [name]);
    return { name, browser, token, userId: String(row?.['user_id']) };
  }

  const unlink = ({ userId }: Person, provider = PROVIDER): Promise<unknown> =>
    world.database.query('UPDATE linked_accounts SET unlinked_at = 1 WHERE user_id = ? AND identity_provider = ?', [
      userId,
      provider,
    ]);

  /** What PACE answers to a client whose user has nothing linked. */
  async function connectUrl({ token }: Person, provider = PROVIDER): Promise<string> {
    const answer = await world.pace(token, provider);
    expect(answer.status).toBe(401);
    const { errors } = answer.json<{ errors: { code: string; meta: { connect_url: string } }[] }>();
    expect(errors[0]?.code).toBe('missing-linked-identity');
    const url = errors[0]?.meta.connect_url ?? '';
    expect(url).toMatch(new RegExp(`^${world.service.url}/connect/${provider}\\?ticket=[\\w-]{43}$`));
    return url;
  }

  const rowsOf = ({ userId }: Person): Promise<number> =>
    count(world, 'linked_accounts', 'WHERE user_id = ? AND unlinked_at IS NULL', [userId]);

  const path = (query = '', provider = 'online-only'): string => `${world.service.url}/connect/${provider}${query}`;
  const accountAt = async ({ userId }: Person, provider: string): Promise<Row | undefined> => {
    const [row] = await world.database.query(
      'SELECT * FROM linked_accounts WHERE user_id = ? AND identity_provider = ? AND unlinked_at IS NULL',
      [userId, provider],
    );
    return row;
  };

  it('shows whose account will be connected where, leads to the provider, and then PACE hands out its token', async () => {
    const anna = await person();
    await unlink(anna);
    const page = await anna.browser.get(await connectUrl(anna));
    expectPageHeaders(page);
    expect(page.headers.get('content-security-policy')).toContain(
      `form-action 'self' https: ${world.upstream.issuer};`,
    );
    expect(page.text()).toContain('Connect MobyPay');
    expect(page.text()).toContain(`<strong>${anna.name.replace('p', 'P')}</strong>`);
    const atProvider = await confirm(anna.browser, page, anna.name);
    const connected = await anna.browser.request(atProvider.location ?? '');
    expect(connected.status).toBe(303);
    expect(connected.location?.pathname).toBe('/login');
    const token = await world.pace(anna.token);
    expect(token.status).toBe(200);
    const userinfo = await world.browser().request(`${world.upstream.issuer}/me`, {
      headers: { authorization: `Bearer ${token.json<{ access_token: string }>().access_token}` },
    });
    expect(userinfo.json()['sub']).toBe(anna.name);
  });

  it('works with another account than before: what was connected last is what is handed out', async () => {
    for (const broken of ['unlinked_at = 1', "status = 'reauthentication-required'", "status = 'sign-in-only'"]) {
      const anna = await person();
      await world.database.query(`UPDATE linked_accounts SET ${broken} WHERE user_id = ?`, [anna.userId]);
      await link(anna.browser, await connectUrl(anna), `${anna.name}-again`);
      const token = await world.pace(anna.token);
      expect([broken, token.status]).toEqual([broken, 200]);
      const userinfo = await world.browser().request(`${world.upstream.issuer}/me`, {
        headers: { authorization: `Bearer ${token.json<{ access_token: string }>().access_token}` },
      });
      expect(userinfo.json()['sub']).toBe(`${anna.name}-again`);
    }
  });

  it('does not change who is signed in', async () => {
    const anna = await person();
    const sessions = await count(world, 'sessions');
    await link(anna.browser, await connectUrl(anna, 'online-only'), `${anna.name}-other`);
    expect(await count(world, 'sessions')).toBe(sessions);
    expect(await rowsOf(anna)).toBe(2);
  });

  it('is refused to another signed-in user; the ticket stays good for the one it names', async () => {
    const [anna, eve] = [await person(), await person()];
    await unlink(anna);
    const url = await connectUrl(anna);
    await expectNothingStored(world, eve.browser, async () => {
      const page = await eve.browser.get(url);
      expectErrorPage(page, 403);
      expect(page.text()).not.toContain(anna.name);
      const { csrf_token: csrf } = form((await eve.browser.get(await connectUrl(eve, 'online-only'))).text()).fields;
      const ticket = new URL(url).searchParams.get('ticket') ?? '';
      const forged = await eve.browser.post(`${world.service.url}/connect/${PROVIDER}`, {
        ticket,
        csrf_token: csrf ?? '',
      });
      expectErrorPage(forged, 400);
    });
    expect((await link(anna.browser, url, anna.name)).status).toBe(303);
    expect((await world.pace(anna.token)).status).toBe(200);
  });

  describe('opened by somebody who is not signed in', () => {
    it('leads back to it after signing in, as that user by another account', async () => {
      const anna = await person();
      await link(anna.browser, await connectUrl(anna, 'online-only'), anna.name);
      await unlink(anna);
      const url = await connectUrl(anna);
      const browser = world.browser();
      const choices = await browser.get(url);
      expect(choices.text()).toContain('Continue with online-only');
      const back = await choose(browser, choices, 'online-only', anna.name);
      expect(back.url).toBe(url);
      const { location } = await confirm(browser, back, anna.name);
      expect((await browser.request(location ?? '')).status).toBe(303);
      expect((await world.pace(anna.token)).status).toBe(200);
    });

    it('never makes a new user on the way', async () => {
      const anna = await person();
      await unlink(anna);
      const browser = world.browser();
      const { pathname, search } = new URL(await connectUrl(anna));
      await expectNothingStored(world, browser, async () => {
        const query = new URLSearchParams({ return_to: pathname + search, login_hint: 'nobody-yet' }).toString();
        expectErrorPage(await browser.get(`${world.service.url}/login/${PROVIDER}?${query}`), 403);
      });
      expect(await count(world, 'linked_accounts', "WHERE subject = 'nobody-yet'")).toBe(0);
    });

    it('is refused to somebody else who signs in', async () => {
      const [anna, eve] = [await person(), await person()];
      await unlink(anna);
      const browser = world.browser();
      const choices = await browser.get(await connectUrl(anna));
      expectErrorPage(await choose(browser, choices, PROVIDER, eve.name), 403);
      expect(await rowsOf(anna)).toBe(0);
    });
  });

  describe('a ticket', () => {
    it('is good once, though the form is sent ten times at once', async () => {
      const anna = await person();
      await unlink(anna);
      const url = await connectUrl(anna);
      const page = await anna.browser.get(url);
      const { action, fields } = form(page.text(), 'ticket');
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => anna.browser.post(new URL(action, page.url), fields, { redirect: 'manual' })),
      );
      expect(answers.filter(({ location }) => location?.origin === world.upstream.issuer)).toHaveLength(1);
      for (const refused of answers.filter(({ location }) => location === undefined)) expectErrorPage(refused, 400);
      expectErrorPage(await anna.browser.get(url), 400);
    });

    it('expires, before the page as well as behind it', async () => {
      const anna = await person();
      await unlink(anna);
      const url = await connectUrl(anna);
      const page = await anna.browser.get(url);
      await world.database.query('UPDATE connect_tickets SET expires_at = 1');
      await expectNothingStored(world, anna.browser, async () => {
        expectErrorPage(await anna.browser.get(url), 400);
        expectErrorPage(await anna.browser.submit(page), 400);
      });
    });

    it('is for one provider', async () => {
      const anna = await person();
      await unlink(anna);
      const url = await connectUrl(anna);
      const page = await anna.browser.get(url);
      await expectNothingStored(world, anna.browser, async () => {
        expectErrorPage(await anna.browser.get(url.replace(`/${PROVIDER}`, '/online-only')), 400);
        const { fields } = form(page.text());
        expectErrorPage(await anna.browser.post(`${world.service.url}/connect/online-only`, fields), 400);
        expectErrorPage(await anna.browser.get(url.replace(`/${PROVIDER}`, '/nobody')), 404);
      });
    });

    it('that is none opens nothing', async () => {
      const anna = await person();
      for (const query of [`?ticket=${'x'.repeat(43)}`, '?ticket=a&ticket=b', '?ticket=%00']) {
        expectErrorPage(await anna.browser.get(`${world.service.url}/connect/${PROVIDER}${query}`), 400);
      }
    });

    it('is not accepted without the CSRF token of this session', async () => {
      const anna = await person();
      await unlink(anna);
      const page = await anna.browser.get(await connectUrl(anna));
      const eve = await person();
      const eves = form((await eve.browser.get(await connectUrl(eve, 'online-only'))).text()).fields;
      for (const csrf of ['', 'x'.repeat(43), eves['csrf_token'] ?? '']) {
        expectErrorPage(await anna.browser.submit(page, { csrf_token: csrf }), 403);
      }
      expectErrorPage(await world.browser().submit(page), 403);
    });
  });

  it('is refused when the account is held by another user, and changes neither of them', async () => {
    const [anna, owner] = [await person(), await person()];
    await unlink(anna);
    const { location } = await confirm(anna.browser, await anna.browser.get(await connectUrl(anna)), owner.name);
    await expectNothingStored(world, anna.browser, async () => {
      expectErrorPage(await anna.browser.request(location ?? ''), 409);
    });
    expect((await world.pace(owner.token)).status).toBe(200);
    expect((await world.pace(anna.token)).status).toBe(401);
  });

  it('is refused when somebody else has signed in meanwhile, in this browser or in the one that brings it back', async () => {
    const [anna, eve] = [await person(), await person()];
    await unlink(anna);
    const { location } = await confirm(anna.browser, await anna.browser.get(await connectUrl(anna)), anna.name);
    await expectNothingStored(world, eve.browser, async () => {
      expectErrorPage(await eve.browser.request(location ?? ''), 400);
    });
    await login(world, anna.browser, { login: eve.name });
    await expectNothingStored(world, anna.browser, async () => {
      expectErrorPage(await anna.browser.request(location ?? ''), 403);
    });
    expect(await rowsOf(anna)).toBe(0);
  });

  it('is refused to a blocked user whose session is still open', async () => {
    const anna = await person();
    await unlink(anna);
    const url = await connectUrl(anna);
    const page = await anna.browser.get(url);
    const { location } = await confirm(anna.browser, page, anna.name);
    await world.database.query('UPDATE users SET blocked_at = 1 WHERE id = ?', [anna.userId]);
    await expectNothingStored(world, anna.browser, async () => {
      expectErrorPage(await anna.browser.request(location ?? ''), 403);
    });
  });

  it('that the provider refuses connects nothing', async () => {
    const anna = await person();
    await unlink(anna);
    const { location } = await confirm(anna.browser, await anna.browser.get(await connectUrl(anna)), 'deny');
    await world.database.query('DELETE FROM audit_events');
    await expectNothingStored(world, anna.browser, async () => {
      expectErrorPage(await anna.browser.request(location ?? ''), 403);
    });
    expect(await world.database.query('SELECT event, outcome, reason FROM audit_events')).toEqual([
      { event: 'identity.linked', outcome: 'failure', reason: 'access.forbidden' },
    ]);
  });

  it('is a page that says so while the provider is off the network, and the link stays good', async () => {
    const anna = await person();
    await unlink(anna);
    const url = await connectUrl(anna);
    // A fresh process has not read the provider's metadata yet.
    await world.restart();
    await world.upstream.disconnect();
    try {
      const page = await anna.browser.get(url);
      expect(page.status).toBe(503);
      expect(page.headers.get('content-type')).toContain('text/html');
    } finally {
      await world.upstream.reconnect();
    }
    expect((await anna.browser.get(url)).status).toBe(200);
  });

  it('is a page that says so when the button is pressed while the provider is off the network, and the link stays good', async () => {
    const anna = await person();
    await unlink(anna);
    const url = await connectUrl(anna);
    const page = await anna.browser.get(url);
    await world.restart();
    await world.upstream.disconnect();
    try {
      expect((await anna.browser.submit(page)).status).toBe(503);
    } finally {
      await world.upstream.reconnect();
    }
    const { location } = await confirm(anna.browser, page, anna.name);
    expect((await anna.browser.request(location ?? '')).status).toBe(303);
    expect((await world.pace(anna.token)).status).toBe(200);
  });

  describe('without a ticket', () => {
    it.each(['', '?ticket='])('connects an account to whoever is signed in, who sees to whom: "%s"', async (query) => {
      const anna = await person();
      const page = await anna.browser.get(path(query));
      expectPageHeaders(page);
      expect(page.text()).toContain('Connect online-only');
      expect(page.text()).toContain(`<strong>${anna.name.replace('p', 'P')}</strong>`);
      const { location } = await confirm(anna.browser, page, `${anna.name}-elsewhere`);
      expect((await anna.browser.request(location ?? '')).location?.pathname).toBe('/login');
      expect((await accountAt(anna, 'online-only'))?.['subject']).toBe(`${anna.name}-elsewhere`);
    });

    it('asks somebody who is not signed in to sign in first, and comes back', async () => {
      const anna = await person();
      const browser = world.browser();
      const choices = await browser.get(path('?scope=groups'));
      expect(choices.url).toContain('/login?return_to=');
      const back = await choose(browser, choices, PROVIDER, anna.name);
      expect(back.url).toBe(path('?scope=groups'));
      const { location } = await confirm(browser, back, `${anna.name}-elsewhere`);
      expect((await browser.request(location ?? '')).status).toBe(303);
      expect(await rowsOf(anna)).toBe(2);
    });

    it('makes nobody a user on the way', async () => {
      const browser = world.browser();
      const choices = await browser.get(path());
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await choose(browser, choices, 'online-only', 'nobody-on-the-way'), 403);
      });
    });

    it.each(['', 'x'.repeat(43)])('starts nothing without the CSRF token of the session: "%s"', async (csrf) => {
      const anna = await person();
      const attempts = await count(world, 'login_attempts');
      await expectNothingStored(world, anna.browser, async () => {
        expectErrorPage(await anna.browser.post(path(), { csrf_token: csrf }), 403);
        expectErrorPage(await anna.browser.request(path(), { method: 'POST' }), 403);
      });
      expect(await count(world, 'login_attempts')).toBe(attempts);
    });

    it('links nothing to an attacker whose link a victim opens, whatever the victim presses', async () => {
      const [attacker, victim] = [await person(), await person()];
      await unlink(attacker);
      const before = await rowsOf(attacker);
      const ticketed = await connectUrl(attacker);
      await expectNothingStored(world, victim.browser, async () => {
        expectErrorPage(await victim.browser.get(ticketed), 403);
        // The attacker has pressed the button already, and sends what the provider would answer to them.
        const { location } = await confirm(attacker.browser, await attacker.browser.get(ticketed), victim.name);
        expectErrorPage(await victim.browser.request(location ?? ''), 400);
        // The attacker's form, sent from the victim's browser.
        const stolen = form((await attacker.browser.get(path())).text(), 'csrf_token');
        expectErrorPage(await victim.browser.post(path(), stolen.fields), 403);
      });
      // A link without a ticket is the victim's own, and says so.
      const page = await victim.browser.get(path());
      expect(page.text()).not.toContain(attacker.name);
      expect(page.text()).toContain(`<strong>${victim.name.replace('p', 'P')}</strong>`);
      expect(await rowsOf(attacker)).toBe(before);
    });

    it('leads back to a place of ours, and to no other', async () => {
      const anna = await person();
      for (const [returnTo, place] of [
        ['/login?after=connecting', '/login?after=connecting'],
        ['https://evil.example/', '/login'],
        ['//evil.example/', '/login'],
      ]) {
        const page = await anna.browser.get(path(`?${new URLSearchParams({ return_to: returnTo ?? '' }).toString()}`));
        const { location } = await confirm(anna.browser, page, anna.name);
        const done = await anna.browser.request(location ?? '');
        expect(done.location?.href).toBe(world.service.url + place);
      }
    });

    describe('asking for further permissions', () => {
      const USUAL = ['email', 'offline_access', 'openid', 'profile'];

      it('shows what is new, asks for it beside all that was granted, and keeps what was granted', async () => {
        const anna = await person();
        await world.database.query('UPDATE linked_accounts SET scope = ? WHERE user_id = ?', [
          'openid profile email old:grant',
          anna.userId,
        ]);
        const page = await anna.browser.get(path('?scope=groups%20profile', PROVIDER));
        expect(page.text()).toContain('<li><code>groups</code></li>');
        expect(page.text()).not.toContain('<code>profile</code>');
        const { action, fields } = form(page.text(), 'csrf_token');
        const sent = await anna.browser.post(new URL(action, page.url), fields, { redirect: 'manual' });
        expect(asked(sent)).toEqual([...USUAL, 'groups', 'old:grant'].toSorted());
        world.upstream.alterNext(1, (body) => ({ ...body, scope: undefined }));
        await anna.browser.request((await confirm(anna.browser, page, anna.name)).location ?? '');
        const token = await world.pace(anna.token);
        expect(token.json<{ scope: string }>().scope.split(' ').toSorted()).toEqual(
          [...USUAL, 'groups', 'old:grant'].toSorted(),
        );
        expect(await rowsOf(anna)).toBe(1);
      });

      it('believes the provider where it says that it granted less', async () => {
        const anna = await person();
        const page = await anna.browser.get(path('?scope=groups', PROVIDER));
        world.upstream.alterNext(1, (body) => ({ ...body, scope: 'openid profile' }));
        await anna.browser.request((await confirm(anna.browser, page, anna.name)).location ?? '');
        expect((await world.pace(anna.token)).json()['scope']).toBe('openid profile');
      });

      it('works with a ticket, too, and asks again for what was granted even where nothing new is wanted', async () => {
        const anna = await person();
        await world.database.query(
          "UPDATE linked_accounts SET scope = 'openid groups', status = 'reauthentication-required' WHERE user_id = ?",
          [anna.userId],
        );
        const page = await anna.browser.get(`${await connectUrl(anna)}&scope=groups`);
        expect(page.text()).not.toContain('permissions');
        const { action, fields } = form(page.text(), 'csrf_token');
        const sent = await anna.browser.post(new URL(action, page.url), fields, { redirect: 'manual' });
        expect(asked(sent)).toEqual([...USUAL, 'groups'].toSorted());
      });

      it.each([
        ['a control character', 'a%01b'],
        ['a quotation mark', 'a%22b'],
        ['a letter beyond ASCII', 'gr%C3%BCn'],
        ['more than a KiB', 'x'.repeat(1025)],
      ])('is refused with %s, on the page and in the form', async (_, scope) => {
        const anna = await person();
        expectErrorPage(await anna.browser.get(path(`?scope=${scope}`)), 400);
        const { fields } = form((await anna.browser.get(path())).text(), 'csrf_token');
        await expectNothingStored(world, anna.browser, async () => {
          expectErrorPage(await anna.browser.post(path(), { ...fields, scope: decodeURIComponent(scope) }), 400);
        });
      });

      it('shows a permission as text, whatever its name', async () => {
        const anna = await person();
        const page = await anna.browser.get(path('?scope=%3Cb%3E'));
        expect(page.text()).toContain('<code>&lt;b&gt;</code>');
      });
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
