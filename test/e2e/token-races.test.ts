import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases, type Row } from '../support/databases.js';
import type { Browser, BrowserResponse, RequestOptions } from '../support/http-browser.js';
import { authorizationUrl, login, open, toldClient } from '../support/journeys.js';
import {
  assertionRequest,
  clientAssertion,
  KEEPER,
  KEEPER_SCOPE,
  signerKey,
  tokenClients,
  WANDERER,
  type SignerKey,
} from '../support/token-clients.js';
import { createWorld, refreshRequest, tokenRequest, type TokenAnswer, type World } from '../support/world.js';

const TIMES = 100;

interface Credentials {
  client_id: string;
  client_secret?: string;
}

const won = (answers: readonly BrowserResponse[]): BrowserResponse[] => answers.filter(({ status }) => status === 200);
const expectRefused = (answers: readonly BrowserResponse[], error: string): void => {
  const said = answers.map((answer) => `${answer.status} ${String(answer.json()['error'])}`);
  expect(new Set(said)).toEqual(new Set(said.length === 0 ? [] : [`400 ${error}`]));
};

/** On SQLite one process, on PostgreSQL two, asked in turn. */
describe.each(databases)(`${TIMES} at once on $name`, (kind) => {
  let world: World;
  let alice: Browser;
  let urls: string[];
  let key: SignerKey;
  let spent = '';
  const revoked: { client: Credentials; given: TokenAnswer }[] = [];
  beforeAll(async () => {
    key = await signerKey();
    world = await createWorld(kind, {
      configure: (configuration) => ({
        ...configuration,
        scopes: [{ name: 'reports:read', description: 'Read your reports' }],
        clients: [...(configuration['clients'] ?? []), ...tokenClients(key)],
      }),
    });
    world.ledger.add(KEEPER.client_secret, 'configured secret');
    urls = [world.service.url];
    if (kind.name === 'postgres') urls.push((await world.startReplica()).url);
    alice = world.browser();
    await login(world, alice);
  });
  afterAll(() => world.stop());

  const post = (url: string, request: RequestOptions): Promise<BrowserResponse> =>
    world.browser().request(`${url}/token`, request);
  const allAtOnce = (request: RequestOptions): Promise<BrowserResponse[]> =>
    Promise.all(Array.from({ length: TIMES }, (_, index) => post(urls[index % urls.length] ?? '', request)));
  const issueCode = async (client: Credentials): Promise<RequestOptions> => {
    const { url, verifier } = authorizationUrl(world, { client_id: client.client_id, scope: KEEPER_SCOPE });
    return tokenRequest(client, toldClient(await open(alice, url)).get('code') ?? '', verifier);
  };
  const signIn = async (client: Credentials): Promise<Required<TokenAnswer>> =>
    (await post(world.service.url, await issueCode(client))).json<Required<TokenAnswer>>();
  const family = ({ access_token: token }: TokenAnswer): Promise<Row[]> =>
    world.database.query('SELECT consumed_at, successor FROM refresh_tokens WHERE grant_id = ?', [
      decodeJwt(token)['grant_id'],
    ]);

  /** Nobody can do anything with what they were given, whoever is asked. */
  async function expectDead(client: Credentials, given: TokenAnswer): Promise<void> {
    const [grant] = await world.database.query('SELECT revoked_at FROM grants WHERE id = ?', [
      decodeJwt(given.access_token)['grant_id'],
    ]);
    expect(grant?.['revoked_at']).not.toBeNull();
    for (const url of urls) {
      const { access_token: token, refresh_token: refreshToken = '' } = given;
      const read = await world.browser().request(`${url}/federated-identities/mobypay/token`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      });
      expect(read.status).toBe(401);
      expectRefused([await post(url, refreshRequest(client, refreshToken))], 'invalid_grant');
    }
  }

  function expectRevoked(client: Credentials, given: TokenAnswer): Promise<void> {
    revoked.push({ client, given });
    return expectDead(client, given);
  }

  it('RFC 9700 4.2, 4.5: code single-use, reuse revokes what it gave', async () => {
    const answers = await allAtOnce(await issueCode(KEEPER));
    const [winner, ...others] = won(answers);
    expect(others).toEqual([]);
    expectRefused(
      answers.filter((answer) => answer !== winner),
      'invalid_grant',
    );
    const given = winner?.json<TokenAnswer>() ?? { access_token: '', expires_in: 0, token_type: '', scope: '' };
    expect(await family(given)).toHaveLength(1);
    await expectRevoked(KEEPER, given);
  });

  it('a refresh token of a confidential client: never more than one successor, and the byte-identical answer for all', async () => {
    const first = await signIn(KEEPER);
    const request = refreshRequest(KEEPER, first.refresh_token);
    const answers = await allAtOnce(request);
    expect(won(answers)).toHaveLength(TIMES);
    expect(new Set(answers.map((answer) => answer.text())).size).toBe(1);
    const second = answers[0]?.json<Required<TokenAnswer>>() ?? first;
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await family(first)).toHaveLength(2);

    const third = (await post(world.service.url, refreshRequest(KEEPER, second.refresh_token))).json<TokenAnswer>();
    expect(third.refresh_token).toMatch(/\S/);
    // The successor has been used: whoever comes with its predecessor now has no excuse.
    expectRefused(await allAtOnce(request), 'invalid_grant');
    await expectRevoked(KEEPER, third);
  });

  it('a refresh token of a public client: rotation with no grace, a replay kills the family at once', async () => {
    const first = await signIn(WANDERER);
    const answers = await allAtOnce(refreshRequest(WANDERER, first.refresh_token));
    const [winner, ...others] = won(answers);
    expect(others).toEqual([]);
    expectRefused(
      answers.filter((answer) => answer !== winner),
      'invalid_grant',
    );
    expect((await family(first)).length).toBeLessThanOrEqual(2);
    await expectRevoked(WANDERER, winner?.json<TokenAnswer>() ?? first);
    await expectRevoked(WANDERER, first);
  });

  it('Client assertions: jti kept until exp and used once across replicas', async () => {
    const assertion = await clientAssertion(key, world.service.url);
    const answers = await allAtOnce(assertionRequest(assertion, world.ledger));
    expect(won(answers)).toHaveLength(1);
    expectRefused(
      answers.filter(({ status }) => status !== 200),
      'invalid_client',
    );
    expect(await world.database.query('SELECT 1 FROM used_assertions')).toHaveLength(1);
    spent = assertion;
  });

  it('a refusal is committed before it is told: after a power failure nothing of it lives again', async () => {
    await world.restart('kill');
    expect(revoked).toHaveLength(4);
    for (const { client, given } of revoked) await expectDead(client, given);
    const again = urls.map((url) => post(url, assertionRequest(spent, world.ledger)));
    expectRefused(await Promise.all(again), 'invalid_client');
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
