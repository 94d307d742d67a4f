import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Link } from '../fault/support/link.js';
import { databases } from '../support/databases.js';
import { armKillPoint, KILLED, killPoint } from '../support/kill-point.js';
import type { Browser, BrowserResponse, RequestOptions } from '../support/http-browser.js';
import { authorizationUrl, count, login, open, toldClient } from '../support/journeys.js';
import type { Service } from '../support/service.js';
import {
  assertionRequest,
  clientAssertion,
  KEEPER,
  KEEPER_SCOPE,
  signerKey,
  tokenClients,
  type SignerKey,
} from '../support/token-clients.js';
import { eventually } from '../support/vault.js';
import { createWorld, refreshRequest, tokenRequest, type TokenAnswer, type World } from '../support/world.js';

const INSERT = 'INSERT INTO "refresh_tokens"';

/** SIGKILL where it hurts. On PostgreSQL another process lives on; on SQLite the same one comes back. */
describe.each(databases)('a process that is killed between claim and answer, on $name', (kind) => {
  let world: World;
  let alice: Browser;
  let key: SignerKey;
  const links: Link[] = [];
  beforeAll(async () => {
    key = await signerKey();
    world = await createWorld(kind, {
      env: killPoint(INSERT),
      configure: (configuration) => ({
        ...configuration,
        scopes: [{ name: 'reports:read', description: 'Read your reports' }],
        clients: [...(configuration['clients'] ?? []), ...tokenClients(key)],
      }),
    });
    world.ledger.add(KEEPER.client_secret, 'configured secret');
    alice = world.browser();
    await login(world, alice);
  });
  afterAll(async () => {
    await world.stop();
    for (const link of links) await link.cut();
  });

  const linkTo = async (url: string): Promise<Link> => {
    const link = await Link.start(Number(new URL(url).port));
    links.push(link);
    return link;
  };
  const post = (request: RequestOptions, url = world.service.url): Promise<BrowserResponse> =>
    world.browser().request(`${url}/token`, request);
  const issueCode = async (): Promise<RequestOptions> => {
    const { url, verifier } = authorizationUrl(world, { client_id: KEEPER.client_id, scope: KEEPER_SCOPE });
    return tokenRequest(KEEPER, toldClient(await open(alice, url)).get('code') ?? '', verifier);
  };
  const signIn = async (): Promise<Required<TokenAnswer>> =>
    (await post(await issueCode())).json<Required<TokenAnswer>>();

  /** One that is to die: a second process, or the only one. */
  const victim = (databaseUrl?: string): Promise<Service> =>
    kind.name === 'postgres'
      ? world.startReplica(databaseUrl === undefined ? {} : { databaseUrl })
      : Promise.resolve(world.service);
  const bury = async (dead: Service): Promise<void> => {
    await dead.kill();
    if (dead === world.service) await world.restart('kill');
  };

  /** The request is done and its answer is on the way when the process dies; nobody ever reads it. */
  async function loseAnswer(request: RequestOptions, table: string): Promise<void> {
    const service = await victim();
    const link = await linkTo(service.url);
    const before = await count(world, table);
    link.stall('down');
    const answer = post(request, link.url).catch(() => undefined);
    await eventually('it is committed', async () => (await count(world, table)) > before);
    await bury(service);
    link.drop();
    expect(await answer).toBeUndefined();
  }

  it('RFC 6749 4.1.2: a code whose answer was lost is spent, and coming back revokes what it gave', async () => {
    const request = await issueCode();
    await loseAnswer(request, 'refresh_tokens');
    const [given] = await world.database.query('SELECT grant_id FROM refresh_tokens ORDER BY created_at DESC LIMIT 1');
    const again = await post(request);
    expect([again.status, again.json()['error']]).toEqual([400, 'invalid_grant']);
    const [grant] = await world.database.query('SELECT revoked_at FROM grants WHERE id = ?', [given?.['grant_id']]);
    expect(grant?.['revoked_at']).not.toBeNull();
    expect(await count(world, 'refresh_tokens', 'WHERE grant_id = ?', [given?.['grant_id']])).toBe(1);
  });

  it('a rotated refresh token whose answer was lost: the same client gets the answer, always the same one, elsewhere too', async () => {
    const first = await signIn();
    const request = refreshRequest(KEEPER, first.refresh_token);
    await loseAnswer(request, 'refresh_tokens');
    const [answer, again] = [await post(request), await post(request)];
    expect([answer.status, again.text()]).toEqual([200, answer.text()]);
    const grantId = decodeJwt(first.access_token)['grant_id'];
    expect(await count(world, 'refresh_tokens', 'WHERE grant_id = ?', [grantId])).toBe(2);
    const next = await post(refreshRequest(KEEPER, answer.json<Required<TokenAnswer>>().refresh_token));
    expect(next.status).toBe(200);
  });

  it('a client assertion whose answer was lost is spent', async () => {
    const request = assertionRequest(await clientAssertion(key, world.service.url), world.ledger);
    await loseAnswer(request, 'used_assertions');
    const again = await post(request);
    expect([again.status, again.json()['error']]).toEqual([400, 'invalid_client']);
  });

  /** The process dies when its transaction has claimed what it was given, and stored nothing yet. */
  async function dieInTransaction(request: RequestOptions): Promise<void> {
    if (kind.name === 'sqlite') {
      // The transaction is over within one turn of the process: nothing from outside gets between its statements.
      const { service } = world;
      await armKillPoint(service);
      expect(await post(request).catch(() => undefined)).toBeUndefined();
      expect(service.output()).toContain(KILLED);
      await bury(service);
      return;
    }
    const database = await linkTo(world.database.url);
    const service = await victim(database.through(world.database.url));
    const { reached } = database.stopBefore(INSERT);
    const answer = post(request, service.url).catch(() => undefined);
    await reached;
    await bury(service);
    database.drop();
    expect(await answer).toBeUndefined();
  }

  it.each([
    ['a code', issueCode, 0],
    ['a refresh token', async () => refreshRequest(KEEPER, (await signIn()).refresh_token), 1],
  ])('in the middle of the transaction: %s is as good as before, once', async (_, makeRequest, before) => {
    const request = await makeRequest();
    const rows = await count(world, 'refresh_tokens');
    await dieInTransaction(request);
    expect(await count(world, 'refresh_tokens')).toBe(rows);

    const given = await post(request);
    expect(given.status).toBe(200);
    const grantId = decodeJwt(given.json<TokenAnswer>().access_token)['grant_id'];
    expect(await count(world, 'refresh_tokens', 'WHERE grant_id = ?', [grantId])).toBe(before + 1);
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
