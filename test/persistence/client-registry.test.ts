import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Audit } from '../../src/audit/index.js';
import { ClientRegistry } from '../../src/clients/client-registry.js';
import { matches } from '../../src/clients/client-secrets.js';
import { ClientsRepository } from '../../src/clients/clients.repository.js';
import { DeclaredClients } from '../../src/clients/declared-clients.js';
import { Secret } from '../../src/common/secret.js';
import { AppliedDeclarations } from '../../src/config/index.js';
import { UsersRepository } from '../../src/users/index.js';
import { databases } from '../support/databases.js';
import { clientSecretsOf } from './support/clients.js';
import { fiftyTimes, openStorage, type Replica, type Storage } from './support/storage.js';

const APP = { client_id: 'app', redirect_uris: ['https://app.example/callback'], scope: 'openid' };
const HOUR_MS = 3_600_000;

const roomOf = (replica: Replica) => {
  const { unitOfWork, clock, randomness, configuration } = replica;
  const secrets = clientSecretsOf(replica);
  const clients = new ClientsRepository(unitOfWork, clock, randomness);
  const users = new UsersRepository(unitOfWork, clock, randomness);
  const audit = new Audit(unitOfWork, clock, randomness);
  const registry = new ClientRegistry(clients, secrets, users, unitOfWork, audit, randomness, configuration);
  const applied = new AppliedDeclarations(unitOfWork, clock, configuration);
  return { clients, users, registry, declared: new DeclaredClients(configuration, applied, clients, secrets, users) };
};
type Room = ReturnType<typeof roomOf>;

describe.each(databases)('the registry of clients on $name', (kind) => {
  let storage: Storage;
  let first: Room;
  let second: Room;
  beforeEach(async () => {
    storage = await openStorage(kind);
    first = roomOf(storage.first);
    second = roomOf(storage.second);
  });
  afterEach(() => storage.close());

  const rotate = async (previousValidForMs: number, room = first): Promise<Secret> =>
    (await room.registry.rotateSecret('app', { previousValidForMs })).secret;
  /** Which of the secrets the client may use now, by their places. */
  const live = async (...secrets: (Secret | undefined)[]): Promise<number[]> => {
    const client = await second.clients.find('app');
    const verifiers = client ? (await second.clients.secrets(client)).map(({ verifier }) => verifier) : [];
    const places: number[] = [];
    for (const [place, secret] of secrets.entries()) {
      for (const verifier of verifiers) if (secret && (await matches(secret, verifier))) places.push(place);
    }
    return places;
  };
  /** The same database, with that file and those algorithms. */
  const started = (declared: object, algorithms: string): Room => {
    const replica = storage.first.configured({ declared });
    Object.assign(replica.configuration.environment, { SIGNING_ALGS: algorithms.split(',') });
    return roomOf(replica);
  };
  const events = async (): Promise<unknown[]> =>
    (await storage.database.query('SELECT event FROM audit_events ORDER BY at')).map(({ event }) => event);

  it('"two may be valid while rotating", until the time is over, and never more than the newest two', async () => {
    const { secret: one } = await first.registry.create(APP);
    const two = await rotate(HOUR_MS);
    expect(await live(one, two)).toEqual([0, 1]);
    storage.clock.advance(HOUR_MS - 1);
    expect(await live(one, two)).toEqual([0, 1]);
    storage.clock.advance(1);
    expect(await live(one, two)).toEqual([1]);
    const three = await rotate(HOUR_MS);
    const four = await rotate(HOUR_MS);
    expect(await live(one, two, three, four)).toEqual([2, 3]);
    const five = await rotate(0);
    expect(await live(one, two, three, four, five)).toEqual([4]);
    expect(await storage.database.query('SELECT 1 FROM client_secrets')).toHaveLength(1);
    expect(new Set(await events())).toEqual(new Set(['client.created', 'client.secret-rotated']));
  });

  it('"Client secrets: ≥ 256 random bits, stored as SHA-256 …; human-made secrets: Argon2id"', async () => {
    const { secret: made } = await first.registry.create(APP);
    expect(Buffer.from(made?.reveal() ?? '', 'base64url')).toHaveLength(32);
    await first.registry.create({ ...APP, client_id: 'imported', client_secret: 'made up by a human' });
    const rows = await storage.database.query('SELECT verifier, secret FROM client_secrets ORDER BY client_id');
    const digest = createHash('sha256')
      .update(made?.reveal() ?? '')
      .digest('base64url');
    expect(rows).toEqual([
      { verifier: `sha256:${digest}`, secret: null },
      { verifier: expect.stringMatching(/^\$argon2id\$/), secret: null },
    ]);
  });

  it('keeps the secrets of the last two where fifty are made at once', async () => {
    await first.registry.create(APP);
    const rooms = new Map([storage.first, storage.second].map((replica) => [replica, roomOf(replica)]));
    const made = await fiftyTimes([storage.first, storage.second], (replica) => rotate(HOUR_MS, rooms.get(replica)));
    expect(await live(...made)).toHaveLength(2);
    expect(await storage.database.query('SELECT 1 FROM client_secrets')).toHaveLength(2);
  });

  it('loses none of the changes that are made at once, and each is another version', async () => {
    await first.registry.create(APP);
    const versions = new Set([(await first.registry.get('app')).version]);
    const rooms = new Map([storage.first, storage.second].map((replica) => [replica, roomOf(replica)]));
    const changed = await fiftyTimes([storage.first, storage.second], (replica, index) =>
      rooms.get(replica)!.registry.change('app', (entry) => ({ ...entry, scope: `${entry.scope} s${index}` })),
    );
    for (const { client } of changed) versions.add(client.version);
    expect((await second.registry.get('app')).scope).toHaveLength(51);
    expect(versions.size).toBe(51);
  });

  it.each(['rotateSecret', 'enable', 'disable'] as const)('makes another version by %s', async (how) => {
    await first.registry.create(APP);
    if (how === 'enable') await first.registry.disable('app');
    const { version } = await first.registry.get('app');
    if (how === 'rotateSecret') await rotate(HOUR_MS);
    else await first.registry[how]('app');
    expect((await second.registry.get('app')).version).not.toBe(version);
  });

  it('can be changed when it is allowed nothing, as a declared administrator that is no longer declared', async () => {
    const { client } = await first.registry.create({ ...APP, scope: '' });
    expect(client.scope).toEqual([]);
    await first.registry.change('app', (entry) => ({ ...entry, client_name: 'Renamed' }));
    expect(await second.registry.get('app')).toMatchObject({ clientName: 'Renamed', scope: [] });
  });

  it('is not enabled while its id_tokens could not be signed: every later start would end', async () => {
    await first.registry.create(APP);
    await first.registry.disable('app');
    await storage.database.query("UPDATE clients SET id_token_signed_response_alg = 'PS256', version = 'other'");
    await expect(first.registry.enable('app')).rejects.toMatchObject({ code: 'request.parameter-invalid' });
    expect((await second.registry.get('app')).enabled).toBe(false);
  });

  it('keeps the secrets through a change, unless the method has another use for them, or none', async () => {
    const { secret } = await first.registry.create(APP);
    const change = (members: object) => first.registry.change('app', (entry) => ({ ...entry, ...members }));
    expect((await change({ client_name: 'Renamed' })).secret).toBeUndefined();
    expect((await change({ token_endpoint_auth_method: 'client_secret_post' })).secret).toBeUndefined();
    expect(await live(secret)).toEqual([0]);
    const signing = (await change({ token_endpoint_auth_method: 'client_secret_jwt' })).secret;
    expect(signing).toBeDefined();
    expect(await live(secret)).toEqual([]);
    await change({ token_endpoint_auth_method: 'none' });
    expect(await storage.database.query('SELECT 1 FROM client_secrets')).toEqual([]);
    const chosen = new Secret('c'.repeat(43));
    await change({ token_endpoint_auth_method: 'client_secret_basic', client_secret: chosen.reveal() });
    expect(await live(secret, signing, chosen)).toEqual([2]);
  });

  it('stays as it is where a change is refused', async () => {
    await first.registry.create(APP);
    const before = await first.registry.get('app');
    const change = (members: object) => first.registry.change('app', (entry) => ({ ...entry, ...members }));
    for (const members of [
      { client_id: 'other' },
      { scope: 'openid admin' },
      { id_token_signed_response_alg: 'EdDSA' },
      { redirect_uris: [] },
      { token_endpoint_auth_method: 'none', client_secret: 's'.repeat(43) },
    ]) {
      await expect(change(members)).rejects.toMatchObject({ code: 'request.parameter-invalid' });
    }
    expect(await first.registry.get('app')).toEqual(before);
    expect(await events()).toEqual(['client.created']);
  });

  it("a client cannot choose an id that collides with a user's sub, and one that is made never does (RFC 9700 section 4.15)", async () => {
    const { id } = await first.users.create({ fullName: 'Ada' });
    await expect(first.registry.create({ ...APP, client_id: id })).rejects.toMatchObject({ code: 'resource.conflict' });
    const { client } = await first.registry.create({ redirect_uris: APP.redirect_uris });
    expect(client.clientId.charAt(14)).toBe('8');
    expect(id.charAt(14)).toBe('4');
  });

  it('is made once where many ask for the same id, and its secret is the one that works', async () => {
    const rooms = new Map([storage.first, storage.second].map((replica) => [replica, roomOf(replica)]));
    const made = await fiftyTimes([storage.first, storage.second], (replica) =>
      rooms
        .get(replica)!
        .registry.create(APP)
        .catch((error: unknown) => error as { code: string }),
    );
    const [winner, ...others] = made.flatMap((each) => ('client' in each ? [each] : []));
    expect(others).toEqual([]);
    expect(await live(winner?.secret)).toEqual([0]);
    expect(made.filter((each) => 'code' in each && each.code === 'resource.conflict')).toHaveLength(49);
  });

  it('has those who listen forget a client in the transaction that deletes it, all of it or nothing', async () => {
    await first.registry.create(APP);
    let failing = true;
    const told: string[] = [];
    first.registry.onDeleted(async (clientId) => {
      told.push(clientId);
      await first.users.create({ fullName: 'written by a listener' });
      if (failing) throw new Error('a listener failed');
    });
    await expect(first.registry.delete('app')).rejects.toThrow('a listener failed');
    expect(await second.registry.get('app')).toMatchObject({ clientId: 'app' });
    expect(await storage.database.query('SELECT 1 FROM users')).toEqual([]);
    expect(await storage.database.query('SELECT 1 FROM client_secrets')).toHaveLength(1);
    failing = false;
    await first.registry.delete('app');
    await expect(first.registry.delete('app')).rejects.toMatchObject({ code: 'resource.not-found' });
    expect(told).toEqual(['app', 'app']);
    expect(await events()).toEqual(['client.created', 'client.deleted']);
  });

  describe('at a start', () => {
    const signing = { ...APP, client_secret: 's'.repeat(43), id_token_signed_response_alg: 'PS256' as const };
    const lacking =
      'SIGNING_ALGS lacks PS256, the id_token_signed_response_alg of the client app; add it, or change the client';

    it('refuses a declared client whose id_tokens could not be signed, and writes nothing of it', async () => {
      await expect(started({ clients: [signing] }, 'ES256,RS256').declared.onModuleInit()).rejects.toThrow(lacking);
      expect(await first.clients.find('app')).toBeUndefined();
      await started({ clients: [signing] }, 'ES256,RS256,PS256').declared.onModuleInit();
      expect(await first.clients.find('app')).toMatchObject({ idTokenSignedResponseAlg: 'PS256' });
    });

    it('refuses to leave out an algorithm that a client needs, unless the client is disabled', async () => {
      await started({}, 'ES256,RS256,PS256').registry.create(signing);
      await expect(started({}, 'ES256,RS256').declared.onModuleInit()).rejects.toThrow(lacking);
      await first.registry.disable('app');
      await started({}, 'ES256,RS256').declared.onModuleInit();
    });
  });
});
