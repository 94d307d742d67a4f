import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as onezone from '../../contract/onezone/answers.js';
import * as pace from '../../contract/pace/answers.js';
import { databases } from '../../support/databases.js';
import type { Browser, BrowserResponse } from '../../support/http-browser.js';
import { bringBackCallback, count, expectErrorPage, expectNothingStored, login } from '../../support/journeys.js';
import { endBackOff, eventually } from '../../support/vault.js';
import { Normaliser, soon, type Wire } from '../../support/wire.js';
import { CLIENTS, type World } from '../../support/world.js';
import { ALWAYS_WRONG, OUT_OF_TIME, WRONG_AT_SIGN_IN, type Claims, type Forge } from './id-token.rows.js';
import { rowsOf } from './token-endpoint.rows.js';
import { account, createWorldOfTwo, FRESH_PROVIDER, PROVIDERS, setSecondsLeft } from './two-providers.js';
import { USERINFO_ROWS } from './userinfo.rows.js';

const EXPIRED = -1;
const ALIVE = 30;

interface Served {
  access_token: string;
  expires_in: number;
  refresh_token: string;
  scope: string;
}

describe.each(databases)('whatever a provider does, on $name', (kind) => {
  let world: World;
  let people = 0;
  beforeAll(async () => {
    world = await createWorldOfTwo(kind);
  });
  afterEach(async () => {
    await endBackOff(world);
  });
  afterAll(async () => {
    await world.stop();
  });

  const nobodyYet = (): string => {
    people += 1;
    return `person-${people}`;
  };

  /** Signs in through the client that is told the upstream refresh token, so that a test can see which one is kept. */
  async function signedIn(provider: string, person: string): Promise<string> {
    const answer = await world.signIn({ login: person, provider, client: CLIENTS.trusted });
    return answer.access_token;
  }

  async function served(token: string, provider: string): Promise<Served> {
    const answer = await world.pace(token, provider);
    expect(answer.status).toBe(200);
    return answer.json<Served>();
  }

  const refreshes = (): number => world.upstream.counts.refresh.attempted;

  /** Both faces, one after the other; neither may be answered as if there were a token. */
  async function bothFaces(token: string, provider: string): Promise<{ pace: Wire; onezone: Wire; retry: number[] }> {
    const answers = [await world.pace(token, provider), await world.onezone(token, provider)] as const;
    const normaliser = new Normaliser();
    return {
      pace: normaliser.wire(answers[0]),
      onezone: normaliser.wire(answers[1]),
      retry: answers.map(({ headers }) => Number(headers.get('retry-after'))),
    };
  }

  // Refusing a sign-in writes nothing: one database tells as much as two.
  const onOneDatabase = describe.runIf(kind.name === 'sqlite');

  onOneDatabase.each(PROVIDERS)('a sign-in at an $type provider', ({ type, provider }) => {
    it.each(rowsOf(type))('whose token endpoint $name', async ({ arrange, signIn, retryAfter }) => {
      const [browser, person] = [world.browser(), nobodyYet()];
      const callback = await bringBackCallback(world, browser, { provider, login: person });
      arrange(world.upstream);
      if (signIn === 303) {
        expect((await browser.request(callback)).status).toBe(303);
        const given = await served(await signedIn(provider, person), provider);
        expect(given.expires_in).toBeGreaterThan(0);
        expect(given.expires_in).toBeLessThanOrEqual(3600);
        return;
      }
      await expectNothingStored(world, browser, async () => {
        await expectRefusal(await browser.request(callback), signIn, retryAfter);
        expectErrorPage(await browser.request(callback), 400);
      });
      expect((await login(world, browser, { provider, login: person })).status).toBe(303);
    });

    it.each(USERINFO_ROWS)('whose userinfo endpoint $name', async ({ arrange, [type]: status }) => {
      const [browser, person] = [world.browser(), nobodyYet()];
      const callback = await bringBackCallback(world, browser, { provider, login: person });
      if (type === 'oidc') forgeNext(withoutEmail);
      arrange(world.upstream);
      if (status === 303) {
        expect((await browser.request(callback)).status).toBe(303);
        return;
      }
      await expectNothingStored(world, browser, async () => {
        await expectRefusal(await browser.request(callback), status);
      });
      expect((await login(world, browser, { provider, login: person })).status).toBe(303);
    });

    it('that has left the network', async () => {
      const [browser, person] = [world.browser(), nobodyYet()];
      const callback = await bringBackCallback(world, browser, { provider, login: person });
      await world.upstream.disconnect();
      try {
        await expectNothingStored(world, browser, async () => {
          await expectRefusal(await browser.request(callback), 503);
        });
      } finally {
        await world.upstream.reconnect();
      }
      expect((await login(world, browser, { provider, login: person })).status).toBe(303);
    });
  });

  describe.each(PROVIDERS)('a refresh at an $type provider', ({ type, provider }) => {
    it.each(rowsOf(type, 'served'))('whose token endpoint $name is served', async ({ arrange }) => {
      const { token, person, before } = await reader(provider);
      await setSecondsLeft(world, provider, person, EXPIRED);
      arrange(world.upstream);
      const after = await served(token, provider);
      expect(after.access_token).not.toBe(before.access_token);
      expect(after.scope).toBe(before.scope);
      expect(after.expires_in).toBeGreaterThan(3500);
      expect(after.expires_in).toBeLessThanOrEqual(3600);
      expect(refreshes()).toBe(1);
    });

    it.each([
      { said: 'omits the refresh token', answer: (): unknown => undefined },
      { said: 'repeats the refresh token', answer: (kept: string): unknown => kept },
      { said: 'sends an empty refresh token', answer: (): unknown => '' },
    ])('that $said keeps the one there is', async ({ answer }) => {
      const { token, person, before } = await reader(provider);
      await setSecondsLeft(world, provider, person, EXPIRED);
      world.upstream.alterNext(1, (body) => ({ ...body, refresh_token: answer(before.refresh_token) }));
      const after = await served(token, provider);
      expect(after.access_token).not.toBe(before.access_token);
      expect(after.refresh_token).toBe(before.refresh_token);
      expect(refreshes()).toBe(1);
    });

    it.each(rowsOf(type, 'later', 'misconfigured', 'lost'))(
      'whose token endpoint $name ($refresh)',
      async ({ arrange, refresh, retryAfter, reason }) => {
        const { token, person, before } = await reader(provider);
        const rotated = refresh === 'lost';
        await setSecondsLeft(world, provider, person, ALIVE);
        arrange(world.upstream);
        expect((await served(token, provider)).access_token).toBe(before.access_token);

        await setSecondsLeft(world, provider, person, EXPIRED);
        const refused = await bothFaces(token, provider);
        expectNotNow(refused, refresh === 'misconfigured', retryAfter);
        expect(refreshes()).toBe(1);
        expect(await account(world, provider, person)).toMatchObject({ status: 'active', reason: null });

        await endBackOff(world);
        if (rotated) {
          expect(await bothFaces(token, provider)).toMatchObject({
            pace: pace.missingLinkedIdentity(provider),
            onezone: onezone.NOT_FOUND,
          });
          expect(await account(world, provider, person)).toMatchObject({ status: 'reauthentication-required', reason });
        } else {
          expect((await served(token, provider)).access_token).not.toBe(before.access_token);
          expect(await account(world, provider, person)).toMatchObject({ status: 'active', lease_owner: null });
        }
        expect(refreshes()).toBe(2);
      },
    );

    it.each(rowsOf(type, 'over'))('whose token endpoint $name', async ({ arrange, reason }) => {
      const { token, person } = await reader(provider);
      await setSecondsLeft(world, provider, person, EXPIRED);
      arrange(world.upstream);
      expect(await bothFaces(token, provider)).toMatchObject({
        pace: pace.missingLinkedIdentity(provider),
        onezone: onezone.NOT_FOUND,
      });
      expect(refreshes()).toBe(1);
      expect(await account(world, provider, person)).toMatchObject({ status: 'reauthentication-required', reason });
      await signedIn(provider, person);
      await served(token, provider);
      expect(await account(world, provider, person)).toMatchObject({ status: 'active', reason: null });
    });

    it('that gives a token which has expired on arrival is not asked again and again', async () => {
      const { token, person } = await reader(provider);
      await setSecondsLeft(world, provider, person, EXPIRED);
      world.upstream.alterNext(3, (body) => ({ ...body, expires_in: 0 }));
      expectNotNow(await bothFaces(token, provider), false);
      expect(refreshes()).toBe(1);
      await endBackOff(world);
      expectNotNow(await bothFaces(token, provider), false);
      await endBackOff(world);
      expectNotNow(await bothFaces(token, provider), false);
      await endBackOff(world);
      await served(token, provider);
      expect(await account(world, provider, person)).toMatchObject({ status: 'active', reason: null });
    });

    it('that has left the network is asked again when it is back', async () => {
      const { token, person } = await reader(provider);
      await setSecondsLeft(world, provider, person, EXPIRED);
      await world.upstream.disconnect();
      const refused = await bothFaces(token, provider);
      await world.upstream.reconnect();
      expectNotNow(refused, false);
      await endBackOff(world);
      await served(token, provider);
      expect(refreshes()).toBe(1);
    });
  });

  it.each(PROVIDERS)(
    'what an $type provider says that no column takes counts as not said',
    async ({ type, provider }) => {
      const [browser, person] = [world.browser(), nobodyYet()];
      const odd = { name: 'A\u0000', email: 'a\u0000@x.example', preferred_username: '\ud800' };
      const callback = await bringBackCallback(world, browser, { provider, login: person });
      if (type === 'oidc')
        forgeNext((claims) => world.upstream.signIdToken({ ...claims, ...odd, auth_time: claims.iat - 0.5 }));
      world.upstream.alterNext(1, (body) => ({ ...body, ...odd }), 'userinfo');
      expect((await browser.request(callback)).status).toBe(303);
      const [user] = await world.database.query(
        'SELECT full_name, email FROM users WHERE id = (SELECT user_id FROM linked_accounts WHERE subject = ? AND identity_provider = ?)',
        [person, provider],
      );
      expect(user).toEqual({ full_name: null, email: null });
    },
  );

  it.each([1e300, 1e17, 1.0005])(
    'an auth_time that cannot have been, or not quite (%s), does no harm',
    async (authTime) => {
      const browser = world.browser();
      const callback = await bringBackCallback(world, browser, { login: nobodyYet() });
      forgeNext((claims) => world.upstream.signIdToken({ ...claims, auth_time: authTime }));
      expect((await browser.request(callback)).status).toBe(303);
    },
  );

  it.each(PROVIDERS)('an $type provider that says that it granted no scopes is believed', async ({ provider }) => {
    const person = nobodyYet();
    world.upstream.alterNext(1, (body) => ({ ...body, scope: '' }));
    expect((await served(await signedIn(provider, person), provider)).scope).toBe('');
  });

  onOneDatabase('an id_token of a sign-in', () => {
    it('is taken at once after the provider has rotated its keys', async () => {
      const browser = world.browser();
      const callback = await bringBackCallback(world, browser, { login: nobodyYet() });
      await world.upstream.rotateSigningKeys({ keepOld: false });
      expect((await browser.request(callback)).status).toBe(303);
    });

    it.each(WRONG_AT_SIGN_IN)('with %s is refused at a sign-in, and nothing is stored', async (_, forge) => {
      const browser = world.browser();
      const callback = await bringBackCallback(world, browser, { login: nobodyYet() });
      forgeNext(forge);
      await expectNothingStored(world, browser, async () => {
        const page = await browser.request(callback);
        expectErrorPage(page, 403);
        expect(page.text()).toContain('could not be accepted');
        expectErrorPage(await browser.request(callback), 400);
      });
    });

    it('of another sign-in, genuine as it is, is refused (replay)', async () => {
      const idTokens: unknown[] = [];
      world.upstream.alterNext(1, (body) => {
        idTokens.push(body['id_token']);
        return body;
      });
      await login(world, world.browser(), { login: nobodyYet() });
      const attacker = world.browser();
      const callback = await bringBackCallback(world, attacker, { login: nobodyYet() });
      world.upstream.alterNext(1, (body) => ({ ...body, id_token: idTokens[0] }));
      await expectNothingStored(world, attacker, async () => {
        expectErrorPage(await attacker.request(callback), 403);
      });
    });
  });

  describe('an id_token of a refresh', () => {
    const [{ provider }] = PROVIDERS;

    it.each(ALWAYS_WRONG)('with %s ends the account', async (_, forge) => {
      const { token, person } = await reader(provider);
      await setSecondsLeft(world, provider, person, EXPIRED);
      forgeNext(forge);
      // Whether the first reader is served depends on which is faster; what counts is how it ends.
      expect([200, 401]).toContain((await world.pace(token)).status);
      await eventually(
        'the forgery is found out',
        async () => (await account(world, provider, person))['reason'] === 'id_token_invalid',
      );
      expect(await account(world, provider, person)).toMatchObject({
        status: 'reauthentication-required',
        access_token: null,
        refresh_token: null,
        id_token: null,
      });
      expect((await world.onezone(token)).status).toBe(404);
      expect(refreshes()).toBe(1);
    });

    it.each(OUT_OF_TIME)('with %s costs nobody the account', async (_, forge) => {
      const { token, person } = await reader(provider);
      await setSecondsLeft(world, provider, person, EXPIRED);
      forgeNext(forge);
      expect((await world.pace(token)).status).toBe(200);
      await eventually('its signature is verified', async () =>
        Boolean((await account(world, provider, person))['verified']),
      );
      expect(await account(world, provider, person)).toMatchObject({ status: 'active' });
      expect(refreshes()).toBe(1);
    });

    it('whose key cannot be fetched is not held against anybody', async () => {
      const [first, second] = [await reader(FRESH_PROVIDER), await reader(FRESH_PROVIDER)];
      const callback = async (): Promise<[Browser, URL]> => {
        const browser = world.browser();
        return [browser, await bringBackCallback(world, browser, { provider: FRESH_PROVIDER, login: nobodyYet() })];
      };
      const signIns = [await callback(), await callback()];
      await world.upstream.rotateSigningKeys({ keepOld: false });
      world.upstream.failNext(1, { status: 500 }, 'jwks');
      // The second of them does not ask again so soon, but knows no more than the first did.
      for (const [browser, url] of signIns) expect((await browser.request(url)).status).toBe(503);
      for (const { token, person } of [first, second, first, second]) {
        await setSecondsLeft(world, FRESH_PROVIDER, person, EXPIRED);
        await served(token, FRESH_PROVIDER);
      }
      for (const { person } of [first, second]) {
        expect(await account(world, FRESH_PROVIDER, person)).toMatchObject({ status: 'active', reason: null });
      }
    });

    it('that nobody asked for means nothing at an oauth2 provider, at a sign-in and at a refresh', async () => {
      const person = nobodyYet();
      world.upstream.alterNext(1, (body) => ({ ...body, id_token: 'no.jwt' }));
      const token = await signedIn('plain', person);
      await setSecondsLeft(world, 'plain', person, EXPIRED);
      const foreign = await world.upstream.signIdToken({ iss: world.upstream.issuer, sub: 'else', aud: 'else' });
      world.upstream.alterNext(1, (body) => ({ ...body, id_token: foreign }));
      await served(token, 'plain');
      expect(await account(world, 'plain', person)).toMatchObject({ status: 'active', reason: null });
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    expect(world.upstream.serverErrors).toEqual([]);
    expect(await count(world, 'linked_accounts', 'WHERE lease_owner IS NOT NULL')).toBe(0);
    await world.assertNoLeaks();
  });

  async function reader(provider: string): Promise<{ token: string; person: string; before: Served }> {
    const person = nobodyYet();
    const token = await signedIn(provider, person);
    const before = await served(token, provider);
    world.upstream.resetCounts();
    return { token, person, before };
  }

  function forgeNext(forge: Forge): void {
    world.upstream.alterNext(1, async (body) => ({
      ...body,
      id_token: await forge(decodeJwt<Claims>(String(body['id_token'])), world),
    }));
  }
});

const withoutEmail: Forge = (claims, world) => world.upstream.signIdToken({ ...claims, email: undefined });

async function expectRefusal(page: BrowserResponse, status: number, retryAfter?: number): Promise<void> {
  expect(page.status).toBe(status);
  expect(page.headers.get('content-type')).toContain('text/html');
  const wait = page.headers.get('retry-after');
  if (status !== 503) expect(wait).toBeNull();
  else if (retryAfter === undefined) expect(Number(wait)).toBeGreaterThan(0);
  else expect(Number(wait)).toBe(retryAfter);
}

/** Try again later, or the operator has to act: never the user. */
function expectNotNow(
  refused: { pace: Wire; onezone: Wire; retry: number[] },
  misconfigured: boolean,
  retryAfter?: number,
): void {
  if (misconfigured) {
    expect([refused.pace, refused.onezone]).toEqual([pace.INTERNAL, onezone.INTERNAL]);
    return;
  }
  const [atPace = 0, atOnezone = 0] = refused.retry;
  expect([refused.pace, refused.onezone]).toEqual([pace.notNow(soon(atPace)), onezone.notNow(String(soon(atOnezone)))]);
  for (const seconds of [atPace, atOnezone]) {
    expect(seconds).toBeGreaterThan(retryAfter === undefined ? 0 : retryAfter - 10);
    expect(seconds).toBeLessThanOrEqual(retryAfter === undefined ? 300 : 2 * retryAfter);
  }
}
