import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { BrowserResponse, RequestOptions } from '../support/http-browser.js';
import type { Service } from '../support/service.js';
import { CLIENTS, createWorld, type TokenAnswer, type World } from '../support/world.js';

const ADMIN_API_KEY = 'admin-key-0123456789abcdef0123456789abcdef';
const OPERATOR = { client_id: 'operator', client_secret: 'operator-secret-0123456789abcdef0123456789ab' };
const MACHINE = { client_id: 'machine', client_secret: 'machine-secret-0123456789abcdef0123456789abc' };
const WHERE = ['/admin/users', '/oauth2/clients'];

interface Key {
  id: string;
  api_key: string;
}

describe.each(databases)('credentials of administrators on $name', (kind) => {
  let world: World;
  let other: Service;
  beforeAll(async () => {
    const own = { grant_types: ['client_credentials'] };
    world = await createWorld(kind, {
      env: { ADMIN_API_KEY },
      configure: ({ clients = [], ...rest }) => ({
        ...rest,
        clients: [
          ...clients,
          { ...OPERATOR, ...own, scope: 'admin accounts:read' },
          { ...MACHINE, ...own, scope: 'accounts:read upstream-tokens:refresh' },
        ],
      }),
    });
    for (const { client_secret: secret } of [OPERATOR, MACHINE]) world.ledger.add(secret, 'configured secret');
    // A second process on PostgreSQL; SQLite never has two.
    other = kind.name === 'postgres' ? await world.startReplica() : world.service;
  });
  afterAll(() => world.stop());

  const ask = (
    method: string,
    path: string,
    credential: string,
    options: RequestOptions & { at?: Service } = {},
  ): Promise<BrowserResponse> => {
    const { at = world.service, ...rest } = options;
    const headers = { authorization: `Bearer ${credential}` };
    return world.browser().request(at.url + path, { ...rest, method, headers });
  };
  const make = async (json: object): Promise<Key> => {
    const answer = await ask('POST', '/admin/api-keys', ADMIN_API_KEY, { json });
    if (answer.status !== 201) throw new Error(answer.text());
    return answer.json<Key & object>();
  };
  /** What the other process answers at each place, by either header. */
  const statuses = async (credential: string): Promise<number[]> => {
    const answers: number[] = [];
    for (const path of WHERE) {
      answers.push((await ask('GET', path, credential, { at: other })).status);
      const headers = { 'slashid-api-key': credential };
      answers.push((await world.browser().request(other.url + path, { headers })).status);
    }
    return answers;
  };
  const ownToken = ({ client_id: id, client_secret: secret }: typeof OPERATOR, scope?: string) =>
    world.request('/token', {
      method: 'POST',
      form: { grant_type: 'client_credentials', ...(scope !== undefined && { scope }) },
      headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    });
  const tokenOf = async (client: typeof OPERATOR, scope?: string): Promise<string> =>
    (await ownToken(client, scope)).json<TokenAnswer>().access_token;
  const refusals = async (): Promise<unknown[]> => {
    const query = "SELECT reason FROM audit_events WHERE event = 'admin.refused' ORDER BY at";
    const reasons = (await world.database.query(query)).map(({ reason }) => reason);
    await world.database.query("DELETE FROM audit_events WHERE event = 'admin.refused'");
    return reasons;
  };
  const listed = async () =>
    (await ask('GET', '/admin/api-keys', ADMIN_API_KEY)).json<{ data: { id: string; last_used_at?: string }[] }>();
  const YES = [200, 200, 200, 200];
  const UNKNOWN = [401, 401, 401, 401];
  const FORBIDDEN = [403, 403, 403, 403];

  describe('an API key', () => {
    it('opens everything with the scope admin, on every replica and face, under its own name, until it is deleted', async () => {
      const { id, api_key: key } = await make({ name: 'deployment', scopes: ['admin'] });
      expect(await statuses(key)).toEqual(YES);
      const user = await ask('POST', '/admin/users', key, { json: { username: 'made-by-key' } });
      expect(user.status).toBe(201);
      const { data } = (await ask('GET', '/admin/audit?event=user.created', key)).json<{ data: object[] }>();
      expect(data[0]).toMatchObject({ actor: 'api-key:deployment' });
      expect((await ask('DELETE', `/admin/api-keys/${id}`, key, { at: other })).status).toBe(204);
      expect(await statuses(key)).toEqual(UNKNOWN);
    });

    it('is stored as a digest, and says when it was last used', async () => {
      const { id, api_key: key } = await make({ name: 'used', scopes: ['admin'] });
      expect((await listed()).data.find((each) => each.id === id)).not.toHaveProperty('last_used_at');
      const before = Date.now();
      await statuses(key);
      const { last_used_at: at = '' } = (await listed()).data.find((each) => each.id === id) ?? {};
      expect(Math.abs(Date.parse(at) - before)).toBeLessThan(60_000);
      // It is known to within a minute, and not written for each request.
      await world.database.query('UPDATE api_keys SET last_used_at = ? WHERE id = ?', [before - 30_000, id]);
      await statuses(key);
      const [row] = await world.database.query('SELECT last_used_at FROM api_keys WHERE id = ?', [id]);
      expect(Number(row?.['last_used_at'])).toBe(before - 30_000);
      expect(await world.database.dump()).not.toContain(key);
    });

    it('opens nothing once it has expired', async () => {
      const { id, api_key: key } = await make({ name: 'brief', scopes: ['admin'], expires_at: '2100-01-01' });
      expect(await statuses(key)).toEqual(YES);
      await world.database.query('UPDATE api_keys SET expires_at = ? WHERE id = ?', [Date.now() - 1, id]);
      expect(await statuses(key)).toEqual(UNKNOWN);
    });

    it('lets nobody in with another scope, and that is written down', async () => {
      const { api_key: key } = await make({ name: 'refresher', scopes: ['upstream-tokens:refresh'] });
      await refusals();
      expect(await statuses(key)).toEqual(FORBIDDEN);
      expect(await refusals()).toEqual(Array.from({ length: 4 }, () => 'missing-scope'));
      const answer = await ask('POST', '/admin/api-keys', key, { json: { name: 'more', scopes: ['admin'] } });
      expect(answer.status).toBe(403);
      expect(answer.json()).toMatchObject({ title: 'Forbidden', detail: 'This credential does not allow it.' });
    });

    it.each([
      ['nothing behind its beginning', ''],
      ['as long as one', 'A'.repeat(43)],
      ['far too long', 'A'.repeat(8_000)],
    ])('is none because it begins like one: %s', async (_, rest) => {
      expect(await statuses(`symbolon_key_${rest}`)).toEqual(UNKNOWN);
      await world.database.query('DELETE FROM throttles');
    });
  });

  describe('an access token with the scope admin', () => {
    it('is granted through client_credentials only, to clients declared so, and only where it is asked for', async () => {
      const answer = await ownToken(OPERATOR, 'admin');
      expect(answer.json()).toMatchObject({ scope: 'admin' });
      const { access_token: token } = answer.json<TokenAnswer>();
      expect(await statuses(token)).toEqual(YES);
      await ask('POST', '/admin/users', token, { json: { username: 'made-by-token' } });
      const { data } = (await ask('GET', '/admin/audit?event=user.created', token)).json<{ data: object[] }>();
      expect(data[0]).toMatchObject({ actor: 'client:operator' });
      expect((await ownToken(OPERATOR)).json()).toMatchObject({ scope: 'accounts:read' });
      expect((await ownToken(MACHINE, 'admin')).json()).toMatchObject({ error: 'invalid_scope' });
    });

    it('is not had by registration: neither of the two interfaces gives it to a client', async () => {
      const scope = 'accounts:read admin';
      const json = { ...MACHINE, grant_types: ['client_credentials'], scope };
      const { status } = await ask('PUT', '/admin/clients/machine', ADMIN_API_KEY, { json });
      expect(status).toBe(400);
      const scopes = scope.split(' ');
      expect((await ask('PATCH', '/oauth2/clients/machine', ADMIN_API_KEY, { json: { scopes } })).status).toBe(400);
      expect((await ownToken(MACHINE, 'admin')).json()).toMatchObject({ error: 'invalid_scope' });
    });

    it('no other token administrates: one without the scope, one of a user, one of another service', async () => {
      expect(await statuses(await tokenOf(OPERATOR, 'accounts:read'))).toEqual(FORBIDDEN);
      expect(await statuses(await tokenOf(MACHINE))).toEqual(FORBIDDEN);
      const user = await world.signIn({ login: 'alice', client: CLIENTS.reader });
      expect(await statuses(user.access_token)).toEqual(UNKNOWN);
      expect(await statuses(user.id_token ?? '')).toEqual(UNKNOWN);
      expect(await statuses('eyJhbGciOiJub25lIn0.e30.')).toEqual(UNKNOWN);
      await world.database.query('DELETE FROM throttles');
    });

    it('ends at once where its client is disabled, loses the scope, or is another one by now', async () => {
      const token = await tokenOf(OPERATOR, 'admin');
      await ask('POST', '/admin/clients/operator/disable', ADMIN_API_KEY);
      expect(await statuses(token)).toEqual(UNKNOWN);
      await ask('POST', '/admin/clients/operator/enable', ADMIN_API_KEY);
      expect(await statuses(token)).toEqual(YES);
      // As if the client had been deleted, and this one been made of the same id.
      const later = Math.ceil(Date.now() / 1000) * 1000 + 1000;
      const query = "UPDATE clients SET created_at = ?, version = 'later' WHERE client_id = 'operator'";
      await world.database.query(query, [later]);
      expect(await statuses(token)).toEqual(UNKNOWN);
      await world.database.query(query.replace('later', 'before'), [later - 86_400_000]);
      const json = { scopes: ['accounts:read'] };
      expect((await ask('PATCH', '/oauth2/clients/operator', token, { json })).status).toBe(200);
      expect(await statuses(token)).toEqual(FORBIDDEN);
      // It cannot give itself back what it has lost, nor can another administrator.
      const scopes = ['accounts:read', 'admin'];
      const again = await ask('PATCH', '/oauth2/clients/operator', ADMIN_API_KEY, { json: { scopes } });
      expect(again.status).toBe(400);
    });
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
