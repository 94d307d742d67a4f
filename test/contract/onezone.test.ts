import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { blocked, Stage, type Actor } from '../support/contract-row.js';
import { databases } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import { endBackOff } from '../support/vault.js';
import { CLIENTS, createWorld, type World } from '../support/world.js';
import { acquire, acquiring, basic, PASSWORD, withToken } from './onezone/requests.js';
import { authentication } from './onezone/authentication.rows.js';
import { credentials } from './onezone/credentials.rows.js';
import { requests } from './onezone/request.rows.js';
import { vault } from './onezone/vault.rows.js';

const ELSEWHERE = { origin: 'https://elsewhere.example' };
const LONELY = { password: PASSWORD, basic_auth: true };

describe.each(databases)('Onezone: acquire an IdP access token, on $name', (kind) => {
  let world: World;
  let stage: Stage;

  beforeAll(async () => {
    world = await createWorld(kind, {
      configure: ({ users = [], ...rest }) => ({
        ...rest,
        users: [
          ...users,
          { username: 'lonely', ...LONELY },
          { username: 'expected', ...LONELY, identities: [{ identity_provider: 'mobypay', subject: 'expected' }] },
          { username: 'barred', ...LONELY },
        ],
      }),
    });
    stage = new Stage(world);
    await world.database.query(`UPDATE users SET blocked_at = ? WHERE username = 'barred'`, [Date.now()]);
    for (const login of ['alice', 'ada']) {
      const { token } = await stage.actor({ login });
      stage.normaliser.know((await world.onezone(token)).json<{ token: string }>().token, `<token of ${login}>`);
    }
  });
  // What one row makes a provider do is not the next one's.
  afterEach(() => endBackOff(world));
  afterAll(async () => {
    await world.stop();
  });

  describe('who is asking', () => {
    it.each(credentials)('$name', (row) => stage.check(row));
  });

  describe('refuses credentials', () => {
    it.each(authentication)('$name', (row) => stage.check(row));
  });

  describe('the request', () => {
    it.each(requests)('$name', (row) => stage.check(row));
  });

  describe('what the vault answers', () => {
    it.each(vault)('$name', (row) => stage.check(row));
  });

  it('says 503 and when to try again while the provider is off the network', async () => {
    const actor = await stage.actor({ login: 'offline' });
    await world.database.query('UPDATE linked_accounts SET expires_at = 1 WHERE subject = ?', ['offline']);
    await world.upstream.disconnect();
    try {
      const answer = await acquire(actor, withToken(actor));
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(answer.json()).toStrictEqual({
        error: {
          id: 'externalServiceOperationFailed',
          details: { serviceName: 'identity provider' },
          description: 'Operation on the external service "identity provider" failed. Try again later.',
        },
      });
    } finally {
      await world.upstream.reconnect();
    }
    await endBackOff(world);
    expect((await acquire(actor, withToken(actor))).status).toBe(200);
  });

  it('keeps the refresh token when the provider sends no new one', async () => {
    const actor = await stage.actor({ login: 'kept' });
    world.upstream.resetCounts();
    for (const token of ['first-token-of-kept', 'second-token-of-kept']) {
      world.ledger.add(token, 'upstream access token');
      world.upstream.failNext(1, {
        status: 200,
        body: { access_token: token, token_type: 'Bearer', expires_in: 3600 },
      });
      await world.database.query('UPDATE linked_accounts SET expires_at = 1 WHERE subject = ?', ['kept']);
      const answer = await acquire(actor, withToken(actor));
      expect(answer.json<{ token: string }>().token).toBe(token);
    }
    const [first, second] = world.upstream.refreshTokensSeen;
    expect(second).toBe(first);
  });

  describe('checks in the documented order', () => {
    let barred: Actor;
    let narrow: Actor;
    beforeAll(async () => {
      barred = await stage.actor({ login: 'barred-order' });
      narrow = await stage.actor({ login: 'barred-order', scope: 'openid' });
      await blocked(barred);
    });

    const orders: [string, () => Promise<BrowserResponse>, number, string][] = [
      [
        'authentication before the IdP',
        () => acquire(barred, { headers: { 'x-auth-token': 'x' } }, 'nowhere'),
        401,
        'unauthorized',
      ],
      ['authorization before the IdP', () => acquire(narrow, withToken(narrow), 'nowhere'), 403, 'forbidden'],
      ['authorization before a blocked user', () => acquire(narrow, withToken(narrow)), 403, 'forbidden'],
      ['the IdP before a blocked user', () => acquire(barred, withToken(barred), 'nowhere'), 400, 'badValueNotAllowed'],
      [
        'offline access before a blocked user',
        () => acquire(barred, withToken(barred), 'online-only'),
        400,
        'badValueNotAllowed',
      ],
      ['a blocked user before the account', () => acquire(barred, withToken(barred)), 400, 'userBlocked'],
    ];
    it.each(orders)('%s', async (_name, send, status, id) => {
      const answer = await send();
      expect(answer.status).toBe(status);
      expect(answer.json<{ error: { id: string } }>().error.id).toBe(id);
    });
  });

  describe('scripts of other origins', () => {
    it('may ask: the preflight names their headers, without credentials', async () => {
      const answer = await world.request(acquiring(), {
        method: 'OPTIONS',
        headers: {
          ...ELSEWHERE,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-auth-token,content-type',
        },
      });
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
      expect(answer.headers.get('access-control-allow-headers')).toBe('x-auth-token,content-type');
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    });

    it('may read every header that a refusal carries', async () => {
      const answer = await world.request(acquiring(), { method: 'POST', headers: ELSEWHERE });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
      expect(answer.headers.get('access-control-expose-headers')).toContain('Retry-After');
    });
  });

  it('lets nobody in with the id or the secret of a client', async () => {
    const { client_id: name, client_secret: secret } = CLIENTS.reader;
    const answer = await world.request(acquiring(), { method: 'POST', headers: basic(name, secret) });
    expect(answer.json()).toMatchObject({ error: { details: { authError: { id: 'badBasicCredentials' } } } });
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
