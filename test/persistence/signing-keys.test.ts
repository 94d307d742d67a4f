import { sign, verify } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { EntityTarget, ObjectLiteral, Repository } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SigningAlgorithm } from '../../src/config/index.js';
import { UnitOfWork } from '../../src/database/index.js';
import { databases } from '../support/databases.js';
import { Latch } from './support/latch.js';
import { signingRoomOf } from './support/signing-room.js';
import { openStorage, type Replica, type Storage } from './support/storage.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CACHE_MS = 1_000;
const COOLDOWN_MS = 100;
const ALL: SigningAlgorithm[] = ['ES256', 'RS256', 'PS256', 'EdDSA'];
/** RSA keys take long to make. */
const QUICK: SigningAlgorithm[] = ['ES256', 'EdDSA'];
const DATA = Buffer.from('a token');
const unaborted = new AbortController().signal;

const withAlgorithms = (replica: Replica, SIGNING_ALGS: SigningAlgorithm[], unitOfWork = replica.unitOfWork) =>
  signingRoomOf(Object.assign(replica.configured({ environment: { SIGNING_ALGS } }), { unitOfWork }));

describe.each(databases)('signing keys on $name', (kind) => {
  let storage: Storage;
  /** Two replicas; on SQLite two rooms of one process. */
  let one: ReturnType<typeof signingRoomOf>;
  let other: ReturnType<typeof signingRoomOf>;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    storage = await openStorage(kind);
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    for (const table of ['signing_keys', 'audit_events']) await storage.database.query(`DELETE FROM ${table}`);
    [one, other] = [withAlgorithms(storage.first, QUICK), withAlgorithms(storage.second, QUICK)];
  });

  const scheduled = (SIGNING_KEY_ROTATION_DAYS: number) =>
    signingRoomOf(storage.first.configured({ environment: { SIGNING_KEY_ROTATION_DAYS, SIGNING_ALGS: QUICK } }))
      .rotation;
  const start = () => Promise.all([one.rotation.onModuleInit(), other.rotation.onModuleInit()]);
  const kids = async (algorithm = 'ES256') => {
    const listed = (await one.rotation.list()).filter((key) => key.algorithm === algorithm);
    const of = (status: string) => listed.filter((key) => key.status === status).map(({ kid }) => kid);
    return { current: of('current')[0], next: of('next')[0], retired: of('retired'), all: of('current').length };
  };
  const tally = async () => {
    const counts: Record<string, number> = {};
    for (const { algorithm, status } of await one.rotation.list()) {
      counts[`${algorithm} ${status}`] = (counts[`${algorithm} ${status}`] ?? 0) + 1;
    }
    return counts;
  };
  const audits = async () => {
    const rows = await storage.database.query("SELECT reason FROM audit_events WHERE event = 'signing-keys.rotated'");
    return rows.map(({ reason }) => String(reason)).toSorted((a, b) => a.localeCompare(b));
  };
  const verifies = async (room: typeof one, kid: string | undefined, algorithm = 'ES256') =>
    (await room.keys.verificationKey(kid, algorithm)) !== undefined;

  it('are made once for each algorithm, however many replicas start: one that signs and one that will', async () => {
    const replicas = Array.from({ length: 6 }, (_, index) =>
      withAlgorithms(index % 2 === 0 ? storage.first : storage.second, ALL),
    );
    await Promise.all(replicas.map(({ rotation }) => rotation.onModuleInit()));
    expect(await tally()).toEqual(
      Object.fromEntries(
        ALL.flatMap((algorithm) => [
          [`${algorithm} current`, 1],
          [`${algorithm} next`, 1],
        ]),
      ),
    );
    const sets = await Promise.all(replicas.map(({ keys }) => keys.publicJwks()));
    for (const set of sets) expect(set).toEqual(sets[0]);
    // A reader who takes the first key of an algorithm takes the one that signs.
    for (const algorithm of ALL) {
      expect(sets[0]?.find(({ alg }) => alg === algorithm)?.kid).toBe((await kids(algorithm)).current);
    }
    const before = await kids();
    await replicas[0]?.rotation.onModuleInit();
    expect(await kids()).toEqual(before);
  });

  it('"EdDSA is published only if `SIGNING_ALGS` lists it"', async () => {
    for (const [algorithms, published] of [
      [['ES256'], false],
      [QUICK, true],
    ] as [SigningAlgorithm[], boolean][]) {
      const room = withAlgorithms(storage.first, algorithms);
      await room.rotation.onModuleInit();
      expect((await room.keys.publicJwks()).some(({ alg }) => alg === 'EdDSA')).toBe(published);
    }
  });

  it('sign and verify by their algorithm and kid; nothing of a private half is listed, published or readable', async () => {
    const room = withAlgorithms(storage.first, ALL);
    await room.rotation.onModuleInit();
    for (const algorithm of ALL) {
      const { kid, privateKey } = await room.keys.current(algorithm);
      const hash = algorithm === 'EdDSA' ? null : 'sha256';
      const publicKey = await other.keys.verificationKey(kid, algorithm);
      expect(publicKey && verify(hash, DATA, publicKey, sign(hash, DATA, privateKey))).toBe(true);
      expect(await room.keys.verificationKey(kid, algorithm === 'ES256' ? 'RS256' : 'ES256')).toBeUndefined();
      const { d } = privateKey.export({ format: 'jwk' });
      const seen = JSON.stringify([await room.rotation.list(), await room.keys.publicJwks()]);
      expect(seen + (await storage.database.dump())).not.toContain(d);
    }
    for (const jwk of await room.keys.publicJwks()) {
      expect(Object.keys(jwk)).not.toEqual(expect.arrayContaining(['d']));
      expect(jwk.use).toBe('sig');
    }
  });

  it('are rotated: the next one signs, the former one verifies, and a new one is published', async () => {
    await start();
    const before = await kids();
    storage.clock.advance(HOUR_MS);
    await one.rotation.rotate({ algorithm: 'ES256' });
    const after = await kids();
    expect(after).toMatchObject({ current: before.next, retired: [before.current] });
    expect([before.current, before.next]).not.toContain(after.next);
    expect((await one.keys.current('ES256')).kid).toBe(after.current);
    for (const kid of [before.current, after.current]) expect(await verifies(one, kid)).toBe(true);
    expect((await one.keys.publicJwks()).map(({ kid }) => kid)).toEqual(
      expect.arrayContaining([before.current, after.current, after.next]),
    );
    expect(await tally()).toMatchObject({ 'EdDSA current': 1, 'EdDSA next': 1 });
    expect(await audits()).toEqual(['requested ES256']);
  });

  it('are rotated together where no algorithm is named, and all or none', async () => {
    await start();
    storage.clock.advance(HOUR_MS);
    await one.rotation.rotate({ algorithm: 'ES256' });
    const [before, unrotated] = [await kids(), await kids('EdDSA')];
    // The next ES256 key is young now, the next EdDSA key is not.
    await expect(one.rotation.rotate({})).rejects.toMatchObject({ code: 'resource.conflict' });
    expect([await kids(), await kids('EdDSA')]).toEqual([before, unrotated]);
    storage.clock.advance(HOUR_MS);
    await one.rotation.rotate({});
    expect((await kids()).current).toBe(before.next);
    expect((await kids('EdDSA')).current).toBe(unrotated.next);
  });

  it('"the next key published before its use": the first with the one that signs, each later one for an hour, unless it is to be at once', async () => {
    await start();
    const first = await kids();
    storage.clock.advance(1);
    await one.rotation.rotate({ algorithm: 'ES256' });
    const before = await kids();
    expect(before.current).toBe(first.next);
    storage.clock.advance(HOUR_MS - 1);
    await expect(one.rotation.rotate({ algorithm: 'ES256' })).rejects.toMatchObject({ code: 'resource.conflict' });
    expect(await kids()).toEqual(before);
    const known = (await one.rotation.list()).find(({ kid }) => kid === before.next)?.changesAt;
    expect(known).toBe(storage.clock.now() + 1);
    expect(await audits()).toEqual(['requested ES256']);
    await one.rotation.rotate({ algorithm: 'ES256', immediately: true });
    expect((await kids()).current).toBe(before.next);
    expect(await audits()).toEqual(['immediate ES256', 'requested ES256']);
  });

  it.each([{ immediately: true }, { revokePrevious: true }])(
    'two replicas that rotate at once rotate once: %o',
    async (request) => {
      await start();
      const before = await kids();
      // Everybody has read what is to be changed before anybody changes it.
      const ready = new Latch();
      const rooms = [storage.first, storage.second, storage.first, storage.second];
      let waiting = 0;
      class Meeting extends UnitOfWork {
        override async run<Result>(work: () => Promise<Result>): Promise<Result> {
          waiting += 1;
          if (waiting === rooms.length) ready.open();
          await ready.opened;
          return super.run(work);
        }
      }
      const asked = rooms.map((replica) =>
        withAlgorithms(replica, QUICK, new Meeting(replica.dataSource)).rotation.rotate(request),
      );
      const results = await Promise.allSettled(asked);
      const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      expect(refused).toHaveLength(rooms.length - 1);
      for (const error of refused) expect(error).toMatchObject({ code: 'resource.conflict' });
      expect((await kids()).retired).toEqual('immediately' in request ? [before.current] : []);
      expect(await tally()).toMatchObject({ 'ES256 current': 1, 'ES256 next': 1 });
      expect(await audits()).toHaveLength(QUICK.length);
    },
  );

  it('that may have got out are removed with the next one, and what they signed is refused on every replica', async () => {
    await start();
    await one.rotation.rotate({ algorithm: 'ES256', immediately: true });
    const before = await kids();
    const untouched = await kids('EdDSA');
    const former = [before.current, before.next, ...before.retired].map(String);
    for (const room of [one, other]) for (const kid of former) expect(await verifies(room, kid)).toBe(true);
    await one.rotation.rotate({ algorithm: 'ES256', revokePrevious: true });
    for (const kid of former) expect(await verifies(one, kid)).toBe(false);
    storage.clock.advance(CACHE_MS);
    for (const kid of former) expect(await verifies(other, kid)).toBe(false);
    const after = await kids();
    expect(former).not.toContain(after.current);
    expect(former).not.toContain(after.next);
    expect(after.retired).toEqual([]);
    expect((await other.keys.current('ES256')).kid).toBe(after.current);
    expect(await kids('EdDSA')).toEqual(untouched);
    expect(await audits()).toContain('revoked ES256');
  });

  it('are known to a replica that has read them before another made them', async () => {
    await start();
    await other.keys.publicJwks();
    storage.clock.advance(COOLDOWN_MS + 1);
    await one.rotation.rotate({ algorithm: 'ES256', revokePrevious: true });
    expect(await verifies(other, (await one.keys.current('ES256')).kid)).toBe(true);
  });

  it('are not read again for every unknown kid', async () => {
    await start();
    let reads = 0;
    class Counting extends UnitOfWork {
      override repository<Entity extends ObjectLiteral>(target: EntityTarget<Entity>): Repository<Entity> {
        reads += 1;
        return super.repository(target);
      }
    }
    const { keys } = withAlgorithms(storage.second, QUICK, new Counting(storage.second.dataSource));
    await keys.publicJwks();
    storage.clock.advance(COOLDOWN_MS + 1);
    for (let count = 0; count < 50; count += 1) {
      expect(await keys.verificationKey(`unknown-${count}`, 'ES256')).toBeUndefined();
    }
    expect(reads).toBe(2);
  });

  describe('by schedule', () => {
    it('are rotated after so many days of signing, once', async () => {
      await start();
      const before = await kids();
      const rotation = scheduled(90);
      storage.clock.advance(90 * DAY_MS - 1);
      await rotation.run(unaborted);
      expect(await kids()).toEqual(before);
      storage.clock.advance(1);
      await rotation.run(unaborted);
      await rotation.run(unaborted);
      const after = await kids();
      expect(after).toMatchObject({ current: before.next, retired: [before.current] });
      expect(await audits()).toEqual(['scheduled EdDSA', 'scheduled ES256']);
      expect((await one.rotation.list()).find(({ kid }) => kid === after.current)?.activatedAt).toBe(
        storage.clock.now(),
      );
    });

    it('wait until the next one is known, and are left to the operator with 0 days', async () => {
      await start();
      const before = await kids();
      await storage.database.query("UPDATE signing_keys SET created_at = ? WHERE status = 'next'", [
        storage.clock.now() + 90 * DAY_MS - HOUR_MS + 1,
      ]);
      storage.clock.advance(90 * DAY_MS);
      await scheduled(90).run(unaborted);
      expect(await kids()).toEqual(before);
      storage.clock.advance(1);
      await scheduled(0).run(unaborted);
      expect(await kids()).toEqual(before);
      await scheduled(90).run(unaborted);
      expect((await kids()).current).toBe(before.next);
    });

    it('verify as long as a token of theirs can live, and are removed then', async () => {
      await start();
      await one.rotation.rotate({ algorithm: 'ES256', immediately: true });
      const former = (await kids()).retired[0];
      storage.clock.advance(86_400_000);
      await scheduled(0).run(unaborted);
      expect(await verifies(other, former)).toBe(true);
      storage.clock.advance(60_001);
      await scheduled(0).run(unaborted);
      storage.clock.advance(CACHE_MS);
      expect(await verifies(other, former)).toBe(false);
      expect((await kids()).retired).toEqual([]);
    });

    it('no longer sign once their algorithm is off the list, and verify until their tokens have ended', async () => {
      await start();
      const { current: former, next } = await kids('EdDSA');
      const narrow = withAlgorithms(storage.first, ['ES256']);
      await narrow.rotation.run(unaborted);
      // So far somebody may have added it who has the new setting already.
      expect((await kids('EdDSA')).current).toBe(former);
      storage.clock.advance(86_400_001);
      await expect(narrow.rotation.rotate({ algorithm: 'EdDSA' })).rejects.toMatchObject({
        code: 'request.parameter-invalid',
      });
      await narrow.rotation.run(unaborted);
      await expect(narrow.keys.current('EdDSA')).rejects.toThrow('no current EdDSA key');
      expect(await kids('EdDSA')).toMatchObject({ retired: [former], all: 0 });
      expect(await verifies(narrow, former, 'EdDSA')).toBe(true);
      expect((await narrow.keys.publicJwks()).map(({ kid }) => kid)).not.toContain(next);
      storage.clock.advance(86_400_000 + 60_001);
      await narrow.rotation.run(unaborted);
      expect(await tally()).toEqual({ 'ES256 current': 1, 'ES256 next': 1 });
    });

    it('of an algorithm that is off the list are removed at once when they may have got out', async () => {
      await start();
      await withAlgorithms(storage.first, ['ES256']).rotation.rotate({ algorithm: 'EdDSA', revokePrevious: true });
      expect(await tally()).toEqual({ 'ES256 current': 1, 'ES256 next': 1 });
    });

    it('rotate a key of a release that did not write down since when it signs', async () => {
      await start();
      const before = await kids();
      await storage.database.query('UPDATE signing_keys SET activated_at = NULL');
      storage.clock.advance(90 * DAY_MS);
      await scheduled(90).run(unaborted);
      expect(await kids()).toMatchObject({ current: before.next, retired: [before.current] });
    });
  });

  it('that are damaged end what they signed, and nothing else', async () => {
    await start();
    await one.rotation.rotate({ algorithm: 'ES256', immediately: true });
    const { current, retired } = await kids();
    await storage.database.query("UPDATE signing_keys SET private_key = 'AAAA' WHERE kid = ?", [retired[0]]);
    const fresh = withAlgorithms(storage.second, QUICK);
    expect((await fresh.keys.current('ES256')).kid).toBe(current);
    expect(await verifies(fresh, current)).toBe(true);
    await expect(fresh.keys.verificationKey(retired[0], 'ES256')).rejects.toMatchObject({ code: 'server.error' });
  });
});
