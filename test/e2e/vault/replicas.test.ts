import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../../support/databases.js';
import type { Service } from '../../support/service.js';
import {
  audited,
  eventually,
  linkedAccount,
  read,
  redemptions,
  setRemaining,
  signInCapturing,
  updateAccount,
} from '../../support/vault.js';
import { createWorld, type World } from '../../support/world.js';

const READERS = 102;
const EXPIRIES = 4;
const TIMES_OUTRUN = 8;

describe.each(databases)('the vault, shared by several processes on $name', (kind) => {
  const several = kind.name === 'postgres';
  let world: World;
  let services: Service[];
  beforeAll(async () => {
    world = await createWorld(kind);
    services = several ? [world.service, await world.startReplica(), await world.startReplica()] : [world.service];
  });
  afterAll(async () => {
    await world.stop();
  });

  /** How often a refresh in the first process has found another's lease. */
  async function leasesAwaited(): Promise<number> {
    const metrics = (await world.request('/metrics')).text();
    return Number(/^symbolon_vault_lease_waits_total\{.*\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
  }

  /** The process that holds the lease dies while the provider has its request; who answers afterwards is another. */
  async function killHolder(token: string, stage: 'request' | 'answer'): Promise<void> {
    const holder = several ? await world.startReplica() : world.service;
    world.upstream.withhold(stage);
    const reading = read(world, token, { at: holder }).catch(() => undefined);
    await world.upstream.waitForTokenRequest();
    if (several) await holder.kill();
    else await world.restart('kill');
    world.upstream.release();
    await reading;
  }

  it(`promises 2 and 3: ${READERS} readers make one redemption of every expiry, and all get its token`, async () => {
    const { token, given } = await signInCapturing(world, 'p2');
    let before = given['access_token'];
    world.upstream.resetCounts();
    for (let expiry = 1; expiry <= EXPIRIES; expiry += 1) {
      await setRemaining(world, 'p2', -1);
      const readings = await Promise.all(
        Array.from({ length: READERS }, (_, index) =>
          read(world, token, {
            face: index % 2 === 0 ? 'pace' : 'onezone',
            at: services[index % services.length] ?? world.service,
          }),
        ),
      );
      expect(new Set(readings.map(({ status }) => status))).toEqual(new Set([200]));
      const tokens = new Set(readings.map((each) => each.token));
      expect(tokens.size).toBe(1);
      expect(tokens).not.toContain(before);
      before = readings[0]?.token;
      expect(redemptions(world)).toEqual({ attempted: expiry, reused: false });
    }
  }, 90_000);

  it('promise 2: serves everybody while tokens keep expiring under them', async () => {
    const { token } = await signInCapturing(world, 'p2-under-them');
    world.upstream.resetCounts();
    let expiries = 0;
    const readers = Array.from({ length: 12 }, async (_, index) => {
      for (let turn = 0; turn < 6; turn += 1) {
        if (index === 0) {
          expiries += 1;
          await setRemaining(world, 'p2-under-them', -1);
        }
        const reading = await read(world, token, { at: services[index % services.length] ?? world.service });
        expect(reading.status).toBe(200);
      }
    });
    await Promise.all(readers);
    const { attempted, reused } = redemptions(world);
    expect(attempted).toBeLessThanOrEqual(expiries);
    expect(attempted).toBeGreaterThan(0);
    expect(reused).toBe(false);
  });

  it(`promise 2: serves a reader for whom the token was refreshed and has expired again ${TIMES_OUTRUN} times`, async () => {
    const { token } = await signInCapturing(world, 'p2-outrun');
    await setRemaining(world, 'p2-outrun', -1);
    await updateAccount(world, 'p2-outrun', { lease_owner: 'another', lease_expires_at: Date.now() + 60_000 });
    world.upstream.resetCounts();
    const generation = Number((await linkedAccount(world, 'p2-outrun'))['generation']);
    const before = await leasesAwaited();
    const reading = read(world, token);
    for (let times = 1; times <= TIMES_OUTRUN; times += 1) {
      await eventually('the reader waits for the other', async () => (await leasesAwaited()) === before + times);
      await updateAccount(world, 'p2-outrun', {
        generation: generation + times,
        ...(times === TIMES_OUTRUN && { expires_at: Date.now() + 3_600_000 }),
      });
    }
    expect((await reading).status).toBe(200);
    expect(redemptions(world).attempted).toBe(0);
  });

  it('promises 3 and 7: takes over from a dead holder whose request the provider had not processed', async () => {
    const { token } = await signInCapturing(world, 'p3-unprocessed');
    await setRemaining(world, 'p3-unprocessed', -1);
    world.upstream.resetCounts();
    world.upstream.failNext(1);
    await killHolder(token, 'request');
    const waiting = read(world, token);
    expect((await linkedAccount(world, 'p3-unprocessed'))['lease_owner']).toEqual(expect.any(String));
    expect(redemptions(world).attempted).toBe(1);
    await updateAccount(world, 'p3-unprocessed', { lease_expires_at: 1 });
    expect((await waiting).status).toBe(200);
    expect(world.upstream.counts.refresh).toEqual({ attempted: 2, succeeded: 1 });
    expect(await linkedAccount(world, 'p3-unprocessed')).toMatchObject({
      status: 'active',
      refresh_intent_at: null,
      lease_owner: null,
    });
  });

  it('promise 7: says rotation_lost, and never nothing, where the dead holder had been answered', async () => {
    const { token } = await signInCapturing(world, 'p7-killed');
    await setRemaining(world, 'p7-killed', -1);
    await killHolder(token, 'answer');
    await updateAccount(world, 'p7-killed', { lease_expires_at: 1 });
    const readings = [await read(world, token), await read(world, token, { face: 'onezone' })];
    expect(readings.map(({ status }) => status)).toEqual([401, 404]);
    expect(await linkedAccount(world, 'p7-killed')).toMatchObject({
      status: 'reauthentication-required',
      reason: 'rotation_lost',
      lease_owner: null,
    });
    expect((await audited(world, 'p7-killed')).filter(({ reason }) => reason === 'rotation_lost')).toHaveLength(1);
  });

  it('leaves no secret in any output or in the database', async () => {
    expect(world.upstream.serverErrors).toEqual([]);
    await world.assertNoLeaks();
  });
});
