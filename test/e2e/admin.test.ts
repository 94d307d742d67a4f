import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases, type Row } from '../support/databases.js';
import type { RequestOptions } from '../support/http-browser.js';
import { authorizationUrl, count, login, open, sessionCookie, toldClient } from '../support/journeys.js';
import type { Service } from '../support/service.js';
import { eventually, read } from '../support/vault.js';
import { CLIENTS, createWorld, PROVIDER, READ_SCOPE, UPSTREAM_CLIENT, type World } from '../support/world.js';

const ADMIN_API_KEY = 'admin-key-0123456789abcdef0123456789abcdef';
const NEW_PASSWORD = 'a passphrase that an administrator chose';
const ADA = { authorization: `Basic ${Buffer.from('ada:correct horse battery staple').toString('base64')}` };

describe.each(databases)('administration on $name', (kind) => {
  let world: World;
  let other: Service;
  beforeAll(async () => {
    world = await createWorld(kind, { env: { ADMIN_API_KEY } });
    world.ledger.add(NEW_PASSWORD, 'a password');
    other = await replica();
  });
  afterAll(() => world.stop());

  /** A second process on PostgreSQL; SQLite never has two. */
  function replica(): Promise<Service> | Service {
    return kind.name === 'postgres' ? world.startReplica() : world.service;
  }

  function ask(method: string, path: string, options: RequestOptions = {}, at: Service = world.service) {
    return world.browser().request(`${at.url}/admin${path}`, {
      ...options,
      method,
      headers: { authorization: `Bearer ${ADMIN_API_KEY}`, ...options.headers },
    });
  }

  async function accountOf(subject: string): Promise<Row> {
    const [row] = await world.database.query('SELECT * FROM linked_accounts WHERE subject = ?', [subject]);
    return row ?? {};
  }
  const userOf = async (subject: string): Promise<string> => String((await accountOf(subject))['user_id']);

  const entry = () => ({ id: 'extra', issuer: world.upstream.issuer, ...UPSTREAM_CLIENT });
  const signInPage = (at: Service) => world.browser().request(`${at.url}/login/extra`);

  describe('of identity providers', () => {
    it('reaches every replica at once: made, changed, deleted', async () => {
      expect((await signInPage(other)).status).toBe(404);
      expect((await ask('POST', '/identity-providers', { json: entry() })).status).toBe(201);
      expect((await signInPage(other)).location?.origin).toBe(world.upstream.issuer);
      const changed = { ...entry(), authorization_parameters: { audience: 'changed' } };
      expect((await ask('PUT', '/identity-providers/extra', { json: changed }, other)).status).toBe(200);
      expect((await signInPage(world.service)).location?.searchParams.get('audience')).toBe('changed');
      expect((await ask('DELETE', '/identity-providers/extra', {}, other)).status).toBe(204);
      expect((await signInPage(world.service)).status).toBe(404);
      expect((await signInPage(other)).status).toBe(404);
    });

    it('ends the serving and refreshing of tokens where a provider is deleted, and outlives a restart', async () => {
      const { access_token: token } = await world.signIn({ login: 'cut-off' });
      expect((await read(world, token, { at: other })).status).toBe(200);
      const before = (await ask('GET', `/identity-providers/${PROVIDER}`)).json();
      expect((await ask('DELETE', `/identity-providers/${PROVIDER}`)).status).toBe(204);
      world.upstream.resetCounts();
      await world.expire();
      expect((await read(world, token, { at: other })).status).toBe(404);
      expect((await read(world, token, { at: other, face: 'onezone' })).status).toBe(400);
      expect(world.upstream.counts.refresh.attempted).toBe(0);

      await world.restart();
      if (kind.name === 'sqlite') other = world.service;
      expect((await ask('GET', `/identity-providers/${PROVIDER}`)).status).toBe(404);
      // What was read can be written again, but the secret has to come with it.
      const again = { ...before, ...UPSTREAM_CLIENT, name: 'Renamed' };
      expect((await ask('POST', '/identity-providers', { json: again })).status).toBe(201);
      expect((await read(world, token, { at: other })).status).toBe(200);
    });

    it('keeps a secret that is left out, and shows it to nobody else', async () => {
      const unchanged = (await ask('GET', `/identity-providers/${PROVIDER}`)).json();
      expect((await ask('PUT', `/identity-providers/${PROVIDER}`, { json: unchanged })).status).toBe(200);
      const { access_token: token } = await world.signIn({ login: 'kept-secret' });
      await world.expire();
      expect((await read(world, token, { at: other })).status).toBe(200);
      const elsewhere = { ...unchanged, endpoints: { token: 'https://elsewhere.example/token' } };
      const refused = await ask('PUT', `/identity-providers/${PROVIDER}`, { json: elsewhere });
      expect(refused.status).toBe(400);
      expect(refused.json()).toMatchObject({ errors: [{ parameter: 'client_secret' }] });
    });
  });

  describe('of users', () => {
    it('blocks at once on every replica and every face, and lets in again', async () => {
      const { access_token: token } = await world.signIn({ login: 'to-block' });
      const id = await userOf('to-block');
      const block = async (blocked: boolean) => {
        expect((await ask('PATCH', `/users/${id}`, { json: { blocked } })).json()).toMatchObject({ blocked });
      };
      expect((await read(world, token, { at: other })).status).toBe(200);
      await block(true);
      for (const at of [other, world.service]) {
        expect((await read(world, token, { at })).status).toBe(401);
        expect((await read(world, token, { at, face: 'onezone' })).status).toBe(400);
      }
      await block(false);
      for (const face of ['pace', 'onezone'] as const) {
        expect((await read(world, token, { at: other, face })).status).toBe(200);
      }
    });

    it('ends the sessions of a user whose password changes, and of nobody else', async () => {
      const [changed, unchanged] = [world.browser(), world.browser()];
      await login(world, changed, { login: 'new-password' });
      await login(world, unchanged, { login: 'old-password' });
      const id = await userOf('new-password');
      expect((await ask('PATCH', `/users/${id}`, { json: { full_name: 'The same session' } })).status).toBe(200);
      expect(await count(world, 'sessions', 'WHERE user_id = ? AND ended_at IS NULL', [id])).toBe(1);
      expect((await ask('PATCH', `/users/${id}`, { json: { password: NEW_PASSWORD } })).status).toBe(200);
      expect(await count(world, 'sessions', 'WHERE user_id = ? AND ended_at IS NULL', [id])).toBe(0);
      const spared = await userOf('old-password');
      expect(await count(world, 'sessions', 'WHERE user_id = ? AND ended_at IS NULL', [spared])).toBe(1);
      const silent = { prompt: 'none', identity_provider: null };
      const refused = toldClient(await open(changed, authorizationUrl(world, silent).url));
      expect(refused.get('error')).toBe('login_required');
      expect(toldClient(await open(unchanged, authorizationUrl(world, silent).url)).get('code')).not.toBeNull();
    });

    it('deletes a user with all that was given to them, here and at the provider', async () => {
      const browser = world.browser();
      const answer = await world.signIn({ login: 'to-delete', client: CLIENTS.asker, browser, scope: READ_SCOPE });
      const id = await userOf('to-delete');
      const { access_token: upstreamToken } = (await world.pace(answer.access_token)).json<{ access_token: string }>();
      expect(await count(world, 'consents', 'WHERE user_id = ?', [id])).toBe(1);
      const session = sessionCookie(browser, world);
      expect(session).toBeDefined();

      expect((await ask('DELETE', `/users/${id}`, {}, other)).status).toBe(204);
      for (const face of ['pace', 'onezone'] as const) {
        expect((await read(world, answer.access_token, { face })).status).toBe(401);
      }
      expect(await count(world, 'users', 'WHERE id = ?', [id])).toBe(0);
      expect(await count(world, 'consents', 'WHERE user_id = ?', [id])).toBe(0);
      expect(await count(world, 'sessions', 'WHERE user_id = ? AND ended_at IS NULL', [id])).toBe(0);
      expect(await count(world, 'grants', 'WHERE user_id = ? AND revoked_at IS NULL', [id])).toBe(0);
      const account = await accountOf('to-delete');
      expect(account).toMatchObject({ access_token: null, refresh_token: null, id_token: null });
      expect(account['unlinked_at']).not.toBeNull();
      await eventually('the provider is told', () => world.upstream.revocationsSeen.includes(upstreamToken));

      // Whoever signs in with that account now is another user, who is told nothing of the former one.
      await login(world, browser, { login: 'to-delete' });
      const [live] = await world.database.query(
        'SELECT user_id FROM linked_accounts WHERE subject = ? AND unlinked_at IS NULL',
        ['to-delete'],
      );
      expect(live?.['user_id']).not.toBe(id);
      const { data } = (await ask('GET', `/audit?user_id=${id}&event=user.deleted`)).json<{ data: object[] }>();
      expect(data).toMatchObject([{ outcome: 'success', actor: 'admin-api-key' }]);
    });

    it('deletes a user with the tokens that they made', async () => {
      const maker = { username: 'maker', password: NEW_PASSWORD, basic_auth: true };
      const { id } = (await ask('POST', '/users', { json: maker })).json<{ id: string }>();
      const authorization = `Basic ${Buffer.from(`maker:${NEW_PASSWORD}`).toString('base64')}`;
      const made = await world.request('/api/v3/onezone/user/tokens/named', {
        headers: { authorization },
        json: { name: 'script', type: { accessToken: {} } },
      });
      expect(made.status).toBe(201);
      const { token } = made.json<{ token: string }>();
      // Known, but without a linked account.
      expect((await read(world, token, { at: other, face: 'onezone' })).status).toBe(404);
      expect((await ask('DELETE', `/users/${id}`)).status).toBe(204);
      expect((await read(world, token, { at: other, face: 'onezone' })).status).toBe(401);
      expect(await count(world, 'user_tokens', 'WHERE user_id = ?', [id])).toBe(0);
    });

    it('ends the tokens that a user made by the password that is changed', async () => {
      const former = 'a passphrase that somebody else knows';
      world.ledger.add(former, 'a password');
      const user = { username: 'renewed', password: former, basic_auth: true };
      const { id } = (await ask('POST', '/users', { json: user })).json<{ id: string }>();
      const authorization = `Basic ${Buffer.from(`renewed:${former}`).toString('base64')}`;
      const made = await world.request('/api/v3/onezone/user/tokens/named', {
        headers: { authorization },
        json: { name: 'script', type: { accessToken: {} } },
      });
      const { token } = made.json<{ token: string }>();
      expect((await ask('PATCH', `/users/${id}`, { json: { full_name: 'Renewed' } })).status).toBe(200);
      expect((await read(world, token, { at: other, face: 'onezone' })).status).toBe(404);
      expect((await ask('PATCH', `/users/${id}`, { json: { password: NEW_PASSWORD } })).status).toBe(200);
      expect((await read(world, token, { at: other, face: 'onezone' })).status).toBe(401);
    });

    it('deletes a declared user for good: a restart with the same file does not bring them back', async () => {
      const { data } = (await ask('GET', '/users?username=ada')).json<{ data: { id: string }[] }>();
      expect((await ask('DELETE', `/users/${data[0]?.id}`)).status).toBe(204);
      await world.restart();
      if (kind.name === 'sqlite') other = world.service;
      expect((await ask('GET', '/users?username=ada')).json()).toMatchObject({ data: [] });
      // Nor does it undo what was changed of a declared provider.
      expect((await ask('GET', `/identity-providers/${PROVIDER}`)).json()).toMatchObject({ name: 'Renamed' });
      const path = `/api/v3/onezone/user/idp_access_token/${PROVIDER}`;
      const answer = await world.request(path, { method: 'POST', headers: ADA });
      expect(answer.json()).toMatchObject({ error: { details: { authError: { id: 'badBasicCredentials' } } } });
    });
  });

  it('is off without a key, and takes no other for it', async () => {
    await world.restart('stop', { ADMIN_API_KEY: '' });
    for (const authorization of [`Bearer ${ADMIN_API_KEY}`, 'Bearer undefined', 'Bearer ']) {
      expect((await ask('GET', '/users', { headers: { authorization } })).status).toBe(401);
    }
    expect((await world.request('/admin/users', { headers: { 'slashid-api-key': '' } })).status).toBe(401);
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
