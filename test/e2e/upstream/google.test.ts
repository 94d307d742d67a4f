import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../../support/databases.js';
import { Google, subjectOf } from '../../support/providers/google.js';
import { createPresetWorld, signInByPreset, unlink, type Given } from '../../support/providers/preset-world.js';
import { endBackOff, eventually } from '../../support/vault.js';
import type { World } from '../../support/world.js';
import { account, setSecondsLeft } from './two-providers.js';

const CLIENT = {
  client_id: '1234987819200.apps.googleusercontent.com',
  client_secret: 'GOCSPX-0123456789abcdefghijklmnop_-',
};
const AUTHORIZATION_ROUTE = 'GET /o/oauth2/v2/auth';
const TOKEN_ROUTE = 'POST /token';
const EXPIRED = -1;

describe.each(databases)("Google's preset on $name", (kind) => {
  let world: World;
  let google: Google;
  beforeAll(async () => {
    google = await new Google(CLIENT).start();
    world = await createPresetWorld(kind, google, {
      id: 'google',
      preset: 'google',
      issuer: google.origin,
      client_secret: CLIENT.client_secret,
    });
  });
  afterAll(async () => {
    await world.stop();
    await google.stop();
  });

  const signIn = (person: string) => signInByPreset(world, 'google', person);

  async function given(token: string): Promise<Given> {
    const answer = await world.pace(token, 'google');
    expect(answer.status).toBe(200);
    return answer.json<Given>();
  }

  it('asks for offline access as Google wants it, and for no scope that Google does not know', async () => {
    await signIn('asked');
    const { query } = google.requests(AUTHORIZATION_ROUTE).at(-1)!;
    expect(Object.fromEntries(query)).toMatchObject({
      access_type: 'offline',
      prompt: 'consent',
      include_granted_scopes: 'true',
      scope: 'openid profile email',
    });
    expect(google.complaints).toEqual([]);
  });

  it('gives out what Google granted, under the names that Google uses', async () => {
    const token = await signIn('reader');
    expect(await given(token)).toMatchObject({
      access_token: expect.stringMatching(/^ya29\./) as string,
      token_type: 'Bearer',
      refresh_token: expect.stringMatching(/^1\/\/0g/) as string,
      scope: 'openid https://www.googleapis.com/auth/userinfo.profile https://www.googleapis.com/auth/userinfo.email',
    });
    const [user] = await world.database.query(
      `SELECT full_name, email FROM users JOIN linked_accounts ON user_id = users.id WHERE subject = ?`,
      [subjectOf('reader')],
    );
    expect(user).toEqual({ full_name: 'reader of Google', email: 'reader@gmail.com' });
    const { claims } = await account(world, 'google', subjectOf('reader'));
    expect(typeof claims === 'string' ? JSON.parse(claims) : claims).toMatchObject({ given_name: 'reader' });
  });

  it('refreshes time and again with the one refresh token that Google gave', async () => {
    const token = await signIn('refreshed');
    const seen = [await given(token)];
    for (let time = 1; time <= 3; time += 1) {
      await setSecondsLeft(world, 'google', subjectOf('refreshed'), EXPIRED);
      seen.push(await given(token));
    }
    expect(new Set(seen.map(({ access_token: each }) => each)).size).toBe(4);
    expect(new Set(seen.map(({ refresh_token: each }) => each)).size).toBe(1);
    expect(new Set(seen.map(({ scope }) => scope)).size).toBe(1);
    await eventually('the id_tokens of the refreshes are verified', async () => {
      const { verified, status } = await account(world, 'google', subjectOf('refreshed'));
      return Boolean(verified) && status === 'active';
    });
  });

  it('keeps the refresh token where a sign-in brings none', async () => {
    const token = await signIn('again');
    const { refresh_token: kept } = await given(token);
    google.withoutRefreshToken = true;
    try {
      await signIn('again');
    } finally {
      google.withoutRefreshToken = false;
    }
    expect((await given(token)).refresh_token).toBe(kept);
    await setSecondsLeft(world, 'google', subjectOf('again'), EXPIRED);
    await given(token);
  });

  it('asks the user to come back who has withdrawn the consent, and serves again after that', async () => {
    const token = await signIn('withdrawn');
    google.withdraw('withdrawn');
    await setSecondsLeft(world, 'google', subjectOf('withdrawn'), EXPIRED);
    expect((await world.pace(token, 'google')).status).toBe(401);
    expect((await world.onezone(token, 'google')).status).toBe(404);
    expect(await account(world, 'google', subjectOf('withdrawn'))).toMatchObject({ reason: 'invalid_grant' });
    await signIn('withdrawn');
    await given(token);
  });

  it('holds it against nobody that the client secret is wrong', async () => {
    const token = await signIn('misconfigured');
    await setSecondsLeft(world, 'google', subjectOf('misconfigured'), EXPIRED);
    google.answerNext(TOKEN_ROUTE, {
      status: 401,
      body: { error: 'invalid_client', error_description: 'The OAuth client was not found.' },
    });
    expect((await world.pace(token, 'google')).status).toBe(500);
    await endBackOff(world);
    await given(token);
  });

  it('gives the tokens back when the account is unlinked, though Google calls a second revocation an error', async () => {
    const token = await signIn('leaving');
    const { access_token: accessToken, refresh_token: refreshToken = '' } = await given(token);
    await unlink(world, token, 'google');
    await eventually('the tokens are revoked', () => !google.liveTokens.includes(refreshToken));
    expect(google.liveTokens).not.toContain(accessToken);
    expect(google.requests('POST /revoke').at(0)?.form.get('token')).toBe(refreshToken);
    await eventually('it is audited', async () => {
      const [row] = await world.database.query(
        "SELECT outcome FROM audit_events WHERE event = 'upstream-token.revoked'",
      );
      return row?.['outcome'] === 'success';
    });
  });

  it('has asked nothing that Google would refuse, and leaves no secret anywhere', async () => {
    expect(google.complaints).toEqual([]);
    world.ledger.addAll(google.secrets, 'at Google');
    await world.assertNoLeaks();
  });
});
