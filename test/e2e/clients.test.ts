import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { BrowserResponse, RequestOptions } from '../support/http-browser.js';
import { count } from '../support/journeys.js';
import type { Service } from '../support/service.js';
import { read } from '../support/vault.js';
import { createWorld, PROVIDER, READ_SCOPE, REDIRECT_URI, type TokenAnswer, type World } from '../support/world.js';

const ADMIN_API_KEY = 'admin-key-0123456789abcdef0123456789abcdef';
const ENTRY = {
  redirect_uris: [REDIRECT_URI],
  scope: `${READ_SCOPE} offline_access accounts:read`,
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  upstream_providers: [PROVIDER],
};

interface TestClient {
  client_id: string;
  client_secret: string;
}

describe.each(databases)('clients on $name', (kind) => {
  let world: World;
  let other: Service;
  beforeAll(async () => {
    world = await createWorld(kind, { env: { ADMIN_API_KEY } });
    await replica();
  });
  afterAll(() => world.stop());

  /** A second process on PostgreSQL; SQLite never has two. */
  const replica = async (): Promise<void> => {
    other = kind.name === 'postgres' ? await world.startReplica() : world.service;
  };
  const ask = async (method: string, path: string, options: RequestOptions = {}, at: Service = world.service) => {
    const headers = { authorization: `Bearer ${ADMIN_API_KEY}`, ...options.headers };
    const answer = await world.browser().request(`${at.url}${path}`, { ...options, method, headers });
    if (answer.status >= 400) throw new Error(`${answer.status} ${answer.text()}`);
    return answer;
  };
  const create = async (members: object = {}): Promise<TestClient> =>
    (await ask('POST', '/admin/clients', { json: { ...ENTRY, ...members } })).json<TestClient & object>();
  const token = (
    { client_id: id, client_secret: secret }: TestClient,
    form: Record<string, string>,
    at: Service = other,
  ): Promise<BrowserResponse> =>
    world.browser().request(`${at.url}/token`, {
      method: 'POST',
      form,
      headers: { authorization: `Basic ${Buffer.from(`${id}:${encodeURIComponent(secret)}`).toString('base64')}` },
    });
  const ownToken = (client: TestClient, at?: Service) => token(client, { grant_type: 'client_credentials' }, at);
  /** What the other process makes of each secret of the client. */
  const statuses = (clientId: string, ...secrets: string[]): Promise<number[]> =>
    Promise.all(secrets.map(async (secret) => (await ownToken({ client_id: clientId, client_secret: secret })).status));
  const rotate = async ({ client_id: id }: TestClient, json?: object): Promise<string> =>
    (await ask('POST', `/admin/clients/${id}/rotate-secret`, { json })).json<TestClient & object>().client_secret;

  it('"two may be valid while rotating (admin API; SlashID\'s PUT retires all at once)"', async () => {
    const client = await create();
    const { client_id: id, client_secret: one } = client;
    const two = await rotate(client);
    expect(await statuses(id, one, two)).toEqual([200, 200]);
    const three = await rotate(client, { previous_valid_for: 3600 });
    expect(await statuses(id, one, two, three)).toEqual([401, 200, 200]);
    // As if the time were over.
    await world.database.query('UPDATE client_secrets SET expires_at = 1 WHERE expires_at IS NOT NULL');
    await world.database.query("UPDATE clients SET version = 'later' WHERE client_id = ?", [id]);
    expect(await statuses(id, one, two, three)).toEqual([401, 401, 200]);
    const four = await rotate(client);
    const answer = await ask('PUT', `/oauth2/clients/${id}/secret`);
    const { client_secret: five } = answer.json<{ result: TestClient }>().result;
    expect(await statuses(id, three, four, five)).toEqual([401, 401, 200]);
    expect(await statuses(id, await rotate(client, { previous_valid_for: 0 }), five)).toEqual([200, 401]);
  });

  it('"scope `federated-identity:token` AND the provider in the client\'s `upstream_providers`; neither is a default"', async () => {
    const bare = (await ask('POST', '/admin/clients', { json: { redirect_uris: [REDIRECT_URI] } })).json();
    expect(bare).toMatchObject({ scope: 'openid', upstream_providers: [] });
    const requests = [
      create({ upstream_providers: undefined, consent: 'implicit' }).then((client) => ({ client, scope: READ_SCOPE })),
      create({ consent: 'implicit' }).then((client) => ({ client, scope: 'accounts:read' })),
    ];
    for (const { client, scope } of await Promise.all(requests)) {
      const { access_token: user } = await world.signIn({ login: 'no-default', client, scope });
      expect((await read(world, user, { at: other })).status).toBe(401);
      expect((await read(world, user, { at: other, face: 'onezone' })).status).toBe(403);
    }
  });

  it('a disabled client is seen by all at once: it gets nothing, and nothing that it has counts until it is enabled', async () => {
    const client = await create({ consent: 'implicit' });
    const user = await world.signIn({ login: 'disabled-client', client });
    const { access_token: own } = (await ownToken(client)).json<TokenAnswer>();
    const everywhere = async () => [
      (await ownToken(client)).status,
      (await ownToken(client, world.service)).status,
      (await read(world, user.access_token, { at: other })).status,
      (await read(world, user.access_token, { at: other, face: 'onezone' })).status,
    ];
    expect(await everywhere()).toEqual([200, 200, 200, 200]);
    await ask('POST', `/admin/clients/${client.client_id}/disable`);
    expect(await everywhere()).toEqual([401, 401, 401, 401]);
    await ask('POST', `/admin/clients/${client.client_id}/enable`, {}, other);
    expect(await everywhere()).toEqual([200, 200, 200, 200]);
    expect(own).toMatch(/^ey/);
  });

  it('a deleted client takes along what it was given: codes, tokens, consent', async () => {
    const client = await create();
    const scope = `${READ_SCOPE} offline_access`;
    const user = await world.signIn({ login: 'deleted-client', client, scope });
    const { refresh_token: refresh = '' } = user as TokenAnswer & { refresh_token?: string };
    expect(refresh).not.toBe('');
    expect(await count(world, 'consents', 'WHERE client_id = ?', [client.client_id])).toBe(1);
    expect((await read(world, user.access_token, { at: other })).status).toBe(200);

    await ask('DELETE', `/admin/clients/${client.client_id}`);
    for (const face of ['pace', 'onezone'] as const) {
      expect((await read(world, user.access_token, { at: other, face })).status).toBe(401);
    }
    expect((await token(client, { grant_type: 'refresh_token', refresh_token: refresh })).status).toBe(401);
    expect(await count(world, 'consents', 'WHERE client_id = ?', [client.client_id])).toBe(0);
    expect(await count(world, 'grants', 'WHERE client_id = ? AND revoked_at IS NULL', [client.client_id])).toBe(0);

    // Whoever has that id next has nothing of it, not even what was written while the client was deleted.
    await world.database.query('UPDATE grants SET revoked_at = NULL WHERE client_id = ?', [client.client_id]);
    const next = await create({ client_id: client.client_id });
    expect((await read(world, user.access_token, { at: other })).status).toBe(401);
    expect((await token(next, { grant_type: 'refresh_token', refresh_token: refresh })).status).toBe(400);
    expect((await ownToken(client)).status).toBe(401);
    expect((await ownToken(next)).status).toBe(200);
  });

  it('a new password ends what the user allowed: whoever knew the old one may have allowed it', async () => {
    const client = await create({ consent: 'implicit' });
    const scope = `${READ_SCOPE} offline_access`;
    const user = await world.signIn({ login: 'new-password', client, scope });
    const refresh = (refreshToken = '') => token(client, { grant_type: 'refresh_token', refresh_token: refreshToken });
    const { refresh_token: successor, access_token: access } = (await refresh(user.refresh_token)).json<TokenAnswer>();
    const { sub = '' } = decodeJwt(access);
    const password = 'a passphrase that nobody else knows';
    world.ledger.add(password, 'a password');
    await ask('PATCH', `/admin/users/${sub}`, { json: { password } });
    expect((await read(world, access, { at: other })).status).toBe(401);
    expect((await refresh(successor)).json()).toMatchObject({ error: 'invalid_grant' });
    // The client still knows them, and asks again.
    expect((await world.signIn({ login: 'new-password', client, scope })).refresh_token).toBeDefined();
  });

  it('takes at once what a change takes away: grants, scopes, redirect URIs', async () => {
    const client = await create();
    const change = (json: object) => ask('PATCH', `/oauth2/clients/${client.client_id}`, { json });
    await change({ scopes: ['accounts:write'] });
    expect((await ownToken(client)).json()).toMatchObject({ scope: 'accounts:write' });
    const asking = { grant_type: 'client_credentials', scope: 'accounts:read' };
    expect((await token(client, asking)).json()).toMatchObject({ error: 'invalid_scope' });
    await change({ grant_types: ['authorization_code'], redirect_uris: ['https://other.example/'] });
    expect((await ownToken(client)).json()).toMatchObject({ error: 'unauthorized_client' });
    await expect(world.authorize({ client })).rejects.toThrow('no redirect from');
    await change({ access_token_duration: 77, grant_types: ['client_credentials'] });
    expect((await ownToken(client)).json()).toMatchObject({ expires_in: 77 });
  });

  it('a restart neither re-enables what an admin disabled nor restores a secret that was rotated, nor any other change', async () => {
    const { client_secret: secret } = (
      await ask('POST', '/admin/clients/trusted/rotate-secret', { json: { previous_valid_for: 0 } })
    ).json<TestClient & object>();
    const entry = (await ask('GET', '/admin/clients/trusted')).json();
    const json = { ...entry, client_name: 'Renamed', grant_types: ['client_credentials'], scope: 'accounts:read' };
    await ask('PUT', '/admin/clients/trusted', { json });
    await ask('POST', '/admin/clients/stranger/disable');
    await ask('DELETE', '/admin/clients/asker');
    await world.restart();
    if (kind.name === 'sqlite') await replica();
    const { data } = (await ask('GET', '/admin/clients?limit=100')).json<{ data: { client_id: string }[] }>();
    const byId = new Map(data.map((each) => [each.client_id, each]));
    expect(byId.get('trusted')).toMatchObject({ client_name: 'Renamed', scope: 'accounts:read', enabled: true });
    expect(byId.get('stranger')).toMatchObject({ enabled: false });
    expect(byId.has('asker')).toBe(false);
    expect(await statuses('trusted', secret)).toEqual([200]);
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
