import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Stage } from '../support/contract-row.js';
import { databases } from '../support/databases.js';
import { endBackOff } from '../support/vault.js';
import { XID } from '../support/wire.js';
import { createWorld, type World } from '../support/world.js';
import { failures, methods, missing, unknown } from './pace/failure.rows.js';
import { answers } from './pace/granted.rows.js';
import { linking, LINKING_SCOPE, linkingRefused, linkingUnknown, nothingToLink } from './pace/linking.rows.js';
import { tokenPath } from './pace/requests.js';
import { unauthorizedRows } from './pace/unauthorized.rows.js';

const REQUEST_ID = 'cbgmhslmp1o9or9kh1p0';

const failure = (event: string, provider: string | null, reason: string): object => ({
  event,
  outcome: 'failure',
  client_id: 'reader',
  identity_provider: provider,
  reason,
});

describe.each(databases)('PACE: the token of a federated identity, on $name', (kind) => {
  let world: World;
  let stage: Stage;

  beforeAll(async () => {
    world = await createWorld(kind, {
      configure: ({ clients = [], ...configuration }) => ({
        ...configuration,
        clients: clients.map((client) => ({ ...(client as object), scope: LINKING_SCOPE })),
      }),
    });
    stage = new Stage(world);
    const { token } = await stage.actor();
    stage.normaliser.know((await world.pace(token)).json<{ access_token: string }>().access_token, '<token of alice>');
  });
  // What one row makes a provider do is not the next one's.
  afterEach(() => endBackOff(world));
  afterAll(async () => {
    await world.stop();
  });

  const ask = async (requestId: string, token?: string): Promise<[header: string | null, body: string]> => {
    const answer = await world.request(tokenPath(), {
      method: 'POST',
      headers: { 'request-id': requestId, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    });
    return [answer.headers.get('request-id'), answer.text()];
  };

  describe('200', () => {
    it.each(answers)('$name', (row) => stage.check(row));
  });

  describe('401 unauthorized', () => {
    it.each(unauthorizedRows)('$name', (row) => stage.check(row));
  });

  describe('401 missing-linked-identity', () => {
    it.each(missing)('$name', (row) => stage.check(row));
  });

  describe('404', () => {
    it.each(unknown)('$name', (row) => stage.check(row));
  });

  describe('500', () => {
    it.each(failures)('$name', (row) => stage.check(row));

    it('says when to try again while the provider is off the network', async () => {
      const { token } = await stage.actor({ login: 'offline' });
      await world.database.query('UPDATE linked_accounts SET expires_at = 1 WHERE subject = ?', ['offline']);
      await world.upstream.disconnect();
      try {
        const answer = await world.pace(token);
        expect(answer.status).toBe(500);
        const seconds = answer.headers.get('retry-after');
        expect(seconds).toMatch(/^[1-9]\d*$/);
        expect(answer.json()).toMatchObject({ errors: [{ status: '500', meta: { retry_after: Number(seconds) } }] });
      } finally {
        await world.upstream.reconnect();
      }
      await endBackOff(world);
      expect((await world.pace(token)).status).toBe(200);
    });
  });

  describe('405', () => {
    it.each(methods)('$name', (row) => stage.check(row));
  });

  describe('the linked identity: 204', () => {
    it.each(linking)('$name', (row) => stage.check(row));
  });

  describe('the linked identity: 401 missing-linked-identity', () => {
    it.each(nothingToLink)('$name', (row) => stage.check(row));
  });

  describe('the linked identity: 401 unauthorized', () => {
    it.each(linkingRefused)('$name', (row) => stage.check(row));
  });

  describe('the linked identity: 404 and 405', () => {
    it.each(linkingUnknown)('$name', (row) => stage.check(row));
  });

  it('audits every refusal, through which client, and names no provider that is none', async () => {
    await world.database.query('DELETE FROM audit_events');
    const { token } = await stage.actor({
      login: 'narrow-linker',
      scope: LINKING_SCOPE.replace(/ \S*:(set|delete)/g, ''),
    });
    const { token: full } = await stage.actor({ login: 'linker', scope: LINKING_SCOPE });
    const send = (path: string, method: string, bearer: string): Promise<unknown> =>
      world.request(path, { method, headers: { authorization: `Bearer ${bearer}` } });
    await send('/federated-identities/mobypay', 'PUT', token);
    await send('/federated-identities/nowhere', 'DELETE', full);
    await send('/federated-identities/members-only', 'DELETE', full);
    const rows = await world.database.query(
      'SELECT event, outcome, client_id, identity_provider, reason FROM audit_events ORDER BY at, event',
    );
    expect(rows).toEqual([
      failure('identity.linked', 'mobypay', 'access.forbidden'),
      failure('identity.unlinked', null, 'provider.unknown'),
      failure('identity.unlinked', 'members-only', 'access.forbidden'),
    ]);
  });

  describe('Request-Id', () => {
    it('comes back with a token', async () => {
      const { token } = await stage.actor();
      const [header, body] = await ask(REQUEST_ID, token);
      expect(header).toBe(REQUEST_ID);
      expect(body).not.toContain(REQUEST_ID);
    });

    it('comes back with an error, and as its id', async () => {
      const [header, body] = await ask(REQUEST_ID);
      expect(header).toBe(REQUEST_ID);
      expect(JSON.parse(body)).toMatchObject({ errors: [{ id: REQUEST_ID }] });
    });

    it.each([
      ['too short', REQUEST_ID.slice(1)],
      ['too long', `${REQUEST_ID}0`],
      ['capitals', REQUEST_ID.toUpperCase()],
      ['a letter beyond v', `w${REQUEST_ID.slice(1)}`],
      ['markup', '<script>alert(1)</script>'],
    ])('is replaced by a new one where it is no xid: %s', async (_name, received) => {
      const [header, body] = await ask(received);
      expect(header).toMatch(XID);
      expect(JSON.parse(body)).toMatchObject({ errors: [{ id: header }] });
      expect(body).not.toContain(received);
    });

    it('is another one for every request', async () => {
      const ids = await Promise.all([1, 2, 3, 4].map(async () => (await ask(''))[0]));
      expect(new Set(ids).size).toBe(4);
    });
  });

  it('never names a header for scripts of other origins', async () => {
    const { token } = await stage.actor();
    const answer = await world.request(tokenPath(), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, origin: 'https://elsewhere.example' },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
