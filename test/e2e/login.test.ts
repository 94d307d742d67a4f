import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import {
  altered,
  bringBackCallback,
  count,
  expectErrorPage,
  expectNothingStored,
  expectPageHeaders,
  login,
  sessionCookie,
} from '../support/journeys.js';
import { createWorld, PROVIDER, type World } from '../support/world.js';

describe.each(databases)('signing in on $name', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind);
  });
  afterAll(async () => {
    await world.stop();
  });

  /** Whose upstream token an access token of ours opens, asked at the provider. */
  async function upstreamSubject(token: string): Promise<unknown> {
    const pace = await world.pace(token);
    expect(pace.status).toBe(200);
    const { access_token: upstreamToken } = pace.json<{ access_token: string }>();
    const userinfo = await world.browser().request(`${world.upstream.issuer}/me`, {
      headers: { authorization: `Bearer ${upstreamToken}` },
    });
    return userinfo.json()['sub'];
  }

  it('never mixes people who sign in at the same moment in browsers of their own', async () => {
    const people = Array.from({ length: 24 }, (_, index) => `person-${index}`);
    const signedIn = await Promise.all(
      people.map(async (person) => {
        const answer = await world.signIn({ login: person, browser: world.browser() });
        return { person, answer, subject: await upstreamSubject(answer.access_token) };
      }),
    );
    for (const { person, answer, subject } of signedIn) {
      expect(subject).toBe(person);
      const { sub, email } = decodeJwt(answer.id_token ?? '');
      expect(email).toBe(`${person}@example.com`);
      const [row] = await world.database.query('SELECT user_id FROM linked_accounts WHERE subject = ?', [person]);
      expect(row?.['user_id']).toBe(sub);
    }
    expect(new Set(signedIn.map(({ answer }) => decodeJwt(answer.access_token).sub)).size).toBe(people.length);
    expect(new Set(signedIn.map(({ answer }) => decodeJwt(answer.access_token)['sid'])).size).toBe(people.length);
  });

  it('gives two people their own account though their callbacks arrive in the same instant, again and again', async () => {
    for (let round = 0; round < 5; round += 1) {
      const pair = await Promise.all(
        ['alice', 'bob'].map(async (person) => {
          const browser = world.browser();
          return { person, browser, callback: await bringBackCallback(world, browser, { login: person }) };
        }),
      );
      await Promise.all(pair.map(({ browser, callback }) => browser.request(callback)));
      for (const { person, browser } of pair) {
        const page = await browser.get(`${world.service.url}/login`);
        expect(page.text()).toContain(person === 'alice' ? 'Alice Archer' : 'Bob Baker');
        expect(page.text()).not.toContain(person === 'alice' ? 'Bob Baker' : 'Alice Archer');
      }
    }
  });

  it('finishes the sign-ins of parallel tabs of one browser', async () => {
    const browser = world.browser();
    const tabs: URL[] = [];
    for (let tab = 1; tab <= 3; tab += 1) {
      tabs.push(await bringBackCallback(world, browser));
      // The provider of the tests lets a newer sign-in of its own session spoil the code of the one before.
      for (const { name } of browser.cookies(world.upstream.issuer)) {
        browser.setCookie(world.upstream.issuer, `${name}=; Path=/; Max-Age=0`);
      }
    }
    const answers = await Promise.all(tabs.map((tab) => browser.request(tab)));
    expect(answers.map(({ status }) => status)).toEqual([303, 303, 303]);
    expect((await browser.get(`${world.service.url}/login`)).text()).toContain('Alice Archer');
  });

  it('binds the browser on the page of choices, so that tabs opened from it at once all come back', async () => {
    const browser = world.browser();
    await browser.get(`${world.service.url}/login`);
    const started = await Promise.all(
      Array.from({ length: 4 }, () => browser.request(`${world.service.url}/login/${PROVIDER}`)),
    );
    const bindings = started.map(({ headers }) => headers.getSetCookie().map((cookie) => cookie.split(';')[0]));
    expect(new Set(bindings.flat()).size).toBe(1);
  });

  it('creates one user when a new account signs in for the first time in several browsers at once', async () => {
    const before = await count(world, 'users');
    const callbacks = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const browser = world.browser();
        return { browser, callback: await bringBackCallback(world, browser, { login: 'newcomer' }) };
      }),
    );
    const answers = await Promise.all(callbacks.map(({ browser, callback }) => browser.request(callback)));
    expect(answers.map(({ status }) => status)).toEqual(callbacks.map(() => 303));
    expect(await count(world, 'users')).toBe(before + 1);
    expect(await count(world, 'linked_accounts', "WHERE subject = 'newcomer'")).toBe(1);
    const sessions = `sessions WHERE user_id = (SELECT user_id FROM linked_accounts WHERE subject = 'newcomer')`;
    expect(await count(world, sessions)).toBe(8);
  });

  it('changes the session at sign-in and ends the one that was there', async () => {
    const browser = world.browser();
    await login(world, browser);
    const first = sessionCookie(browser, world);
    const thief = world.browser();
    for (const { name, value } of browser.cookies(world.service.url)) {
      thief.setCookie(world.service.url, `${name}=${value}; Path=/`);
    }
    expect((await thief.get(`${world.service.url}/login`)).text()).toContain('You are signed in');
    await login(world, browser);
    expect(sessionCookie(browser, world)).not.toBe(first);
    expect((await thief.get(`${world.service.url}/login`)).text()).not.toContain('You are signed in');
    expect((await browser.get(`${world.service.url}/login`)).text()).toContain('You are signed in');
  });

  it('ignores a session cookie that was planted before the sign-in', async () => {
    const planted = 'A'.repeat(43);
    const browser = world.browser();
    await login(world, browser);
    const { name } = browser.cookies(world.service.url).find((cookie) => cookie.name.includes('session'))!;
    browser.setCookie(world.service.url, `${name}=${planted}; Path=/`);
    await login(world, browser);
    expect(sessionCookie(browser, world)).not.toBe(planted);
  });

  describe('a callback', () => {
    it('is refused when it is replayed', async () => {
      const browser = world.browser();
      const callback = await bringBackCallback(world, browser);
      expect((await browser.request(callback)).status).toBe(303);
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await browser.request(callback), 400);
      });
      expect(world.upstream.serverErrors).toEqual([]);
    });

    it('is taken once when it arrives twenty times at once', async () => {
      const browser = world.browser();
      const callback = await bringBackCallback(world, browser, { login: 'dave' });
      const redeemed = world.upstream.counts.authorizationCode.attempted;
      const answers = await Promise.all(Array.from({ length: 20 }, () => browser.request(callback)));
      expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 400)).toHaveLength(19);
      expect(world.upstream.counts.authorizationCode.attempted).toBe(redeemed + 1);
    });

    const forgeries: [string, (genuine: URL) => URL | string][] = [
      ['an unknown state', (genuine) => altered(genuine, { state: 'x'.repeat(43) })],
      ['no state', (genuine) => altered(genuine, { state: null })],
      ['an empty state', (genuine) => altered(genuine, { state: '' })],
      ['the state twice', (genuine) => `${genuine.href}&state=${genuine.searchParams.get('state')}`],
      ['the code twice', (genuine) => `${genuine.href}&code=other`],
      ['no iss, which the provider promises', (genuine) => altered(genuine, { iss: null })],
      ['another iss (mix-up)', (genuine) => altered(genuine, { iss: 'https://evil.example' })],
      ['iss with a slash more', (genuine) => altered(genuine, { iss: `${genuine.searchParams.get('iss')}/` })],
      ['iss twice', (genuine) => `${genuine.href}&iss=https://evil.example`],
      ['no code', (genuine) => altered(genuine, { code: null })],
      ['a code of nobody', (genuine) => altered(genuine, { code: 'forged-code' })],
      ['an error beside a code', (genuine) => altered(genuine, { error: 'server_error' })],
      ['the path of another provider', (genuine) => genuine.href.replace(`/login/${PROVIDER}/`, '/login/online-only/')],
      ['the path of an unknown provider', (genuine) => genuine.href.replace(`/login/${PROVIDER}/`, '/login/nobody/')],
      ['a NUL in the provider', (genuine) => genuine.href.replace(`/login/${PROVIDER}/`, '/login/%00/')],
    ];
    it.each(forgeries)('with %s is refused and stores nothing', async (_, forge) => {
      const browser = world.browser();
      const genuine = await bringBackCallback(world, browser);
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await browser.request(forge(genuine)));
      });
    });

    it('with a slash behind is the same callback, checks included', async () => {
      const browser = world.browser();
      const genuine = await bringBackCallback(world, browser);
      const other = new URL(genuine.href.replace('/callback', '/callback/'));
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await browser.request(altered(other, { iss: 'https://evil.example' })), 400);
        expectErrorPage(await browser.request(other), 400);
      });
    });

    it.each(['/CALLBACK', '/Callback'])('spelled %s is no callback', async (spelling) => {
      const browser = world.browser();
      const genuine = await bringBackCallback(world, browser);
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await browser.request(genuine.href.replace('/callback', spelling)), 404);
      });
      expect((await browser.request(genuine)).status).toBe(303);
    });

    it('opened in another browser is refused, and the browser that started can still finish', async () => {
      const browser = world.browser();
      const other = world.browser();
      const callback = await bringBackCallback(world, browser);
      await other.get(`${world.service.url}/login`);
      await expectNothingStored(world, other, async () => {
        expectErrorPage(await other.request(callback), 400);
      });
      expect((await browser.request(callback)).status).toBe(303);
    });

    it('of an attacker, opened by a signed-in victim, signs the victim in as nobody (login CSRF)', async () => {
      const attackers = await bringBackCallback(world, world.browser(), { login: 'mallory' });
      const victim = world.browser();
      await login(world, victim);
      await bringBackCallback(world, victim);
      await expectNothingStored(world, victim, async () => {
        expectErrorPage(await victim.request(attackers), 400);
      });
      expect((await victim.get(`${world.service.url}/login`)).text()).toContain('Alice Archer');
    });

    it("with another person's code beside one's own state is refused (code injection)", async () => {
      const attacker = world.browser();
      const own = await bringBackCallback(world, attacker, { login: 'mallory' });
      const stolen = await bringBackCallback(world, world.browser(), { login: 'alice' });
      await expectNothingStored(world, attacker, async () => {
        expectErrorPage(await attacker.request(altered(own, { code: stolen.searchParams.get('code') })), 403);
      });
    });

    it('that comes too late is refused', async () => {
      const browser = world.browser();
      const callback = await bringBackCallback(world, browser);
      await world.database.query('UPDATE login_attempts SET expires_at = 1 WHERE consumed_at IS NULL');
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await browser.request(callback), 400);
      });
    });
  });

  it('shows what the provider refused, as a page, and spends the attempt', async () => {
    const browser = world.browser();
    const callback = await bringBackCallback(world, browser, { login: 'deny' });
    expect(callback.searchParams.get('error')).toBe('access_denied');
    await expectNothingStored(world, browser, async () => {
      const page = await browser.request(callback);
      expectErrorPage(page, 403);
      expect(page.text()).toContain('declined');
      expectErrorPage(await browser.request(callback), 400);
    });
  });

  it("says the same where the user said no in Apple's words", async () => {
    const browser = world.browser();
    const callback = altered(await bringBackCallback(world, browser), {
      code: null,
      error: 'user_cancelled_authorize',
    });
    const page = await browser.request(callback);
    expectErrorPage(page, 403);
    expect(page.text()).toContain('declined');
  });

  it.each<[string, (callback: URL) => URL, string]>([
    ['a refusal', (callback) => altered(callback, { code: null, error: 'access_denied' }), 'access.forbidden'],
    ['another iss', (callback) => altered(callback, { iss: 'https://evil.example' }), 'request.parameter-invalid'],
    ['a code of nobody', (callback) => altered(callback, { code: 'forged-code' }), 'access.forbidden'],
  ])('records %s in the audit, where the sign-in was started here', async (_, forge, reason) => {
    const browser = world.browser();
    const callback = await bringBackCallback(world, browser);
    await world.database.query('DELETE FROM audit_events');
    const recorded = 'SELECT event, outcome, user_id, identity_provider, reason FROM audit_events';
    expectErrorPage(await world.browser().request(forge(callback)), 400);
    expect(await world.database.query(recorded)).toEqual([]);
    expectErrorPage(await browser.request(forge(callback)));
    const event = { event: 'user.signed-in', outcome: 'failure', user_id: null };
    expect(await world.database.query(recorded)).toEqual([{ ...event, identity_provider: PROVIDER, reason }]);
  });

  it('sends the browser to the provider as every redirect goes: uncached, without where it came from', async () => {
    const { status, headers } = await world.browser().request(`${world.service.url}/login/${PROVIDER}`);
    expect([status, headers.get('cache-control'), headers.get('referrer-policy')]).toEqual([
      303,
      'no-store',
      'no-referrer',
    ]);
  });

  it.each(['error=access_denied&error_description=spoofed', 'error=anything', 'code=x', 'code=x&state=y'])(
    'starts a sign-in at /login/{idp} and believes no answer there: ?%s',
    async (query) => {
      const browser = world.browser();
      const answer = await browser.request(`${world.service.url}/login/${PROVIDER}?${query}`);
      expect(answer.location?.origin).toBe(world.upstream.issuer);
    },
  );

  it('shows who may sign the user in, without telling anything else', async () => {
    const page = await world.browser().get(`${world.service.url}/login?return_to=%2Fconnect%2Fx&login_hint=a`);
    expectPageHeaders(page);
    expect(page.text()).toContain('Continue with MobyPay');
    expectErrorPage(await world.browser().request(`${world.service.url}/login/nobody`), 404);
  });

  it('takes no password unless the operator says so', async () => {
    const browser = world.browser();
    expect((await browser.get(`${world.service.url}/login`)).text()).not.toMatch(/password|<form/);
    const credentials = { username: 'ada', password: 'correct horse battery staple' };
    await expectNothingStored(world, browser, async () => {
      const answer = await browser.post(`${world.service.url}/login`, credentials);
      expectErrorPage(answer, 405);
      expect(answer.headers.get('allow')).toBe('GET, HEAD');
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
