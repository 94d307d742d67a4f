import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../../support/databases.js';
import {
  endBackOff,
  linkedAccount,
  read,
  redemptions,
  setRemaining,
  signInCapturing,
  updateAccount,
} from '../../support/vault.js';
import { createWorld, type World } from '../../support/world.js';

/** A provider that leaves time to use a rotated token again, and little patience with it. */
describe.each(databases)('waiting for the provider or for another process on $name', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind, {
      upstream: { rotate: false },
      env: { UPSTREAM_TIMEOUT_MS: '1500', UPSTREAM_LEASE_MS: '6500' },
    });
  });
  afterAll(async () => {
    await world.stop();
  });

  const leaseElsewhere = (login: string): Promise<void> =>
    updateAccount(world, login, { lease_owner: 'another process', lease_expires_at: Date.now() + 600_000 });

  /** A reading that was begun and is answered only later: others that began after it are done already. */
  async function begun(login: string, token: string): Promise<{ answer: ReturnType<typeof read> }> {
    const { token: bystander } = await signInCapturing(world, `${login}-bystander`);
    const answer = read(world, token);
    for (let turn = 0; turn < 3; turn += 1) expect((await read(world, bystander)).status).toBe(200);
    return { answer };
  }

  it('promise 4: a loser never refreshes outside the lease; it ends with the valid token or a typed answer', async () => {
    const valid = await signInCapturing(world, 'p4-valid');
    const expired = await signInCapturing(world, 'p4-expired');
    await setRemaining(world, 'p4-valid', 100);
    await setRemaining(world, 'p4-expired', -1);
    await leaseElsewhere('p4-valid');
    await leaseElsewhere('p4-expired');
    world.upstream.resetCounts();
    const [served, onezone, pace] = await Promise.all([
      read(world, valid.token),
      read(world, expired.token, { face: 'onezone' }),
      world.pace(expired.token),
    ]);
    expect([served.status, served.token]).toEqual([200, valid.given['access_token']]);
    expect(served.secondsLeft).toBeLessThanOrEqual(100);
    expect([onezone.status, pace.status]).toEqual([503, 500]);
    // As long as the other one may hold the lease.
    expect(Number(onezone.retryAfter)).toBeGreaterThan(500);
    expect(pace.json<{ errors: unknown[] }>().errors[0]).toMatchObject({
      meta: { retry_after: Number(pace.headers.get('retry-after')) },
    });
    expect(redemptions(world).attempted).toBe(0);
  });

  it('promise 4: a loser reads again as soon as the other one is done', async () => {
    const { token, given } = await signInCapturing(world, 'p4-done');
    await setRemaining(world, 'p4-done', -1);
    await leaseElsewhere('p4-done');
    world.upstream.resetCounts();
    const waiting = await begun('p4-done', token);
    const { generation } = await linkedAccount(world, 'p4-done');
    await updateAccount(world, 'p4-done', {
      lease_owner: null,
      lease_expires_at: null,
      generation: Number(generation) + 1,
      expires_at: Date.now() + 3_600_000,
      obtained_at: Date.now(),
    });
    const reading = await waiting.answer;
    expect([reading.status, reading.token]).toEqual([200, given['access_token']]);
    expect(redemptions(world).attempted).toBe(0);
  });

  it('promise 4: whoever gets the lease of a row that has become fresh meanwhile makes no call', async () => {
    const { token, given } = await signInCapturing(world, 'p4-fresh');
    await setRemaining(world, 'p4-fresh', -1);
    await leaseElsewhere('p4-fresh');
    world.upstream.resetCounts();
    const waiting = await begun('p4-fresh', token);
    await updateAccount(world, 'p4-fresh', {
      lease_expires_at: 1,
      expires_at: Date.now() + 3_600_000,
      obtained_at: Date.now(),
    });
    const reading = await waiting.answer;
    expect([reading.status, reading.token]).toEqual([200, given['access_token']]);
    expect(redemptions(world).attempted).toBe(0);
  });

  it('promises 9 and 12: a valid token is served while the provider keeps silent', async () => {
    const { token, given } = await signInCapturing(world, 'p12-silent');
    await setRemaining(world, 'p12-silent', 100);
    world.upstream.resetCounts();
    world.upstream.withhold('request');
    try {
      const readings = await Promise.all(Array.from({ length: 10 }, () => read(world, token)));
      expect(readings.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
      expect(new Set(readings.map((each) => each.token))).toEqual(new Set([given['access_token']]));
      expect(redemptions(world).attempted).toBe(1);
    } finally {
      world.upstream.release();
    }
  });

  it('promise 9: a provider that does not answer in time is unavailable, and the next one to ask succeeds', async () => {
    const { token } = await signInCapturing(world, 'p9-late');
    await setRemaining(world, 'p9-late', -1);
    world.upstream.withhold('answer');
    const late = await read(world, token, { face: 'onezone' });
    world.upstream.release();
    expect(late.status).toBe(503);
    expect(Number(late.retryAfter)).toBeGreaterThan(0);
    // The intent stays: the provider may have rotated. This one lets a token be used again.
    expect((await linkedAccount(world, 'p9-late'))['refresh_intent_at']).toEqual(expect.any(Number));
    await endBackOff(world, 'p9-late');
    expect((await read(world, token)).status).toBe(200);
    expect(await linkedAccount(world, 'p9-late')).toMatchObject({ status: 'active', refresh_intent_at: null });
  });

  it('promise 8: keeps a refresh token that the provider repeats, and uses it again', async () => {
    const { token } = await signInCapturing(world, 'p8-repeated');
    world.upstream.resetCounts();
    for (const _ of [1, 2]) {
      await setRemaining(world, 'p8-repeated', -1);
      expect((await read(world, token)).status).toBe(200);
    }
    expect(redemptions(world)).toEqual({ attempted: 2, reused: true });
  });

  it('leaves no secret in any output or in the database', async () => {
    expect(world.upstream.serverErrors).toEqual([]);
    await world.assertNoLeaks();
  });
});
