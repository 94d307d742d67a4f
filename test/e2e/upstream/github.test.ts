import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../../support/databases.js';
import { bringBackCallback, count, expectErrorPage, expectNothingStored, login } from '../../support/journeys.js';
import { GitHub } from '../../support/providers/github.js';
import { createPresetWorld, signInByPreset, unlink, type Given } from '../../support/providers/preset-world.js';
import { eventually } from '../../support/vault.js';
import type { World } from '../../support/world.js';

const CLIENT = { client_id: 'Iv1.8a61f9b3a7aba766', client_secret: 'e72e16c7e42f292c6912e7710c838347ae178b4a' };
const TOKEN_ROUTE = 'POST /login/oauth/access_token';
const REVOCATION_ROUTE = `DELETE /api/v3/applications/${CLIENT.client_id}/token`;

describe.each(databases)("GitHub's preset on $name", (kind) => {
  let world: World;
  let github: GitHub;
  beforeAll(async () => {
    github = await new GitHub(CLIENT).start();
    world = await createPresetWorld(kind, github, {
      id: 'github',
      preset: 'github',
      client_secret: CLIENT.client_secret,
      endpoints: github.endpoints,
    });
  });
  afterAll(async () => {
    await world.stop();
    await github.stop();
  });

  const signIn = (person: string) => signInByPreset(world, 'github', person);

  async function userOf(id: number): Promise<Record<string, unknown> | undefined> {
    const [row] = await world.database.query(
      `SELECT users.id, full_name, email, email_verified FROM users
       JOIN linked_accounts ON user_id = users.id WHERE identity_provider = 'github' AND subject = ?`,
      [String(id)],
    );
    return row && { ...row, email_verified: Boolean(row['email_verified']) };
  }

  it('signs in whom the numeric id names, by the address that GitHub has verified', async () => {
    github.users.set('octocat', {
      id: 583_231,
      login: 'octocat',
      name: null,
      email: null,
      emails: [
        { email: 'unproven@example.com', primary: false, verified: false, visibility: null },
        { email: 'octocat@example.com', primary: true, verified: true, visibility: 'private' },
      ],
    });
    await signIn('octocat');
    expect(await userOf(583_231)).toMatchObject({ email: 'octocat@example.com', email_verified: true });
    expect(github.complaints).toEqual([]);
  });

  it('takes no address for verified that GitHub has not verified', async () => {
    github.users.set('unproven', {
      id: 583_232,
      login: 'unproven',
      name: 'Unproven',
      email: 'public@example.com',
      emails: [{ email: 'public@example.com', primary: true, verified: false, visibility: 'public' }],
    });
    await signIn('unproven');
    expect(await userOf(583_232)).toMatchObject({ full_name: 'Unproven', email_verified: false });
  });

  it('knows a user again who has taken another name there', async () => {
    await signIn('renamed');
    const before = await count(world, 'users');
    github.users.set('renamed', { ...github.users.get('renamed')!, login: 'somebody-new', name: 'New Name' });
    await signIn('renamed');
    expect(await count(world, 'users')).toBe(before);
  });

  it('asks for what the preset says, and redeems the code once with the secret in the body', async () => {
    await signIn('asked');
    const { query } = github.requests('GET /login/oauth/authorize').at(-1)!;
    expect(query.get('scope')).toBe('read:user user:email');
    expect(query.has('nonce')).toBe(false);
    const { form, headers } = github.requests(TOKEN_ROUTE).at(-1)!;
    expect(form.get('client_secret')).toBe(CLIENT.client_secret);
    expect(headers.authorization).toBeUndefined();
    expect(headers.accept).toBe('application/json');
  });

  it('gives out the token of an account again and again, as one that lives an hour, and never refreshes it', async () => {
    const token = await signIn('reader');
    const asked = github.requests(TOKEN_ROUTE).length;
    const first = (await world.pace(token, 'github')).json<Given>();
    expect(first).toEqual({
      access_token: expect.stringMatching(/^gho_/) as string,
      token_type: expect.stringMatching(/^bearer$/i) as string,
      expires_in: 3600,
      scope: 'read:user user:email',
    });
    // Long ago, as if many hours had passed.
    await world.database.query('UPDATE linked_accounts SET obtained_at = 1');
    expect((await world.pace(token, 'github')).json()).toEqual(first);
    expect((await world.onezone(token, 'github')).json()).toEqual({ token: first.access_token, ttl: 3600 });
    expect(github.requests(TOKEN_ROUTE)).toHaveLength(asked);
    expect(await world.database.query('SELECT expires_at FROM linked_accounts WHERE expires_at IS NOT NULL')).toEqual(
      [],
    );
  });

  it.each([
    ['bad_verification_code', 403],
    ['incorrect_client_credentials', 500],
    ['redirect_uri_mismatch', 403],
    ['unverified_user_email', 403],
  ])('takes %s for the error that it is, though it comes with 200', async (error, status) => {
    const browser = world.browser();
    const callback = await bringBackCallback(world, browser, { provider: 'github', login: 'unlucky' });
    github.answerNext(TOKEN_ROUTE, { body: { error, error_description: 'As documented.', error_uri: '/apps' } });
    await expectNothingStored(world, browser, async () => {
      expect((await browser.request(callback)).status).toBe(status);
    });
  });

  it('refuses a code that GitHub does not know', async () => {
    const browser = world.browser();
    const callback = await bringBackCallback(world, browser, { provider: 'github', login: 'unlucky' });
    callback.searchParams.set('code', 'made-up');
    await expectNothingStored(world, browser, async () => {
      expectErrorPage(await browser.request(callback), 403);
    });
    expect(github.complaints.splice(0)).toEqual(['token: code']);
  });

  it.each([
    ['will not show the addresses', 404],
    ['has a bad day', 500],
  ])('signs in without an address where GitHub %s', async (_, status) => {
    github.answerNext('GET /api/v3/user/emails', { status, body: { message: 'no' } });
    expect((await login(world, world.browser(), { provider: 'github', login: `no-address-${status}` })).status).toBe(
      303,
    );
    const { id } = github.users.get(`no-address-${status}`)!;
    expect(await userOf(id)).toMatchObject({ email: null, email_verified: false });
  });

  it.each([
    ['refuses the token', { status: 401, body: { message: 'Bad credentials' } }, 403],
    ['names nobody', { body: { login: 'nobody' } }, 403],
    ['has reached its rate limit', { status: 429, body: { message: 'API rate limit exceeded' } }, 503],
  ])('signs nobody in where the user API %s', async (_, answer, status) => {
    const browser = world.browser();
    const callback = await bringBackCallback(world, browser, { provider: 'github', login: 'unlucky' });
    github.answerNext('GET /api/v3/user', answer);
    await expectNothingStored(world, browser, async () => {
      expect((await browser.request(callback)).status).toBe(status);
    });
  });

  it('gives the token back as GitHub documents it when the account is unlinked', async () => {
    const token = await signIn('leaving');
    const { access_token: upstream } = (await world.pace(token, 'github')).json<Given>();
    expect(github.liveTokens).toContain(upstream);
    await unlink(world, token, 'github');
    await eventually('the token is revoked', () => !github.liveTokens.includes(upstream));
    const { body, headers } = github.requests(REVOCATION_ROUTE).at(-1)!;
    expect(JSON.parse(body)).toEqual({ access_token: upstream });
    expect(headers['content-type']).toContain('application/json');
    expect(headers.authorization).toBe(
      `Basic ${Buffer.from(`${CLIENT.client_id}:${CLIENT.client_secret}`).toString('base64')}`,
    );
    await eventually('it is audited', async () => (await revocations()).includes('success'));
    expect((await world.pace(token, 'github')).status).toBe(401);
  });

  it('is done where the user has withdrawn the token already', async () => {
    const token = await signIn('gone');
    const before = (await revocations()).length;
    github.answerNext(REVOCATION_ROUTE, { status: 404, body: { message: 'Not Found' } });
    await unlink(world, token, 'github');
    await eventually('it is audited', async () => (await revocations()).length > before);
    expect(new Set(await revocations())).toEqual(new Set(['success']));
  });

  it('has asked nothing that GitHub would refuse, and leaves no secret anywhere', async () => {
    expect(github.complaints).toEqual([]);
    world.ledger.addAll(github.secrets, 'at GitHub');
    await world.assertNoLeaks();
  });

  async function revocations(): Promise<unknown[]> {
    const rows = await world.database.query("SELECT outcome FROM audit_events WHERE event = 'upstream-token.revoked'");
    return rows.map((row) => row['outcome']);
  }
});
