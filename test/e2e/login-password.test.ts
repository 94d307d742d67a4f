import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import { decodeEntities, form, type Browser, type BrowserResponse } from '../support/http-browser.js';
import {
  authorizationUrl,
  count,
  expectErrorPage,
  expectNothingStored,
  expectPageHeaders,
  open,
  sessionCookie,
  toldClient,
} from '../support/journeys.js';
import { CLIENTS, createWorld, PROVIDER, tokenRequest, type TokenAnswer, type World } from '../support/world.js';

const ADA = { username: 'ada', password: 'correct horse battery staple' };
/** Has a password, and Basic authentication is off for it. */
const OTHER = { username: 'no-basic', password: 'another fine passphrase' };

function send(browser: Browser, shown: BrowserResponse, fields: Record<string, string>): Promise<BrowserResponse> {
  return browser.submit(shown, fields, { having: 'password', redirect: 'manual' });
}

const failures = (world: World): Promise<number> => count(world, 'audit_events', "WHERE outcome = 'failure'");

/** The page without what is new each time. */
function textOf(answer?: BrowserResponse): string {
  return answer?.text().replace(/(name="csrf_token"\s+value=)"[^"]*"/, '$1') ?? '';
}

describe.each(databases)('signing in with a password on $name', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind, { env: { PASSWORD_SIGN_IN: 'on' } });
  });
  afterAll(async () => {
    await world.stop();
  });

  const page = (browser: Browser, query = ''): Promise<BrowserResponse> =>
    browser.get(`${world.service.url}/login${query}`);
  const signIn = async (browser: Browser, fields: Record<string, string> = ADA, query = ''): Promise<BrowserResponse> =>
    send(browser, await page(browser, query), fields);
  const userId = async (username: string): Promise<string> => {
    const [row] = await world.database.query('SELECT id FROM users WHERE username = ?', [username]);
    return String(row?.['id']);
  };

  it('is a plain form beside the providers, with labels, and hints for password managers', async () => {
    const shown = await page(world.browser(), '?login_hint=ada&return_to=%2Flogin');
    expectPageHeaders(shown);
    expect(shown.text()).toContain('Continue with MobyPay');
    const { action, method, fields } = form(shown.text(), 'password');
    expect([action, method]).toEqual(['/login', 'POST']);
    expect(fields).toEqual({
      username: 'ada',
      password: '',
      return_to: '/login',
      login_hint: 'ada',
      csrf_token: expect.stringMatching(/^[\w-]{43}$/) as string,
    });
    expect(shown.text()).toMatch(/<label\s*>User name\s*<input\s+name="username"[^>]*autocomplete="username"/);
    expect(shown.text()).toMatch(
      /<label\s*>Password\s*<input\s+name="password"[^>]*type="password"[^>]*autocomplete="current-password"/,
    );
    expect(shown.text()).not.toContain('<script');
  });

  it.each([ADA, OTHER])('signs in $username, and leads where the sign-in was to lead', async (credentials) => {
    const browser = world.browser();
    const answer = await signIn(browser, credentials, '?return_to=%2Flogin%3Fback%3D1');
    expect([answer.status, answer.location?.href]).toEqual([200, `${world.service.url}/login?back=1`]);
    // A redirect would be one of the form's, and form-action stops those to where a client is.
    expect(answer.headers.has('location')).toBe(false);
    expect(answer.text()).toContain('<a href="/login?back=1">');
    expectPageHeaders(answer);
    expect((await page(browser)).text()).toContain('You are signed in');
    const [session] = await world.database.query('SELECT * FROM sessions WHERE user_id = ?', [
      await userId(credentials.username),
    ]);
    expect(session).toMatchObject({ identity_provider: null, linked_account_id: null });
    expect(Boolean(session?.['auth_time_proven'])).toBe(true);
    expect(Number(session?.['auth_time'])).toBeLessThanOrEqual(Number(session?.['created_at']));
  });

  it('proves when the user signed in: prompt=login and max_age are answered', async () => {
    const browser = world.browser();
    await signIn(browser);
    const before = Math.floor(Date.now() / 1000) - 1;
    const { url, verifier } = authorizationUrl(world, {
      identity_provider: null,
      login_hint: null,
      prompt: 'login',
      max_age: '5',
    });
    const choices = await open(browser, url);
    const answer = await send(browser, choices, ADA);
    const code = toldClient(await open(browser, answer.location ?? '')).get('code') ?? '';
    const token = await world.request('/token', tokenRequest(CLIENTS.reader, code, verifier));
    const { sub, auth_time: authTime } = decodeJwt(token.json<TokenAnswer>().id_token ?? '');
    expect(sub).toBe(await userId('ada'));
    expect(authTime).toBeGreaterThanOrEqual(before);
  });

  it('gives the browser a new session and ends the one it had', async () => {
    const browser = world.browser();
    await signIn(browser, OTHER);
    const first = sessionCookie(browser, world);
    const live = `WHERE user_id = '${await userId('no-basic')}' AND ended_at IS NULL`;
    const before = await count(world, 'sessions', live);
    await signIn(browser, ADA);
    expect(sessionCookie(browser, world)).not.toBe(first);
    expect(await count(world, 'sessions', live)).toBe(before - 1);
  });

  it.each(['https://evil.example/', '//evil.example', '/\\evil.example', '/.//evil.example'])(
    'never leads to another site: %s',
    async (returnTo) => {
      const answer = await signIn(world.browser(), ADA, `?${new URLSearchParams({ return_to: returnTo }).toString()}`);
      expect(answer.location?.href).toBe(`${world.service.url}/login`);
    },
  );

  it('says the same of a wrong password, an unknown user and a missing field, and stores nothing', async () => {
    const texts = new Set<string>();
    for (const fields of [
      { ...ADA, password: 'not the password' },
      { ...ADA, password: OTHER.password },
      { ...ADA, password: '' },
      { username: 'nobody', password: ADA.password },
      { username: 'ADA', password: ADA.password },
      { username: '', password: ADA.password },
    ]) {
      const browser = world.browser();
      await expectNothingStored(world, browser, async () => {
        const answer = await signIn(browser, fields, '?return_to=%2Flogin');
        expect(answer.status).toBe(401);
        expectPageHeaders(answer);
        expect(answer.headers.get('www-authenticate')).toBe('Cookie realm="symbolon"');
        expect(form(answer.text(), 'password').fields).toMatchObject({
          username: fields.username,
          password: '',
          return_to: '/login',
        });
        texts.add(
          answer
            .text()
            .replace(/(name="username"\s+value=)"[^"]*"/, '$1')
            .replace(/(name="csrf_token"\s+value=)"[^"]*"/, '$1'),
        );
      });
    }
    expect(texts.size).toBe(1);
    // The next test is not to meet the throttle.
    expect((await signIn(world.browser())).status).toBe(200);
  });

  it('lets the person try again on that page, which has lost nothing of what it was asked for', async () => {
    const browser = world.browser();
    const asked = { return_to: '/login?x', login_hint: 'ada', prompt: 'login', max_age: '5' };
    const query = `?${new URLSearchParams(asked).toString()}`;
    const wrong = await signIn(browser, { ...ADA, password: 'a wrong password' }, query);
    expect(form(wrong.text(), 'password').fields).toMatchObject(asked);
    expect(decodeEntities(wrong.text())).toContain(`href="/login/${PROVIDER}${query}"`);
    expect((await send(browser, wrong, ADA)).location?.href).toBe(`${world.service.url}/login?x`);
  });

  it('shows what was typed as text', async () => {
    const answer = await signIn(world.browser(), { username: '"><script>alert(1)</script>', password: 'wrong-wrong' });
    expect(answer.text()).not.toContain('<script');
  });

  it('is refused without the CSRF token of this browser', async () => {
    const browser = world.browser();
    const shown = await page(browser);
    const others = form((await page(world.browser())).text(), 'password').fields['csrf_token'] ?? '';
    for (const csrf of ['', 'x'.repeat(43), others]) {
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await send(browser, shown, { ...ADA, csrf_token: csrf }), 403);
      });
    }
    // Sent from another site: the form is genuine and no cookie comes along.
    const attacker = world.browser();
    await expectNothingStored(world, attacker, async () => {
      expectErrorPage(await send(attacker, shown, ADA), 403);
    });
  });

  it('tells a blocked user so, but only with the right password', async () => {
    await world.database.query('UPDATE users SET blocked_at = 1 WHERE username = ?', [OTHER.username]);
    try {
      const browser = world.browser();
      await expectNothingStored(world, browser, async () => {
        const right = await signIn(browser, OTHER);
        expectErrorPage(right, 403);
        expect(right.text()).toContain('blocked');
        const wrong = await signIn(browser, { ...OTHER, password: 'not the password' });
        expect(wrong.status).toBe(401);
        expect(wrong.text()).not.toContain('blocked');
      });
    } finally {
      await world.database.query('UPDATE users SET blocked_at = NULL WHERE username = ?', [OTHER.username]);
    }
  });

  it('says the same to somebody who has tried too often, and when to try again in a header', async () => {
    const before = await failures(world);
    const answers: BrowserResponse[] = [];
    while (answers.length < 10 && !answers.at(-1)?.headers.has('retry-after')) {
      answers.push(await signIn(world.browser(), { username: 'guessed', password: `guess number ${answers.length}` }));
    }
    const [first, last] = [answers[0], answers.at(-1)];
    expect(last?.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect([first?.status, last?.status]).toEqual([401, 401]);
    expect(textOf(last)).toBe(textOf(first));
    // What was not even looked at does not fill the audit log.
    expect(await failures(world)).toBe(before + answers.length - 1);
  });

  it('is audited, and a failure names nobody: what was typed there may be a password', async () => {
    await world.database.query('DELETE FROM audit_events');
    await signIn(world.browser(), ADA);
    await signIn(world.browser(), { username: 'typed-into-the-wrong-field', password: 'x' });
    const rows = await world.database.query(
      'SELECT outcome, user_id, reason FROM audit_events ORDER BY at, outcome DESC',
    );
    expect(rows).toEqual([
      { outcome: 'success', user_id: await userId('ada'), reason: 'password' },
      { outcome: 'failure', user_id: null, reason: 'credentials.password-wrong' },
    ]);
    expect(await world.database.dump()).not.toContain('typed-into-the-wrong-field');
    expect(world.service.output()).not.toContain('typed-into-the-wrong-field');
  });

  it('of the user whom a connect link names leads back to it; of another user it links nothing', async () => {
    const anna = world.browser();
    const { access_token: token } = await world.signIn({ login: 'ada', browser: anna });
    await world.database.query("UPDATE linked_accounts SET unlinked_at = 1 WHERE subject = 'ada'");
    const refused = (await world.pace(token)).json<{ errors: { meta: { connect_url: string } }[] }>();
    const url = refused.errors[0]?.meta.connect_url ?? '';
    const other = world.browser();
    const elsewhere = await send(other, await other.get(url), OTHER);
    await expectNothingStored(world, other, async () => {
      expectErrorPage(await other.request(elsewhere.location ?? ''), 403);
    });
    const browser = world.browser();
    const { location } = await send(browser, await browser.get(url), ADA);
    expect(location?.href).toBe(url);
    const { action, fields } = form((await browser.get(url)).text(), 'ticket');
    const connected = await browser.post(`${world.service.url}${action}?login_hint=ada`, fields);
    expect(connected.status).toBe(200);
    expect((await world.pace(token)).status).toBe(200);
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
