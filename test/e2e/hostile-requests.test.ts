import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import { count } from '../support/journeys.js';
import { HEAP_PROBE, heapAfterCollection } from '../support/heap-probe.js';
import { sendRaw } from '../support/raw-http.js';
import { KEEPER, signerKey, tokenClients } from '../support/token-clients.js';
import { Normaliser, stored } from '../support/wire.js';
import { createWorld, type World } from '../support/world.js';
import { FACES } from './hostile/faces.js';
import { ROWS } from './hostile/request.rows.js';

const BAD_REQUESTS = 1_000;
const AT_ONCE = 20;
const MAX_GROWTH_BYTES = 32 * 1024 * 1024;

describe.each(databases)('hostile requests, on $name', (kind) => {
  let world: World;
  const normaliser = new Normaliser();
  beforeAll(async () => {
    const key = await signerKey();
    world = await createWorld(kind, {
      env: { ...HEAP_PROBE },
      configure: (configuration) => ({
        ...configuration,
        scopes: [{ name: 'reports:read', description: 'Read your reports' }],
        clients: [...(configuration['clients'] ?? []), ...tokenClients(key)],
      }),
    });
    world.ledger.add(KEEPER.client_secret, 'configured secret');
  });
  afterAll(() => world.stop());

  describe.each(FACES)('$name', (face) => {
    it.each(ROWS)('$name', async ({ request, refused }) => {
      const before = await stored(world);
      const answer = await sendRaw(world.service.url, request(face.token));
      expect(normaliser.wire(answer)).toStrictEqual(face.refuses(refused));
      expect(await stored(world)).toEqual(before);
    });
  });

  it('issued nothing to anybody', async () => {
    expect(await count(world, 'audit_events', "WHERE event = 'token.issued'")).toBe(0);
  });

  it(`${BAD_REQUESTS} of them leave nothing behind in memory`, async () => {
    const requests = FACES.flatMap(({ token }) => ROWS.map(({ request }) => request(token)));
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
