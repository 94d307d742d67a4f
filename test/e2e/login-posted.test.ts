import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import { form, type Browser, type BrowserResponse, type RequestOptions } from '../support/http-browser.js';
import {
  altered,
  authorizationUrl,
  bringBackCallback,
  count,
  expectErrorPage,
  expectNothingStored,
  login,
  open,
  sessionCookie,
  toldClient,
} from '../support/journeys.js';
import { createWorld, PROVIDER, tokenRequest, CLIENTS, type World } from '../support/world.js';

/** Has the provider post its answers; its redirect URI is registered in every world. */
const POSTING = 'online-only';

type Fields = Record<string, string>;

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

function without(fields: Fields, name: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([field]) => field !== name));
}

const fieldsOf = (url: string): Fields => Object.fromEntries(new URL(url).searchParams);

describe.each(databases)('what other sites post here, on $name', (kind) => {
  let world: World;
  let people = 0;
  beforeAll(async () => {
    world = await createWorld(kind, {
      configure: (configuration) => ({
        ...configuration,
        identity_providers: (configuration['identity_providers'] ?? []).map((provider) =>
          (provider as { id: string }).id === POSTING
            ? { ...(provider as object), response_mode: 'form_post' }
            : provider,
        ),
      }),
    });
  });
  afterAll(async () => {
    await world.stop();
  });

  const newcomer = (): string => {
    people += 1;
    return `poster-${people}`;
  };
  const posted = (): Promise<number> => count(world, 'posted_parameters');
  /** How long the ciphertext is of the only parameters that wait. */
  const sealed = async (): Promise<number> => {
    const [row] = await world.database.query('SELECT parameters FROM posted_parameters');
    return String(row?.['parameters']).length;
  };
  const address = (path: string): string => world.service.url + path;
  const handleIn = ({ location }: BrowserResponse): string => {
    const handle = location?.searchParams.get('handle') ?? '';
    world.ledger.add(handle, 'handle of posted parameters');
    return handle;
  };

  /** Posts as a browser does from another site: without a cookie. */
  async function crossSite(path: string, options: RequestOptions): Promise<BrowserResponse> {
    const answer = await world.browser().request(address(path), { method: 'POST', ...options });
    expect(answer.headers.getSetCookie()).toEqual([]);
    handleIn(answer);
    return answer;
  }

  /** Signs in at the provider, whose page then has a form that a script would send. */
  async function answerForm(browser: Browser, name: string): Promise<Fields> {
    const page = await browser.get(address(`/login/${POSTING}?login_hint=${name}`));
    const { action, fields } = form(page.text());
    expect(new URL(page.url).origin).toBe(world.upstream.issuer);
    expect(action).toBe(address(`/login/${POSTING}/callback`));
    return fields;
  }

  const post = (fields: Fields, provider = POSTING): Promise<BrowserResponse> =>
    crossSite(`/login/${provider}/callback`, { form: fields });

  /** Signs in somebody whom the provider itself gives no name, with a user posted beside the code. */
  async function signInPosting(user: string): Promise<Record<string, unknown>> {
    const name = newcomer();
    world.upstream.users.set(name, {
      sub: name,
      preferred_username: name,
      name: undefined as unknown as string,
      email: `${name}@example.com`,
      email_verified: false,
      groups: [],
    });
    const browser = world.browser();
    const { location } = await post({ ...(await answerForm(browser, name)), user });
    expect((await browser.request(location ?? '')).status).toBe(303);
    const [row] = await world.database.query(
      'SELECT * FROM users WHERE id = (SELECT user_id FROM linked_accounts WHERE subject = ? AND identity_provider = ?)',
      [name, POSTING],
    );
    expect(row?.['email']).toBe(`${name}@example.com`);
    expect(Boolean(row?.['email_verified'])).toBe(false);
    return row ?? {};
  }

  describe("a provider's answer", () => {
    it('is taken without a cookie and believed in the browser that started, which signs in', async () => {
      const browser = world.browser();
      const answer = await post(await answerForm(browser, newcomer()));
      expect(answer.status).toBe(303);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.location?.href).toMatch(
        new RegExp(`^${address(`/login/${POSTING}/callback`)}\\?handle=[\\w-]{43}$`),
      );
      const signedIn = await browser.request(answer.location ?? '');
      expect([signedIn.status, signedIn.location?.pathname]).toEqual([303, '/login']);
      expect(sessionCookie(browser, world)).toBeDefined();
    });

    it('reads no cookie that comes along: who is signed in stays so until the browser comes back', async () => {
      const browser = world.browser();
      const fields = await answerForm(browser, newcomer());
      await login(world, browser, { login: 'alice' });
      await expectNothingStored(world, browser, async () => {
        const answer = await browser.post(address(`/login/${POSTING}/callback`), fields, { redirect: 'manual' });
        expect([answer.status, answer.headers.getSetCookie()]).toEqual([303, []]);
        handleIn(answer);
      });
    });

    it('is good once, though the browser comes back for it ten times at once', async () => {
      const browser = world.browser();
      const { location } = await post(await answerForm(browser, newcomer()));
      const answers = await Promise.all(Array.from({ length: 10 }, () => browser.request(location ?? '')));
      expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
      for (const refused of answers.filter(({ status }) => status !== 303)) expectErrorPage(refused, 400);
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await browser.request(location ?? ''), 400);
      });
    });

    it('is refused in another browser', async () => {
      const [browser, other] = [world.browser(), world.browser()];
      const { location } = await post(await answerForm(browser, newcomer()));
      await other.get(address('/login'));
      await expectNothingStored(world, other, async () => {
        expectErrorPage(await other.request(location ?? ''), 400);
      });
    });

    it('is refused after five minutes', async () => {
      const browser = world.browser();
      const { location } = await post(await answerForm(browser, newcomer()));
      const [row] = await world.database.query('SELECT MAX(expires_at) AS at FROM posted_parameters');
      expect(Number(row?.['at'])).toBeLessThanOrEqual(Date.now() + 5 * 60_000);
      await world.database.query('UPDATE posted_parameters SET expires_at = 1');
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await browser.request(location ?? ''), 400);
      });
    });

    it('is refused at another provider and as an authorization request, and still good where it belongs', async () => {
      const browser = world.browser();
      const { location } = await post(await answerForm(browser, newcomer()));
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await browser.request(address(`/login/${PROVIDER}/callback${location?.search}`)), 400);
        expectErrorPage(await browser.request(address(`/auth${location?.search}`)), 400);
      });
      expect((await browser.request(location ?? '')).status).toBe(303);
    });

    it('of one provider, brought to the callback of another, is refused (mix-up)', async () => {
      const browser = world.browser();
      const genuine = await bringBackCallback(world, browser, { login: newcomer() });
      const before = await posted();
      expectErrorPage(await post(Object.fromEntries(genuine.searchParams)), 400);
      expect(await posted()).toBe(before);
      expect((await browser.request(genuine)).status).toBe(303);
    });

    it.each<[string, (fields: Fields) => Fields]>([
      ['another iss', (fields) => ({ ...fields, iss: 'https://evil.example' })],
      ['no iss, which the provider promises', (fields) => without(fields, 'iss')],
      ['no code', (fields) => without(fields, 'code')],
      ['a code of nobody', (fields) => ({ ...fields, code: 'forged-code' })],
      ['an error', (fields) => ({ ...without(fields, 'code'), error: 'access_denied' })],
    ])('with %s is refused as it is in a query', async (_, forge) => {
      const browser = world.browser();
      const { location } = await post(forge(await answerForm(browser, newcomer())));
      await expectNothingStored(world, browser, async () => {
        expectErrorPage(await browser.request(location ?? ''));
      });
    });

    it.each<[string, (fields: Fields) => Fields]>([
      ['an unknown state', (fields) => ({ ...fields, state: 'x'.repeat(43) })],
      ['no state', (fields) => without(fields, 'state')],
      ['nothing in it', () => ({})],
    ])('with %s is refused and not kept: nobody waits for it', async (_, forge) => {
      const fields = await answerForm(world.browser(), newcomer());
      const before = await posted();
      expectErrorPage(await post(forge(fields)), 400);
      expect(await posted()).toBe(before);
    });

    it('to a sign-in that is over, or took too long, is refused and not kept', async () => {
      const browser = world.browser();
      const fields = await answerForm(browser, newcomer());
      const { location } = await post(fields);
      await browser.request(location ?? '');
      const late = await answerForm(world.browser(), newcomer());
      await world.database.query('UPDATE login_attempts SET expires_at = 1 WHERE consumed_at IS NULL');
      const before = await posted();
      for (const stale of [fields, late]) expectErrorPage(await post(stale), 400);
      expect(await posted()).toBe(before);
    });

    it('is not kept any longer once the browser has come back for it', async () => {
      const browser = world.browser();
      const before = await posted();
      const { location } = await post(await answerForm(browser, newcomer()));
      expect(await posted()).toBe(before + 1);
      await browser.request(location ?? '');
      expect(await posted()).toBe(before);
    });

    it('in a query is read though a parameter is called handle', async () => {
      const browser = world.browser();
      const callback = await bringBackCallback(world, browser, { login: newcomer() });
      expect((await browser.request(altered(callback, { handle: 'x' }))).status).toBe(303);
    });

    it('is a page without a handle, or with one of nobody', async () => {
      for (const query of ['', '?handle=', `?handle=${'x'.repeat(43)}`, '?handle=a&handle=b', '?handle=%00']) {
        const browser = world.browser();
        await expectNothingStored(world, browser, async () => {
          expectErrorPage(await browser.request(address(`/login/${POSTING}/callback${query}`)), 400);
        });
      }
    });

    it.each<[string, RequestOptions, number]>([
      ['JSON', { json: { state: 'x', code: 'y' } }, 415],
      ['a text', { body: 'state=x', headers: { 'content-type': 'text/plain' } }, 400],
      ['a parameter twice', { body: 'state=a&state=b', headers: FORM }, 400],
      ['a parameter of more than 8 KiB', { form: { state: 'x', user: 'x'.repeat(8193) } }, 400],
      ['more than 64 KiB', { form: { a: 'x'.repeat(65_536) } }, 413],
    ])('as %s is refused and not kept', async (_, options, status) => {
      const before = await posted();
      const answer = await crossSite(`/login/${POSTING}/callback`, options);
      expectErrorPage(answer, status);
      expect(await posted()).toBe(before);
    });

    it('at an unknown provider is refused and not kept', async () => {
      const before = await posted();
      expectErrorPage(await post({ state: 'x', code: 'y' }, 'nobody'), 404);
      expect(await posted()).toBe(before);
    });

    describe('with the user beside it, as Apple posts it', () => {
      it.each([
        ['{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"evil@example.com","sub":"alice"}', 'Ada Lovelace'],
        ['{"name":{"firstName":" Ada ","lastName":null}}', 'Ada'],
        ['{"name":{"lastName":"Love\\u0000lace"}}', 'Lovelace'],
        ['{"email":"alice@example.com","email_verified":true}', null],
        ['{"name":"Ada"}', null],
        ['{"name":{"firstName":5,"lastName":["x"]}}', null],
        ['{"name":null}', null],
        ['["name"]', null],
        ['null', null],
        ['5', null],
        ['{"name":{"firstName":', null],
      ])('takes a name and nothing else from %s', async (user, expected) => {
        expect((await signInPosting(user))['full_name']).toBe(expected);
      });
    });
  });

  describe('an authorization request', () => {
    it('is taken without a cookie, and goes on in the browser that comes back for it, up to the code', async () => {
      const { url, verifier, state } = authorizationUrl(world);
      const answer = await crossSite('/auth', { form: fieldsOf(url) });
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([303, 'no-store']);
      expect(answer.location?.href).toMatch(new RegExp(`^${address('/auth')}\\?handle=[\\w-]{43}$`));
      const told = toldClient(await open(world.browser(), answer.location ?? ''));
      expect(told.get('state')).toBe(state);
      const token = await world.request('/token', tokenRequest(CLIENTS.reader, told.get('code') ?? '', verifier));
      expect(token.status).toBe(200);
    });

    it('is good once', async () => {
      const { location } = await crossSite('/auth', { form: fieldsOf(authorizationUrl(world).url) });
      toldClient(await open(world.browser(), location ?? ''));
      expectErrorPage(await world.browser().request(location ?? ''), 400);
    });

    it('is refused after five minutes, and as the answer of a provider', async () => {
      const { location } = await crossSite('/auth', { form: fieldsOf(authorizationUrl(world).url) });
      expectErrorPage(await world.browser().request(address(`/login/${POSTING}/callback${location?.search}`)), 400);
      await world.database.query('UPDATE posted_parameters SET expires_at = 1');
      expectErrorPage(await world.browser().request(location ?? ''), 400);
    });

    it('tells the client what is wrong with it, and is not kept', async () => {
      const before = await posted();
      const { url } = authorizationUrl(world, { scope: 'admin' });
      expect(toldClient(await crossSite('/auth', { form: fieldsOf(url) })).get('error')).toBe('invalid_scope');
      expect(await posted()).toBe(before);
    });

    it('is kept without what nobody asked for', async () => {
      await world.database.query('DELETE FROM posted_parameters');
      const fields = fieldsOf(authorizationUrl(world).url);
      await crossSite('/auth', { form: fields });
      const plain = await sealed();
      await world.database.query('DELETE FROM posted_parameters');
      const { location } = await crossSite('/auth', { form: { ...fields, unknown: 'x'.repeat(8_000) } });
      expect(await sealed()).toBe(plain);
      toldClient(await open(world.browser(), location ?? ''));
    });

    it('in a query may have a parameter called handle, which means nothing', async () => {
      const { url } = authorizationUrl(world);
      expect(toldClient(await open(world.browser(), `${url}&handle=x`)).has('code')).toBe(true);
    });

    it.each<[string, RequestOptions, number]>([
      ['of an unknown client', { form: { client_id: 'nobody', redirect_uri: 'https://evil.example/' } }, 400],
      ['to an unknown redirect URI', { form: { client_id: 'reader', redirect_uri: 'https://evil.example/' } }, 400],
      ['without anything', {}, 400],
      ['as JSON', { json: { client_id: 'reader' } }, 415],
      ['with a parameter twice', { body: 'client_id=reader&client_id=asker', headers: FORM }, 400],
      ['of more than 64 KiB', { form: { client_id: 'reader', state: 'x'.repeat(65_536) } }, 413],
    ])('%s is a page and is not kept', async (_, options, status) => {
      const before = await posted();
      expectErrorPage(await crossSite('/auth', options), status);
      expect(await posted()).toBe(before);
    });

    it('is a GET or a POST', async () => {
      const answer = await world.request('/auth', { method: 'PUT' });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
