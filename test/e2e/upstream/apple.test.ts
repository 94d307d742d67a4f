import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../../support/databases.js';
import { form, type Browser, type BrowserResponse } from '../../support/http-browser.js';
import {
  atClient,
  authorizationUrl,
  expectErrorPage,
  expectNothingStored,
  toldClient,
} from '../../support/journeys.js';
import { Apple, subjectOf } from '../../support/providers/apple.js';
import { createPresetWorld, unlink, UNLINKING_SCOPE, type Given } from '../../support/providers/preset-world.js';
import { eventually } from '../../support/vault.js';
import { CLIENTS, tokenRequest, type TokenAnswer, type World } from '../../support/world.js';
import { account, setSecondsLeft } from './two-providers.js';

const CLIENT_ID = 'com.example.symbolon.web';
const EXPIRED = -1;

describe.each(databases)("Apple's preset on $name", (kind) => {
  let world: World;
  let apple: Apple;
  beforeAll(async () => {
    apple = await new Apple(CLIENT_ID).start();
    world = await createPresetWorld(kind, apple, {
      id: 'apple',
      preset: 'apple',
      issuer: apple.origin,
      team_id: apple.teamId,
      private_key: apple.privateKey,
      private_key_id: apple.keyId,
    });
  });
  afterAll(async () => {
    await world.stop();
    await apple.stop();
  });

  interface Started {
    /** Apple's page, whose form the browser is about to post to us. */
    page: BrowserResponse;
    verifier: string;
  }

  async function goToApple(browser: Browser, person: string): Promise<Started> {
    const { url, verifier } = authorizationUrl(world, {
      client_id: CLIENTS.trusted.client_id,
      scope: UNLINKING_SCOPE,
      identity_provider: 'apple',
      login_hint: person,
    });
    return { page: await browser.get(url), verifier };
  }

  /** A post from another site carries no SameSite=Lax cookie: just as if another browser sent it. */
  function post(page: BrowserResponse, changes: Record<string, string> = {}): Promise<BrowserResponse> {
    const { action, fields } = form(page.text());
    expect(new URL(action).origin).toBe(world.service.url);
    return world.browser().request(action, {
      form: { ...fields, ...changes },
      headers: { origin: apple.origin, 'sec-fetch-site': 'cross-site' },
    });
  }

  async function signIn(person: string, changes: Record<string, string> = {}): Promise<string> {
    const browser = world.browser();
    const { page, verifier } = await goToApple(browser, person);
    const posted = await post(page, changes);
    const code = toldClient(await browser.get(posted.location ?? '', { stopBefore: atClient })).get('code') ?? '';
    const answer = await world.request('/token', tokenRequest(CLIENTS.trusted, code, verifier));
    return answer.json<TokenAnswer>().access_token;
  }

  async function userOf(person: string): Promise<Record<string, unknown> | undefined> {
    const [row] = await world.database.query(
      `SELECT full_name, email, email_verified FROM users JOIN linked_accounts ON user_id = users.id WHERE subject = ?`,
      [subjectOf(person)],
    );
    return row && { ...row, email_verified: Boolean(row['email_verified']) };
  }

  async function given(token: string): Promise<Given> {
    const answer = await world.pace(token, 'apple');
    expect(answer.status).toBe(200);
    return answer.json<Given>();
  }

  it('takes the posted answer without any cookie, and has the browser come back for the rest', async () => {
    const browser = world.browser();
    const { page } = await goToApple(browser, 'first');
    const posted = await post(page);
    expect(posted.status).toBe(303);
    expect(posted.headers.getSetCookie()).toEqual([]);
    expect(posted.location?.pathname).toBe('/login/apple/callback');
    const { fields } = form(page.text());
    for (const secret of [fields['code'], fields['state']]) expect(posted.location?.href).not.toContain(secret);
    expect(await userOf('first')).toBeUndefined();
    const back = await browser.request(posted.location ?? '');
    expect(back.status).toBe(303);
    expect(await userOf('first')).toBeDefined();
  });

  it('keeps the name that is posted only once, and believes the form nothing else', async () => {
    await signIn('ann');
    const expected = { full_name: 'ann Appleseed', email: 'ann@privaterelay.appleid.com', email_verified: true };
    expect(await userOf('ann')).toEqual(expected);
    await signIn('ann');
    expect(await userOf('ann')).toEqual(expected);
    await signIn('ann', { user: JSON.stringify({ name: { firstName: 'Somebody', lastName: 'Else' } }) });
    expect((await userOf('ann'))?.['email']).toBe('ann@privaterelay.appleid.com');
  });

  it.each([
    ['no JSON', '{'],
    ['a number', '7'],
    ['a list', '[]'],
    ['a name that is none', JSON.stringify({ name: 'Ann' })],
    ['names that are none', JSON.stringify({ name: { firstName: { $ne: 1 }, lastName: 7 } })],
  ])('signs in with a posted user that is %s', async (what, user) => {
    const person = `odd-${what.replaceAll(' ', '-').toLowerCase()}`;
    await signIn(person, { user });
    expect((await userOf(person))?.['full_name']).toBeNull();
  });

  it('takes a posted answer once, and only in the browser that asked', async () => {
    const browser = world.browser();
    const other = world.browser();
    await other.get(`${world.service.url}/login`);
    const { page } = await goToApple(browser, 'careful');
    const posted = await post(page);
    await expectNothingStored(world, other, async () => {
      expectErrorPage(await other.request(posted.location ?? ''), 400);
    });
    // The handle is spent, whoever came; so is none of the rest.
    const again = await post(page);
    expect((await browser.request(again.location ?? '')).status).toBe(303);
    await expectNothingStored(world, browser, async () => {
      expectErrorPage(await browser.request(again.location ?? ''), 400);
    });
  });

  it('refuses a forged post', async () => {
    const browser = world.browser();
    const { page } = await goToApple(browser, 'forged');
    await expectNothingStored(world, browser, async () => {
      expectErrorPage(await post(page, { state: 'x'.repeat(43) }), 400);
    });
  });

  it('shows that the person has cancelled', async () => {
    const browser = world.browser();
    const { page } = await goToApple(browser, 'cancelled');
    const { action, fields } = form(page.text());
    const posted = await world.browser().request(action, {
      form: { state: fields['state'] ?? '', error: 'user_cancelled_authorize' },
    });
    await expectNothingStored(world, browser, async () => {
      expectErrorPage(await browser.request(posted.location ?? ''), 403);
    });
  });

  it('refreshes with a secret that the team signs, and keeps the refresh token', async () => {
    const token = await signIn('reader');
    const before = await given(token);
    await setSecondsLeft(world, 'apple', subjectOf('reader'), EXPIRED);
    const after = await given(token);
    expect(after.access_token).not.toBe(before.access_token);
    expect(after.refresh_token).toBe(before.refresh_token);
    await eventually('the id_token of the refresh is verified', async () => {
      const { verified, status } = await account(world, 'apple', subjectOf('reader'));
      return Boolean(verified) && status === 'active';
    });
  });

  it('gives the tokens back when the account is unlinked', async () => {
    const token = await signIn('leaving');
    const { refresh_token: refreshToken = '' } = await given(token);
    expect(apple.liveRefreshTokens).toContain(refreshToken);
    await unlink(world, token, 'apple');
    await eventually('the refresh token is revoked', () => !apple.liveRefreshTokens.includes(refreshToken));
    expect(apple.requests('POST /auth/revoke')[0]?.form.get('token_type_hint')).toBe('refresh_token');
  });

  it('has asked nothing that Apple would refuse, and leaves no secret anywhere', async () => {
    expect(apple.complaints).toEqual([]);
    world.ledger.addAll(apple.secrets, 'at Apple');
    await world.assertNoLeaks();
  });
});
