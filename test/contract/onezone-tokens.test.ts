import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocked, clientDisabled, grantRevoked, Stage, type Actor } from '../support/contract-row.js';
import { databases } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import { CLIENTS, createWorld, PROVIDER, REDIRECT_URI, type World } from '../support/world.js';
import {
  COMMON,
  FORBIDDEN,
  granted,
  NOT_FOUND,
  OCCUPIED,
  refused,
  TOKEN_INVALID,
  TOKEN_REVOKED,
  unauthenticated,
  USER_BLOCKED,
  type Problem,
} from './onezone/answers.js';
import {
  acquire,
  asPythonClient,
  basic,
  bearer,
  MAKER,
  MAKER_SCOPE,
  NAMED,
  namedToken,
  PASSWORD,
  TEMPORARY,
  USER,
  VERIFY,
} from './onezone/requests.js';
import { asMaker, creations, routes, strangers } from './onezone/tokens.rows.js';

const SECOND = { client_id: 'second', client_secret: 'second-secret-0123456789abcdef0123456789abcdef' };
const TOKEN = /^symbolon_ut_[A-Za-z0-9_-]{43}$/;
const seconds = (): number => Math.floor(Date.now() / 1000);
const expiresIn = (wanted: number) => [{ type: 'time', validUntil: seconds() + wanted }];

const withToken = (token: string) => ({ 'x-auth-token': token });
const unusable = (tokenError: Problem): Problem => ({
  id: 'badValueToken',
  details: { key: 'token', tokenError },
  description: 'Bad value: provided "token" is not a valid token (see details).',
});

interface Made {
  tokenId: string;
  token: string;
}

describe.each(databases)('Onezone: tokens that users make, on $name', (kind) => {
  let world: World;
  let stage: Stage;
  let maker: Actor;

  beforeAll(async () => {
    const makers = [MAKER, SECOND].map((client) => ({
      ...client,
      redirect_uris: [REDIRECT_URI],
      scope: MAKER_SCOPE,
      grant_types: ['authorization_code'],
      consent: 'implicit',
      upstream_providers: [PROVIDER],
    }));
    world = await createWorld(kind, {
      configure: ({ clients = [], users = [], ...rest }) => ({
        ...rest,
        clients: [...clients, ...makers],
        users: [...users, { username: 'grace', password: PASSWORD, basic_auth: true }],
      }),
    });
    for (const { client_secret: secret } of [MAKER, SECOND]) world.ledger.add(secret, 'configured secret');
    stage = new Stage(world);
    maker = await stage.actor(asMaker());
  });
  afterAll(async () => {
    await world.stop();
  });

  const wire = (answer: BrowserResponse) => stage.normaliser.wire(answer);
  const ask = (path: string, headers: Record<string, string>, method = 'GET', json?: unknown) =>
    world.request(path, { method, headers, json });
  const make = async (headers: Record<string, string>, request: Record<string, unknown>): Promise<Made> => {
    const answer = await ask(NAMED, headers, 'POST', request);
    expect(answer.status).toBe(201);
    return answer.json<Made>();
  };
  const userId = async (headers: Record<string, string>): Promise<string> =>
    (await ask(USER, headers)).json<{ userId: string }>().userId;
  const verify = (token: unknown, others = {}) => ask(VERIFY, {}, 'POST', { token, ...others });
  const change = (id: string, headers: Record<string, string>, json: unknown) =>
    ask(namedToken(id), headers, 'PATCH', json);
  const registered = (column: string, value: string) =>
    world.database.query(`UPDATE clients SET ${column} = ?, version = ? WHERE client_id = 'second'`, [
      value,
      randomUUID(),
    ]);
  const rows = (id: string) =>
    world.database.query('SELECT name, metadata, revoked_at FROM user_tokens WHERE id = ?', [id]);
  const events = async (event: string) =>
    (
      await world.database.query('SELECT outcome, client_id, reason FROM audit_events WHERE event = ? ORDER BY at', [
        event,
      ])
    ).map(({ outcome, client_id: client, reason }) => [outcome, client, reason]);

  describe('refuses strangers', () => {
    it.each(strangers)('$name', (row) => stage.check(row));
  });

  describe('refuses to make a token of', () => {
    it.each(creations)('$name', (row) => stage.check(row));
  });

  describe('the routes', () => {
    it.each(routes)('$name', (row) => stage.check(row));
  });

  describe('a named token', () => {
    it('is shown once, and says where its details are', async () => {
      const answer = await ask(NAMED, withToken(maker.token), 'POST', {
        name: 'my token (1)',
        type: { accessToken: {} },
        caveats: [...expiresIn(7200), ...expiresIn(3600)],
        customMetadata: { jobName: 'experiment-15', nested: [1, null] },
        color: 'means nothing',
      });
      const { tokenId, token } = answer.json<Made>();
      expect(wire(answer)).toStrictEqual({
        status: 201,
        headers: COMMON,
        body: { tokenId, token: '<token>' },
      });
      expect(token).toMatch(TOKEN);
      expect(answer.headers.get('location')).toBe(`${world.service.url}${namedToken(tokenId)}`);
      const details = await world.request(namedToken(tokenId), { headers: withToken(maker.token) });
      const { metadata, caveats } = details.json<{
        metadata: { creationTime: number };
        caveats: { validUntil: number }[];
      }>();
      expect(Math.abs(metadata.creationTime - seconds())).toBeLessThan(60);
      expect(Math.abs((caveats[0]?.validUntil ?? 0) - seconds() - 3600)).toBeLessThan(60);
      expect(wire(details)).toStrictEqual({
        status: 200,
        headers: COMMON,
        body: {
          id: tokenId,
          name: 'my token (1)',
          subject: { type: 'user', id: await userId(withToken(maker.token)) },
          type: { accessToken: {} },
          caveats: [{ type: 'time', validUntil: caveats[0]?.validUntil }],
          metadata: {
            creationTime: metadata.creationTime,
            custom: { jobName: 'experiment-15', nested: [1, null] },
          },
          revoked: false,
        },
      });
    });

    it('keeps whatever names its metadata has', async () => {
      const customMetadata = JSON.parse('{"constructor": {"constructor": 1}, "__proto__": {"a": 1}, "toString": null}');
      const json = JSON.stringify({ name: 'odd', customMetadata }).replace('{', `{"__proto__": 5, "constructor": [],`);
      const answer = await world.request(NAMED, {
        method: 'POST',
        headers: { ...withToken(maker.token), 'content-type': 'application/json' },
        body: json,
      });
      expect(answer.status).toBe(201);
      const { tokenId } = answer.json<Made>();
      const details = await ask(namedToken(tokenId), withToken(maker.token));
      expect(details.text()).toContain(`"custom":${JSON.stringify(customMetadata)}`);
    });

    it('is stored as a digest', async () => {
      const { token, tokenId } = await make(withToken(maker.token), { name: 'digested' });
      const [row] = await world.database.query('SELECT digest FROM user_tokens WHERE id = ?', [tokenId]);
      expect(row?.['digest']).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(token).not.toContain(row?.['digest']);
    });

    it.each(['x-auth-token', 'macaroon', 'authorization'])('is taken in the header %s', async (header) => {
      const { token } = await make(withToken(maker.token), { name: `in ${header}` });
      const answer = await acquire(maker, {
        headers: header === 'authorization' ? bearer(token) : { [header]: token },
      });
      expect(wire(answer)).toStrictEqual(granted('<token>'));
    });

    it('has a name that the user gives once, whatever else it is', async () => {
      await make(withToken(maker.token), { name: 'taken' });
      const before = await ask(NAMED, withToken(maker.token));
      expect(wire(await ask(NAMED, withToken(maker.token), 'POST', { name: 'taken' }))).toStrictEqual(OCCUPIED);
      expect((await ask(NAMED, withToken(maker.token))).json()).toEqual(before.json());
      await make(withToken((await stage.actor(asMaker('bob'))).token), { name: 'taken' });
    });

    it('can be renamed, noted on, revoked and brought back', async () => {
      const { token, tokenId } = await make(withToken(maker.token), { name: 'before', customMetadata: { a: 1 } });
      const changed = await change(tokenId, withToken(maker.token), { name: 'after', customMetadata: { b: 2 } });
      expect({ status: changed.status, text: changed.text() }).toEqual({ status: 204, text: '' });
      expect(changed.headers.get('access-control-allow-origin')).toBe('*');
      expect(await rows(tokenId)).toEqual([{ name: 'after', metadata: '{"b":2}', revoked_at: null }]);
      expect((await change(tokenId, withToken(maker.token), { revoked: true })).status).toBe(204);
      expect(wire(await acquire(maker, { headers: withToken(token) }))).toStrictEqual(unauthenticated(TOKEN_REVOKED));
      const details = await ask(namedToken(tokenId), withToken(maker.token));
      expect(details.json()).toMatchObject({ name: 'after', revoked: true });
      expect((await change(tokenId, withToken(maker.token), { revoked: false })).status).toBe(204);
      expect((await acquire(maker, { headers: withToken(token) })).status).toBe(200);
      await make(withToken(maker.token), { name: 'other' });
      expect(wire(await change(tokenId, withToken(maker.token), { name: 'other' }))).toStrictEqual(OCCUPIED);
      expect((await rows(tokenId))[0]).toMatchObject({ name: 'after' });
      expect(await events('user-token.updated')).toEqual([
        ['success', 'maker', null],
        ['success', 'maker', 'revoked'],
        ['success', 'maker', 'restored'],
      ]);
    });

    it('may be made revoked', async () => {
      const { token } = await make(withToken(maker.token), { name: 'asleep', revoked: true });
      expect(wire(await ask(USER, withToken(token)))).toStrictEqual(unauthenticated(TOKEN_REVOKED));
    });

    it('ends when its time caveat says so', async () => {
      const { token, tokenId } = await make(withToken(maker.token), { name: 'brief', caveats: expiresIn(3600) });
      expect((await ask(USER, withToken(token))).status).toBe(200);
      const expired = Date.UTC(2026, 0, 2, 3, 4, 5);
      await world.database.query('UPDATE user_tokens SET expires_at = ? WHERE id = ?', [expired, tokenId]);
      const problem: Problem = {
        id: 'tokenCaveatUnverified',
        details: { caveat: { type: 'time', validUntil: expired / 1000 } },
        description:
          "Provided token is not valid - unverified time caveat: this token has expired at '2026-01-02T03:04:05Z'.",
      };
      expect(wire(await ask(USER, withToken(token)))).toStrictEqual(unauthenticated(problem));
      expect(wire(await verify(token))).toStrictEqual(refused(400, problem));
    });

    it('is gone when it is deleted', async () => {
      const { token, tokenId } = await make(withToken(maker.token), { name: 'doomed' });
      const answer = await ask(namedToken(tokenId), withToken(maker.token), 'DELETE');
      expect({ status: answer.status, text: answer.text() }).toEqual({ status: 204, text: '' });
      expect(wire(await ask(USER, withToken(token)))).toStrictEqual(TOKEN_INVALID);
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const json = method === 'PATCH' ? { revoked: true } : undefined;
        expect(wire(await ask(namedToken(tokenId), withToken(maker.token), method, json))).toStrictEqual(NOT_FOUND);
      }
      expect(await events('user-token.deleted')).toEqual([['success', 'maker', null]]);
    });

    it('of somebody else, or of another client, is out of reach', async () => {
      const { token, tokenId } = await make(withToken(maker.token), { name: 'mine' });
      const strangersToIt = [
        await stage.actor(asMaker('eve')),
        await stage.actor({ login: 'alice', client: SECOND, scope: MAKER_SCOPE }),
      ];
      for (const stranger of strangersToIt) {
        for (const method of ['GET', 'PATCH', 'DELETE']) {
          const json = method === 'PATCH' ? { revoked: true } : undefined;
          const answer = await ask(namedToken(tokenId), withToken(stranger.token), method, json);
          expect(wire(answer)).toStrictEqual(FORBIDDEN);
        }
        expect((await ask(NAMED, withToken(stranger.token))).json()).toEqual({ tokens: [] });
        expect((await ask(NAMED, withToken(stranger.token), 'DELETE')).status).toBe(204);
      }
      expect((await ask(USER, withToken(token))).status).toBe(200);
    });

    it('is listed in the order of names, and all go together', async () => {
      const carol = withToken((await stage.actor(asMaker('carol'))).token);
      const made = [];
      for (const name of ['b2', 'c3', 'a1']) made.push(await make(carol, { name }));
      const listed = await ask(NAMED, carol);
      const ids = [made[2], made[0], made[1]].map((each) => each?.tokenId);
      expect(wire(listed)).toStrictEqual({ status: 200, headers: COMMON, body: { tokens: ids } });
      const { token } = (await ask(TEMPORARY, carol, 'POST', { caveats: expiresIn(60) })).json<{ token: string }>();
      expect((await ask(NAMED, carol, 'DELETE')).status).toBe(204);
      expect((await ask(NAMED, carol)).json()).toEqual({ tokens: [] });
      expect((await ask(USER, withToken(token))).status).toBe(200);
    });

    it('is one of a hundred at most', async () => {
      const dora = await stage.actor(asMaker('dora'));
      const id = await userId(withToken(dora.token));
      const names = Array.from({ length: 100 }, (_, index) => `dora-${index}`);
      await world.database.query(
        `INSERT INTO user_tokens (id, user_id, name, digest, metadata, created_at) VALUES ${names
          .map((name) => `('${name}', '${id}', '${name}', '${name}', '{}', 1)`)
          .join(', ')}`,
      );
      expect(wire(await ask(NAMED, withToken(dora.token), 'POST', { name: 'one more' }))).toStrictEqual(
        refused(400, {
          id: 'limitReached',
          details: { limit: 100, resourceDescription: 'named tokens' },
          description: 'The limit for named tokens has been reached: 100.',
        }),
      );
    });
  });

  describe('a temporary token', () => {
    it('is given without an id, and works until it ends', async () => {
      const answer = await ask(TEMPORARY, withToken(maker.token), 'POST', { caveats: expiresIn(600) });
      expect(wire(answer)).toStrictEqual({ status: 201, headers: COMMON, body: { token: '<token>' } });
      expect(answer.headers.get('location')).toBeNull();
      const { token } = answer.json<{ token: string }>();
      expect(token).toMatch(TOKEN);
      expect((await acquire(maker, { headers: withToken(token) })).status).toBe(200);
      const { ttl } = (await verify(token)).json<{ ttl: number }>();
      expect(ttl).toBeGreaterThan(500);
      expect(ttl).toBeLessThanOrEqual(600);
    });
  });

  it('temporary tokens of a client are revoked together, and no others', async () => {
    const kate = (await stage.actor(asMaker('kate'))).token;
    const others = (await stage.actor({ login: 'kate', client: SECOND, scope: MAKER_SCOPE })).token;
    const temporary = async (by: string): Promise<string> =>
      (await ask(TEMPORARY, withToken(by), 'POST', { caveats: expiresIn(60) })).json<{ token: string }>().token;
    const gone = [await temporary(kate), await temporary(kate)];
    const kept = [await temporary(others), (await make(withToken(kate), { name: 'kept' })).token];
    const answer = await ask(TEMPORARY, withToken(kate), 'DELETE');
    expect({ status: answer.status, text: answer.text() }).toEqual({ status: 204, text: '' });
    for (const token of gone) expect(wire(await ask(USER, withToken(token)))).toStrictEqual(TOKEN_INVALID);
    for (const token of kept) expect((await ask(USER, withToken(token))).status).toBe(200);
  });

  describe('does what its maker could', () => {
    it('which a password may everything of, save making tokens', async () => {
      const { token, tokenId } = await make(basic('ada'), { name: 'by password' });
      expect((await ask(USER, withToken(token))).json()).toMatchObject({ username: 'ada', fullName: 'Ada' });
      for (const [method, path] of [
        ['POST', NAMED],
        ['GET', NAMED],
        ['POST', TEMPORARY],
        ['DELETE', namedToken(tokenId)],
      ] as const) {
        const json = method === 'POST' ? { name: 'next', caveats: expiresIn(60) } : undefined;
        expect(wire(await ask(path, withToken(token), method, json))).toStrictEqual(FORBIDDEN);
      }
      // Ada has a subject there, and never signed in with it: to her own credentials that is all that is missing.
      expect(wire(await acquire(maker, { headers: withToken(token) }))).toStrictEqual(NOT_FOUND);
      expect((await ask(NAMED, basic('ada'))).json()).toEqual({ tokens: [tokenId] });
    });

    it('which a client may no more than it was granted, and cannot make tokens', async () => {
      const narrow = await stage.actor({ login: 'alice', client: MAKER, scope: 'openid onezone:tokens' });
      const { token } = await make(withToken(narrow.token), { name: 'narrow' });
      expect(wire(await acquire(maker, { headers: withToken(token) }))).toStrictEqual(FORBIDDEN);
      expect((await ask(USER, withToken(token))).json()).toMatchObject({ fullName: 'Unnamed User', emails: [] });
      expect(wire(await ask(NAMED, withToken(token), 'POST', { name: 'next' }))).toStrictEqual(FORBIDDEN);
      const { token: wide } = await make(withToken(maker.token), { name: 'wide' });
      expect(wire(await acquire(maker, { headers: withToken(wide) }, 'members-only'))).toStrictEqual(FORBIDDEN);
      expect(wire(await ask(NAMED, withToken(wide)))).toStrictEqual(FORBIDDEN);
    });

    it('as long as the client is registered for it', async () => {
      const actor = await stage.actor({ login: 'frank', client: SECOND, scope: MAKER_SCOPE });
      const { token } = await make(withToken(actor.token), { name: 'shrinking' });
      const reading = () => acquire(actor, { headers: withToken(token) });
      expect((await reading()).status).toBe(200);
      await registered('upstream_providers', '[]');
      expect(wire(await reading())).toStrictEqual(FORBIDDEN);
      await registered('upstream_providers', `["${PROVIDER}"]`);
      await registered('scope', 'openid profile');
      expect(wire(await reading())).toStrictEqual(FORBIDDEN);
      await registered('scope', MAKER_SCOPE);
      expect((await reading()).status).toBe(200);
    });

    it('and ends with what the user allowed the client', async () => {
      const actor = await stage.actor(asMaker('gina'));
      const { token } = await make(withToken(actor.token), { name: 'rooted' });
      await grantRevoked(actor);
      expect(wire(await ask(USER, withToken(token)))).toStrictEqual(unauthenticated(TOKEN_REVOKED));
      expect(wire(await verify(token))).toStrictEqual(refused(400, TOKEN_REVOKED));
    });

    it('and not at all when the user is blocked or gone', async () => {
      const { token } = await make(basic('grace'), { name: 'of grace' });
      const id = await userId(withToken(token));
      await world.database.query('UPDATE users SET blocked_at = 1 WHERE id = ?', [id]);
      expect(wire(await ask(USER, withToken(token)))).toStrictEqual(refused(400, USER_BLOCKED));
      expect(wire(await verify(token))).toStrictEqual(refused(400, USER_BLOCKED));
      expect(wire(await ask(NAMED, basic('grace')))).toStrictEqual(unauthenticated(USER_BLOCKED));
      await world.database.query('DELETE FROM users WHERE id = ?', [id]);
      expect(wire(await ask(USER, withToken(token)))).toStrictEqual(TOKEN_INVALID);
    });

    it('at this face only: elsewhere clients bring their access tokens', async () => {
      const { token } = await make(withToken(maker.token), { name: 'here' });
      expect((await world.onezone(token)).status).toBe(200);
      const elsewhere = await world.pace(token);
      expect(elsewhere.status).toBe(401);
      expect(elsewhere.json()).toMatchObject({ errors: [{ code: 'unauthorized' }] });
    });
  });

  describe('verification', () => {
    it('says whose a named token is, for whoever holds it', async () => {
      const { token } = await make(withToken(maker.token), { name: 'verified' });
      const subject = { type: 'user', id: await userId(withToken(maker.token)) };
      const answer = await verify(token, { peerIp: '38.190.241.12', interface: 'rest', allowDataAccessCaveats: false });
      expect(wire(answer)).toStrictEqual({ status: 200, headers: COMMON, body: { subject, ttl: null } });
      expect(wire(await verify(maker.token))).toStrictEqual({
        status: 200,
        headers: COMMON,
        body: { subject, ttl: '<up to 3600 s>' },
      });
    });

    it('asks nobody who they are', async () => {
      const answer = await world.request(VERIFY, {
        method: 'POST',
        headers: basic('', ''),
        json: { token: maker.token },
      });
      expect(answer.status).toBe(200);
    });

    const badToken = { id: 'badToken', description: 'Provided token could not be understood by the server.' };
    const tooLarge = {
      id: 'tokenTooLarge',
      details: { limit: 16_384 },
      description: 'Provided token exceeds the allowed size (16384 characters).',
    };
    const problems: [string, unknown, Problem][] = [
      [
        'no token',
        undefined,
        { id: 'missingRequiredValue', details: { key: 'token' }, description: 'Missing required value: token.' },
      ],
      [
        'an empty one',
        '',
        {
          id: 'badValueEmpty',
          details: { key: 'token' },
          description: 'Bad value: provided "token" must not be empty.',
        },
      ],
      [
        'one that is no text',
        1,
        {
          id: 'badValueString',
          details: { key: 'token' },
          description: 'Bad value: provided "token" must be a string.',
        },
      ],
      ['garbage', 'MDAxNWxvY2F0aW9u', unusable(badToken)],
      ['one that is almost a token', `symbolon_ut_${'x'.repeat(42)}`, unusable(badToken)],
      ['one that is too large', 'x'.repeat(16_385), unusable(tooLarge)],
      [
        'one of nobody',
        `symbolon_ut_${'x'.repeat(43)}`,
        { id: 'tokenInvalid', description: 'Provided token is not valid.' },
      ],
    ];
    it('is no trap for whatever else is sent', async () => {
      const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
      for (const body of [
        `{"token": ${deep}}`,
        `{"others": ${deep}, "token": 5}`,
        '{"constructor": {"constructor": 1}, "token": 5}',
      ]) {
        const answer = await world.request(VERIFY, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
        expect(answer.json()).toMatchObject({ error: { id: 'badValueString', details: { key: 'token' } } });
      }
    });

    it.each(problems)('refuses %s', async (_name, token, problem) => {
      expect(wire(await verify(token))).toStrictEqual(refused(400, problem));
    });

    it('refuses what is no access token, and one of a client that was disabled', async () => {
      expect(wire(await verify(maker.idToken))).toStrictEqual(
        refused(400, {
          id: 'notAnAccessToken',
          details: { received: 'idToken' },
          description: 'Expected an access token.',
        }),
      );
      const orphan = await stage.actor({ login: 'henry', client: CLIENTS.trusted });
      expect((await verify(orphan.token)).status).toBe(200);
      await clientDisabled('trusted')(orphan);
      expect(wire(await verify(orphan.token))).toStrictEqual(
        refused(400, { id: 'tokenInvalid', description: 'Provided token is not valid.' }),
      );
    });

    it('refuses a valid access token of a blocked user', async () => {
      const actor = await stage.actor({ login: 'iris' });
      await blocked(actor);
      expect(wire(await verify(actor.token))).toStrictEqual(refused(400, USER_BLOCKED));
    });
  });

  describe("the vendor's Python client", () => {
    it('makes, uses, changes and deletes a token, its empty Basic beside it', async () => {
      const jack = (await stage.actor(asMaker('jack'))).token;
      const creation = await asPythonClient(world, 'POST', NAMED, { token: jack, json: { name: 'python' } });
      expect(creation.status).toBe(201);
      const { token, tokenId } = creation.json<Made>();
      const user = await asPythonClient(world, 'GET', USER, { token });
      expect(user.status).toBe(200);
      const upstream = await asPythonClient(world, 'POST', `${USER}/idp_access_token/${PROVIDER}`, { token });
      expect(wire(upstream)).toStrictEqual(granted('<token>'));
      const details = await asPythonClient(world, 'GET', namedToken(tokenId), { token: jack });
      expect(details.json()).toMatchObject({ id: tokenId, name: 'python', revoked: false });
      const changed = await asPythonClient(world, 'PATCH', namedToken(tokenId), {
        token: jack,
        json: { revoked: true },
      });
      expect(changed.status).toBe(204);
      const refusal = await asPythonClient(world, 'GET', USER, { token, username: 'ada', password: PASSWORD });
      expect(wire(refusal)).toStrictEqual(unauthenticated(TOKEN_REVOKED));
      expect((await asPythonClient(world, 'DELETE', namedToken(tokenId), { token: jack })).status).toBe(204);
      expect((await asPythonClient(world, 'DELETE', NAMED, { token: jack })).status).toBe(204);
      expect((await asPythonClient(world, 'POST', VERIFY, { json: { token: jack } })).status).toBe(200);
    });

    it('signs in with a password where it has no token', async () => {
      const answer = await asPythonClient(world, 'POST', NAMED, {
        username: 'ada',
        password: PASSWORD,
        json: { name: 'python by password' },
      });
      expect(answer.status).toBe(201);
      expect((await asPythonClient(world, 'GET', NAMED, {})).status).toBe(401);
    });
  });

  it.each([NAMED, TEMPORARY, VERIFY, namedToken('x')])('lets scripts of other origins ask %s', async (path) => {
    const answer = await world.request(path, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://elsewhere.example',
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'x-auth-token,content-type',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-methods')).toContain('PATCH');
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
