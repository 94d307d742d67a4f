import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../../support/databases.js';
import { bringBackCallback, expectErrorPage, expectNothingStored, login } from '../../support/journeys.js';
import { aadsts, CONTOSO, Entra, FABRIKAM, subjectOf } from '../../support/providers/entra.js';
import { createPresetWorld, signInByPreset, unlink, type Given } from '../../support/providers/preset-world.js';
import { endBackOff, eventually } from '../../support/vault.js';
import type { World } from '../../support/world.js';
import { account, setSecondsLeft } from './two-providers.js';

const CLIENT = {
  client_id: '6731de76-14a6-49ae-97bc-6eba6914391e',
  client_secret: 'sampleCredentia1s~0123456789.abcdefghij',
};
const NORTHWIND = '3b9f1a52-7c1e-4d3e-9a6b-2f6f0e4f7a33';
const TOKEN_ROUTE = 'POST /organizations/oauth2/v2.0/token';
const EXPIRED = -1;

describe.each(databases)("Entra's preset for several tenants on $name", (kind) => {
  let world: World;
  let entra: Entra;
  beforeAll(async () => {
    entra = await new Entra(CLIENT).start();
    world = await createPresetWorld(kind, entra, {
      id: 'entra',
      preset: 'entra',
      issuer: entra.issuer,
      tenants: [CONTOSO, FABRIKAM],
      client_secret: CLIENT.client_secret,
    });
  });
  afterAll(async () => {
    await world.stop();
    await entra.stop();
  });

  const signIn = (person: string) => signInByPreset(world, 'entra', person);

  async function given(token: string): Promise<Given> {
    const answer = await world.pace(token, 'entra');
    expect(answer.status).toBe(200);
    return answer.json<Given>();
  }

  it.each([
    ['one', CONTOSO],
    ['another', FABRIKAM],
  ])('admits the people of %s tenant that is listed, each under the issuer of the tenant', async (which, tenant) => {
    const person = `of-${which}-tenant`;
    entra.tenants.set(person, tenant);
    expect((await given(await signIn(person))).scope).toContain('openid');
    expect(await account(world, 'entra', subjectOf(person))).toMatchObject({ issuer: entra.issuerOf(tenant) });
  });

  it('takes no address for verified, since a tenant writes there what it likes', async () => {
    await signIn('addressed');
    const [user] = await world.database.query(
      'SELECT email, email_verified FROM users JOIN linked_accounts ON user_id = users.id WHERE subject = ?',
      [subjectOf('addressed')],
    );
    expect([user?.['email'], Boolean(user?.['email_verified'])]).toEqual(['addressed@contoso.example', false]);
  });

  it.each<[string, (entra: Entra) => Record<string, unknown>]>([
    ['of a tenant that is not listed', () => ({ iss: entra.issuerOf(NORTHWIND), tid: NORTHWIND })],
    ['whose iss names a listed tenant, and whose tid another that is not', () => ({ tid: NORTHWIND })],
    ['whose tid names a listed tenant, and whose iss another that is not', () => ({ iss: entra.issuerOf(NORTHWIND) })],
    ['whose iss and tid name two listed tenants', () => ({ tid: FABRIKAM })],
    ['without tid', () => ({ tid: undefined })],
    ['whose iss is the template', () => ({ iss: entra.issuer, tid: '{tenantid}' })],
    ['whose tid holds a tenant and more', () => ({ tid: [CONTOSO] })],
  ])('refuses an id_token %s, and stores nothing', async (_, claims) => {
    const browser = world.browser();
    const callback = await bringBackCallback(world, browser, { provider: 'entra', login: 'stranger' });
    entra.nextClaims = claims(entra);
    await expectNothingStored(world, browser, async () => {
      expectErrorPage(await browser.request(callback), 403);
    });
  });

  it('replaces the refresh token at every refresh', async () => {
    const token = await signIn('reader');
    const before = await given(token);
    await setSecondsLeft(world, 'entra', subjectOf('reader'), EXPIRED);
    const after = await given(token);
    expect(after.access_token).not.toBe(before.access_token);
    expect(after.refresh_token).not.toBe(before.refresh_token);
    await setSecondsLeft(world, 'entra', subjectOf('reader'), EXPIRED);
    await given(token);
    await eventually('the id_token of the refresh is verified', async () => {
      const { verified, status } = await account(world, 'entra', subjectOf('reader'));
      return Boolean(verified) && status === 'active';
    });
  });

  it('ends an account whose refresh suddenly speaks for another tenant', async () => {
    const token = await signIn('moved');
    await setSecondsLeft(world, 'entra', subjectOf('moved'), EXPIRED);
    entra.nextClaims = { iss: entra.issuerOf(FABRIKAM), tid: FABRIKAM };
    expect((await world.pace(token, 'entra')).status).toBe(401);
    expect(await account(world, 'entra', subjectOf('moved'))).toMatchObject({
      reason: 'subject_mismatch',
      access_token: null,
      refresh_token: null,
    });
  });

  it.each([
    ['interaction_required', 50_076, 'Due to a configuration change, you must use multi-factor authentication.'],
    ['consent_required', 65_001, 'The user or administrator has not consented to use the application.'],
    ['invalid_grant', 50_173, 'The provided grant has expired due to it being revoked.'],
  ])('asks the user to come back after %s, and serves again after that', async (error, code, text) => {
    const person = `met-${error}`;
    const token = await signIn(person);
    await setSecondsLeft(world, 'entra', subjectOf(person), EXPIRED);
    entra.answerNext(TOKEN_ROUTE, aadsts(error, code, text));
    expect((await world.pace(token, 'entra')).status).toBe(401);
    expect((await world.onezone(token, 'entra')).status).toBe(404);
    expect(await account(world, 'entra', subjectOf(person))).toMatchObject({
      reason: error === 'invalid_grant' ? 'invalid_grant' : 'interaction_required',
    });
    await signIn(person);
    await given(token);
  });

  it('holds it against nobody that the client secret has expired', async () => {
    const token = await signIn('misconfigured');
    await setSecondsLeft(world, 'entra', subjectOf('misconfigured'), EXPIRED);
    entra.answerNext(
      TOKEN_ROUTE,
      aadsts('invalid_client', 7_000_222, 'The provided client secret keys are expired.', 401),
    );
    expect((await world.pace(token, 'entra')).status).toBe(500);
    await endBackOff(world);
    await given(token);
  });

  it('waits as long as it is told to', async () => {
    const token = await signIn('throttled');
    await setSecondsLeft(world, 'entra', subjectOf('throttled'), EXPIRED);
    entra.answerNext(TOKEN_ROUTE, {
      ...aadsts('invalid_request', 90_055, 'There were too many requests.', 429),
      headers: { 'retry-after': '30' },
    });
    const asked = entra.requests(TOKEN_ROUTE).length;
    const refused = await world.onezone(token, 'entra');
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(20);
    expect((await world.onezone(token, 'entra')).status).toBe(503);
    expect(entra.requests(TOKEN_ROUTE)).toHaveLength(asked + 1);
    await endBackOff(world);
    await given(token);
  });

  it('says that Entra revokes nothing when an account is unlinked', async () => {
    const token = await signIn('leaving');
    await unlink(world, token, 'entra');
    await eventually('it is audited', async () => {
      const [row] = await world.database.query(
        "SELECT reason FROM audit_events WHERE event = 'upstream-token.revoked'",
      );
      return row?.['reason'] === 'unsupported';
    });
    expect((await login(world, world.browser(), { provider: 'entra', login: 'next' })).status).toBe(303);
  });

  it('has asked nothing that Entra would refuse, and leaves no secret anywhere', async () => {
    expect(entra.complaints).toEqual([]);
    world.ledger.addAll(entra.secrets, 'at Entra');
    await world.assertNoLeaks();
  });
});
