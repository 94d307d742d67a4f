import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UpstreamCircuits } from '../../src/idp-offline-access/upstream-circuits.js';
import { databases } from '../support/databases.js';
import { fiftyTimes, openStorage, type Replica, type Storage } from './support/storage.js';

const PROVIDER = 'corp';
const FAILURE = { probe: false, retryAfterMs: 0 };
const A_YEAR_MS = 365 * 24 * 3_600_000;
const MAX_PAUSE_MS = 5 * 60_000;

const circuitsOf = ({ unitOfWork, clock, randomness, configuration }: Replica) =>
  new UpstreamCircuits(unitOfWork, clock, randomness, configuration);

describe.each(databases)('the circuits of providers on $name', (kind) => {
  let storage: Storage;
  let here: UpstreamCircuits;
  let elsewhere: UpstreamCircuits;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    storage = await openStorage(kind);
    here = circuitsOf(storage.first);
    elsewhere = circuitsOf(storage.second);
  });
  afterAll(() => storage.close());
  beforeEach(() => storage.database.query('DELETE FROM upstream_circuits'));

  const fail = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) await (time % 2 === 0 ? here : elsewhere).failed(PROVIDER, FAILURE);
  };
  /** Until somebody may find out whether the provider is back. */
  const waitForProbe = async (): Promise<number> => {
    const pausedMs = await here.pausedMs(PROVIDER);
    storage.clock.advance(pausedMs);
    return pausedMs;
  };

  it('let everybody through until five calls in a row have failed, wherever', async () => {
    await fail(4);
    expect(await elsewhere.admit(PROVIDER)).toEqual({ kind: 'admitted', probe: false });
    expect(await here.pausedMs(PROVIDER)).toBe(0);
    await fail(1);
    for (const circuits of [here, elsewhere]) {
      const pausedMs = await circuits.pausedMs(PROVIDER);
      expect(pausedMs).toBeGreaterThanOrEqual(2_500);
      expect(pausedMs).toBeLessThanOrEqual(5_000);
      expect(await circuits.admit(PROVIDER)).toEqual({ kind: 'paused', remainingMs: pausedMs });
    }
    expect(await here.admit('another')).toEqual({ kind: 'admitted', probe: false });
  });

  it('count anew after a success', async () => {
    await fail(4);
    await elsewhere.answered(PROVIDER, { probe: true });
    await fail(4);
    expect(await here.pausedMs(PROVIDER)).toBe(0);
  });

  it('pause a provider at once that asks for it, for as long as it asks', async () => {
    await here.failed(PROVIDER, { probe: false, retryAfterMs: 3_600_000 });
    expect(await elsewhere.pausedMs(PROVIDER)).toBe(3_600_000);
    storage.clock.advance(3_600_000 - 1);
    expect(await elsewhere.admit(PROVIDER)).toEqual({ kind: 'paused', remainingMs: 1 });
  });

  it('let one of fifty find out whether the provider is back, and another one should that one die', async () => {
    await fail(5);
    await waitForProbe();
    const admit = () => fiftyTimes([storage.first, storage.second], (replica) => circuitsOf(replica).admit(PROVIDER));
    const admissions = await admit();
    expect(admissions.filter((one) => one.kind === 'admitted')).toEqual([{ kind: 'admitted', probe: true }]);
    storage.clock.advance(storage.first.configuration.environment.UPSTREAM_LEASE_MS);
    expect((await admit()).filter((one) => one.kind === 'admitted')).toEqual([{ kind: 'admitted', probe: true }]);
  });

  it('pause for longer each time that one finds the provider away, up to a limit', async () => {
    await fail(5);
    for (let longestMs = 10_000; longestMs < 20 * MAX_PAUSE_MS; longestMs *= 2) {
      await waitForProbe();
      expect(await here.admit(PROVIDER)).toEqual({ kind: 'admitted', probe: true });
      await here.failed(PROVIDER, { probe: true, retryAfterMs: 0 });
      const pausedMs = await here.pausedMs(PROVIDER);
      expect(pausedMs).toBeLessThanOrEqual(Math.min(longestMs, MAX_PAUSE_MS));
      expect(pausedMs).toBeGreaterThanOrEqual(Math.min(longestMs, MAX_PAUSE_MS) / 2);
    }
  });

  it('take calls that were under way when the provider was paused for one outage, and heed what they were told', async () => {
    await fail(5);
    const pausedMs = await here.pausedMs(PROVIDER);
    await fiftyTimes([storage.first, storage.second], (replica) => circuitsOf(replica).failed(PROVIDER, FAILURE));
    expect(await here.pausedMs(PROVIDER)).toBe(pausedMs);
    await here.failed(PROVIDER, { probe: false, retryAfterMs: 60_000 });
    expect(await here.pausedMs(PROVIDER)).toBe(60_000);
    await waitForProbe();
    await here.admit(PROVIDER);
    await here.failed(PROVIDER, { probe: true, retryAfterMs: 0 });
    expect(await here.pausedMs(PROVIDER)).toBeLessThanOrEqual(10_000);
  });

  it('are not fooled by fifty calls that fail at once', async () => {
    await fiftyTimes([storage.first, storage.second], (replica) => circuitsOf(replica).failed(PROVIDER, FAILURE));
    const pausedMs = await here.pausedMs(PROVIDER);
    expect(pausedMs).toBeGreaterThan(0);
    expect(pausedMs).toBeLessThanOrEqual(5_000);
  });

  it('are closed by an answer where the provider is not paused, otherwise by that to the probe alone', async () => {
    await here.failed(PROVIDER, { probe: false, retryAfterMs: 60_000 });
    await elsewhere.answered(PROVIDER, { probe: false });
    expect(await here.pausedMs(PROVIDER)).toBe(60_000);
    await here.answered(PROVIDER, { probe: true });
    expect(await here.pausedMs(PROVIDER)).toBe(0);
    for (const before of [() => fail(4), () => fail(5).then(waitForProbe)]) {
      await before();
      await elsewhere.answered(PROVIDER, { probe: false });
      expect(await storage.database.query('SELECT * FROM upstream_circuits')).toEqual([]);
    }
    await fail(5);
    await waitForProbe();
    await here.admit(PROVIDER);
    await here.answered(PROVIDER, { probe: true });
    expect(await storage.database.query('SELECT * FROM upstream_circuits')).toEqual([]);
  });

  it('are not paused for a year because the clock was a year ahead', async () => {
    await fail(5);
    await storage.database.query('UPDATE upstream_circuits SET retry_at = ?', [storage.clock.now() + A_YEAR_MS]);
    expect(await here.pausedMs(PROVIDER)).toBe(0);
    expect(await elsewhere.admit(PROVIDER)).toEqual({ kind: 'admitted', probe: true });
    await storage.database.query('UPDATE upstream_circuits SET retry_at = ?', [storage.clock.now() + A_YEAR_MS]);
    await here.answered(PROVIDER, { probe: false });
    expect(await storage.database.query('SELECT * FROM upstream_circuits')).toEqual([]);
  });

  it('let everybody through again once the provider answers', async () => {
    await fail(5);
    await waitForProbe();
    await here.admit(PROVIDER);
    await here.answered(PROVIDER, { probe: true });
    expect(await elsewhere.admit(PROVIDER)).toEqual({ kind: 'admitted', probe: false });
    expect(await storage.database.query('SELECT * FROM upstream_circuits')).toEqual([]);
  });
});
