import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../../support/databases.js';
import type { Browser } from '../../support/http-browser.js';
import {
  altered,
  bringBackCallback,
  count,
  expectErrorPage,
  expectNothingStored,
  login,
} from '../../support/journeys.js';
import type { World } from '../../support/world.js';
import { createWorldOfTwo, PROVIDERS } from './two-providers.js';

const [OIDC, OAUTH2] = PROVIDERS;
const PAIRS = [
  { from: OIDC, to: OAUTH2 },
  { from: OAUTH2, to: OIDC },
].map(({ from, to }) => ({ named: `${from.type} at ${to.type}`, from: from.provider, to: to.provider }));

const movedTo = (callback: URL, provider: string): URL => {
  const moved = new URL(callback);
  moved.pathname = `/login/${provider}/callback`;
  return moved;
};

describe.each(databases)('an answer of one provider brought to another, on $name', (kind) => {
  let world: World;
  let people = 0;
  beforeAll(async () => {
    world = await createWorldOfTwo(kind);
  });
  afterAll(async () => {
    await world.stop();
  });

  const nobodyYet = (): string => {
    people += 1;
    return `person-${people}`;
  };
  const redeemed = (): number => world.upstream.counts.authorizationCode.attempted;

  /** Both sign-ins under way in one browser; the provider of the tests would spoil the first code with its own session. */
  async function bothUnderWay(browser: Browser, providers: string[]): Promise<URL[]> {
    const callbacks: URL[] = [];
    for (const provider of providers) {
      callbacks.push(await bringBackCallback(world, browser, { provider, login: nobodyYet() }));
      for (const { name } of browser.cookies(world.upstream.issuer)) {
        browser.setCookie(world.upstream.issuer, `${name}=; Path=/; Max-Age=0`);
      }
    }
    return callbacks;
  }

  /** Nothing is stored, and the code is not even shown to a token endpoint where `shown` does not say so. */
  async function refused(browser: Browser, url: URL, status: number, { shown = 0 } = {}): Promise<void> {
    const before = redeemed();
    await expectNothingStored(world, browser, async () => {
      expectErrorPage(await browser.request(url), status);
    });
    expect(redeemed()).toBe(before + shown);
  }

  it.each(PAIRS)('is refused as a whole ($named), and its own callback still takes it', async ({ from, to }) => {
    const browser = world.browser();
    const [callback] = (await bothUnderWay(browser, [from])) as [URL];
    await refused(browser, movedTo(callback, to), 400);
    expect((await browser.request(callback)).status).toBe(303);
  });

  it.each(PAIRS)("is refused as a code beside the other's state ($named)", async ({ from, to }) => {
    const browser = world.browser();
    const [theirs, ours] = (await bothUnderWay(browser, [from, to])) as [URL, URL];
    await refused(browser, altered(ours, { code: theirs.searchParams.get('code') }), 403, { shown: 1 });
  });

  it.each(PAIRS)("is refused as a state beside the other's code ($named)", async ({ from, to }) => {
    const browser = world.browser();
    const [theirs, ours] = (await bothUnderWay(browser, [from, to])) as [URL, URL];
    await refused(browser, altered(ours, { state: theirs.searchParams.get('state') }), 400);
  });

  it.each(PROVIDERS)('is refused where it names another issuer ($type)', async ({ provider }) => {
    const browser = world.browser();
    const [callback] = (await bothUnderWay(browser, [provider])) as [URL];
    await refused(browser, altered(callback, { iss: 'https://attacker.example' }), 400);
  });

  it.each(PAIRS)('is refused as a posted answer ($named)', async ({ from, to }) => {
    const browser = world.browser();
    const [callback] = (await bothUnderWay(browser, [from])) as [URL];
    const form = Object.fromEntries(callback.searchParams);
    const toOther = await world.browser().request(movedTo(callback, to).href.split('?')[0] ?? '', { form });
    expectErrorPage(toOther, 400);
    const toOwn = await world.browser().request(callback.href.split('?')[0] ?? '', { form });
    await refused(browser, movedTo(toOwn.location!, to), 400);
  });

  it.each(PAIRS)('is refused to somebody else ($named), whoever started what', async ({ from, to }) => {
    const attacker = world.browser();
    const victim = world.browser();
    await login(world, victim, { provider: to, login: nobodyYet() });
    const [callback] = (await bothUnderWay(attacker, [from])) as [URL];
    await refused(victim, callback, 400);
    await refused(victim, movedTo(callback, to), 400);
  });

  it('links nothing to an attacker whose connect link a victim opens', async () => {
    const attacker = await world.signIn({ login: nobodyYet() });
    const answer = await world.pace(attacker.access_token, OAUTH2.provider);
    const { errors } = answer.json<{ errors: { meta: { connect_url: string } }[] }>();
    const url = errors[0]?.meta.connect_url ?? '';
    const accounts = await count(world, 'linked_accounts');

    const signedIn = world.browser();
    await login(world, signedIn, { login: nobodyYet() });
    await expectNothingStored(world, signedIn, async () => {
      expectErrorPage(await signedIn.get(url), 403);
    });

    const stranger = world.browser();
    const choice = await stranger.get(url);
    expect(choice.text()).not.toContain('csrf_token');
    const victim = nobodyYet();
    expectErrorPage(
      await login(world, stranger, {
        provider: OAUTH2.provider,
        login: victim,
        returnTo: new URL(url).pathname + new URL(url).search,
      }),
      403,
    );
    expect(await count(world, 'linked_accounts')).toBe(accounts + 1);
    expect(await count(world, 'linked_accounts', 'WHERE subject = ?', [victim])).toBe(0);
    expect((await world.pace(attacker.access_token, OAUTH2.provider)).status).toBe(401);
  });

  it('leaves no secret in any output or in the database', async () => {
    expect(world.upstream.serverErrors).toEqual([]);
    await world.assertNoLeaks();
  });
});
