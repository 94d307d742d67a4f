import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import { count } from '../support/journeys.js';
import { HEAP_PROBE, heapAfterCollection } from '../support/heap-probe.js';
import { sendRaw } from '../support/raw-http.js';
import {
  assertionRequest,
  clientAssertion,
  KEEPER,
  signerKey,
  tokenClients,
  type SignerKey,
} from '../support/token-clients.js';
import { Normaliser, stored, type Wire } from '../support/wire.js';
import { createWorld, type World } from '../support/world.js';
import { FACES } from './hostile/faces.js';
import { basicOf, FORM, rowsOf, scopeRequest, SCOPES } from './hostile/request.rows.js';
import { badTokens, giantTokens } from './hostile/token.rows.js';

const BAD_REQUESTS = 1_000;
const AT_ONCE = 20;
const MAX_GROWTH_BYTES = 32 * 1024 * 1024;

const assertion = (token: string) => ({
  grant_type: 'client_credentials',
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: token,
});

describe.each(databases)('hostile requests, on $name', (kind) => {
  let world: World;
  let key: SignerKey;
  /** A server of keys that takes every connection and says nothing. */
  let silent: Server;
  let asked = 0;
  const normaliser = new Normaliser();
  beforeAll(async () => {
    key = await signerKey();
    silent = createServer(() => {
      asked += 1;
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const hanging = {
      client_id: 'hanging',
      scope: 'reports:read',
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: `http://127.0.0.1:${port}/jwks`,
    };
    world = await createWorld(kind, {
      env: { ...HEAP_PROBE, OUTBOUND_ALLOW_CLIENTS: '127.0.0.1' },
      configure: (configuration) => ({
        ...configuration,
        scopes: [{ name: 'reports:read', description: 'Read your reports' }],
        clients: [...(configuration['clients'] ?? []), ...tokenClients(key), hanging],
      }),
    });
    world.ledger.add(KEEPER.client_secret, 'configured secret');
  });
  afterAll(async () => {
    await world.stop();
    silent.close();
  });

  const post = async (
    target: string,
    parameters: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<Wire> => {
    const body = new URLSearchParams(parameters).toString();
    const request = { target, body, headers: { 'Content-Type': FORM, ...headers } };
    return normaliser.wire(await sendRaw(world.service.url, request));
  };

  describe.each(FACES)('$name', (face) => {
    describe.each(face.endpoints)('$path', (endpoint) => {
      it.each(rowsOf(endpoint))('$name', async ({ request, refused }) => {
        const before = await stored(world);
        const answer = await sendRaw(world.service.url, request);
        expect(normaliser.wire(answer)).toStrictEqual(face.refuses(refused, endpoint));
        expect(await stored(world)).toEqual(before);
      });
    });

    it.each(SCOPES)('scope=$text', async ({ text, refused }) => {
      const before = await stored(world);
      const answer = await sendRaw(world.service.url, scopeRequest(face.token, text));
      expect(normaliser.wire(answer)).toStrictEqual(face.refuses(refused));
      expect(await stored(world)).toEqual(before);
    });
  });

  describe.each(FACES)('tokens that nobody made, at $name', (face) => {
    const asKeeper = basicOf(KEEPER.client_id, KEEPER.client_secret);

    it('are no proof of a client', async () => {
      const before = await stored(world);
      for (const [name, token] of Object.entries(badTokens(world.service.url))) {
        world.ledger.add(token, 'forged token');
        const said = [name, await post(face.token, { ...assertion(token), client_id: 'signer' })];
        expect(said).toStrictEqual([name, face.refuses({ why: 'invalid_client', authenticated: 'body' })]);
      }
      expect(await stored(world)).toEqual(before);
      expect(await count(world, 'used_assertions')).toBe(0);
    });

    it('are not active', async () => {
      for (const [name, token] of Object.entries(badTokens(world.service.url))) {
        const { status, body } = await post(face.introspection, { token }, asKeeper);
        expect([name, status, body]).toStrictEqual([name, 200, { active: false }]);
      }
    });

    it('"parameters ≤ 8 KiB, JWT ≤ 16 KiB: beyond that … the face\'s error, cheaply"', async () => {
      for (const token of Object.values(giantTokens(world.service.url))) {
        const tooLong = (name: string) =>
          face.refuses({ why: 'invalid_request', text: `${name} is longer than 8192 bytes` });
        expect(await post(face.token, assertion(token))).toStrictEqual(tooLong('client_assertion'));
        expect((await post(face.introspection, { token }, asKeeper)).body).toStrictEqual(tooLong('token').body);
      }
    });
  });

  it('tokens that nobody made open no face', async () => {
    const tokens = { ...badTokens(world.service.url), ...giantTokens(world.service.url) };
    for (const [name, token] of Object.entries(tokens)) {
      world.ledger.add(token, 'forged token');
      const statuses = [(await world.pace(token)).status, (await world.onezone(token)).status];
      const listed = await world.request('/oauth2/clients', { headers: { authorization: `Bearer ${token}` } });
      expect([name, ...statuses, listed.status, listed.text()]).toEqual([name, 401, 401, 401, '']);
    }
  });

  it('a JWKS that hangs keeps its own client waiting, and nobody else', async () => {
    const claims = { iss: 'hanging', sub: 'hanging' };
    const waiting = FACES.map(async ({ token, refuses }) => {
      const { form } = assertionRequest(await clientAssertion(key, world.service.url, claims), world.ledger);
      const answer = await post(token, form as Record<string, string>);
      expect(answer).toStrictEqual(refuses({ why: 'invalid_client', authenticated: 'body' }));
    });
    const [{ introspection } = { introspection: '' }] = FACES;
    const other = await post(introspection, { token: 'x' }, basicOf(KEEPER.client_id, KEEPER.client_secret));
    expect(other).toMatchObject({ status: 200, body: { active: false } });
    await Promise.all(waiting);
    expect(asked).toBeGreaterThan(0);
  });

  it.each(['application/x-www-form-urlencoded', 'text/plain'])(
    'a body of %s that goes on after its refusal is cut off',
    async (type) => {
      const { hostname, port } = new URL(world.service.url);
      const socket = connect(Number(port), hostname);
      const closed = once(socket, 'close');
      socket.on('error', () => undefined);
      const head = ['POST /token HTTP/1.1', 'Host: x', `Content-Type: ${type}`, 'Transfer-Encoding: chunked', '', ''];
      socket.write(head.join('\r\n'));
      const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`;
      const sending = setInterval(() => socket.write(chunk), 50);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 4(00|13) /);
      await closed;
      clearInterval(sending);
    },
  );

  it('issued nothing to anybody', async () => {
    expect(await count(world, 'audit_events', "WHERE event = 'token.issued'")).toBe(0);
  });

  it(`${BAD_REQUESTS} of them leave nothing behind in memory`, async () => {
    const requests = FACES.flatMap(({ token, endpoints }) => [
      ...endpoints.flatMap((endpoint) => rowsOf(endpoint).map(({ request }) => request)),
      ...SCOPES.map(({ text }) => scopeRequest(token, text)),
    ]);
    const sendMany = async (number: number): Promise<void> => {
      let next = 0;
      const sender = async (): Promise<void> => {
        for (let index = next++; index < number; index = next++) {
          await sendRaw(world.service.url, requests[index % requests.length] ?? { target: '/' });
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, sender));
    };
    // What is loaded or compiled on first use is there to stay.
    await sendMany(requests.length);
    const before = await heapAfterCollection(world.service);
    await sendMany(BAD_REQUESTS);
    const growth = (await heapAfterCollection(world.service)) - before;
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
