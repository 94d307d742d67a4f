import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../../support/databases.js';
import { eventually, linkedAccount, read, redemptions, setRemaining, signInCapturing } from '../../support/vault.js';
import { createWorld, type World } from '../../support/world.js';

const CONNECTIONS = 2;
const READERS = 6;

describe.each(databases)('so much and no more on $name', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind, {
      env: {
        UPSTREAM_MAX_CONNECTIONS: String(CONNECTIONS),
        MAX_WAITING_READERS: String(READERS),
        UPSTREAM_TIMEOUT_MS: '1500',
        UPSTREAM_LEASE_MS: '6500',
      },
    });
  });
  afterAll(async () => {
    await world.stop();
  });

  const signedIn = async (login: string, secondsLeft: number): Promise<string> => {
    const { token } = await signInCapturing(world, login);
    await setRemaining(world, login, secondsLeft);
    return token;
  };

  it('readers wait for a refresh; others are told to come back, or served the token that they have', async () => {
    const expired = await signedIn('readers', -1);
    const valid = await signedIn('readers-valid', 100);
    world.upstream.resetCounts();
    world.upstream.withhold('request');
    const answered: number[] = [];
    try {
      const readings = Array.from({ length: 2 * READERS }, async () => {
        const { status, retryAfter } = await read(world, expired, { face: 'onezone' });
        if (status !== 200) expect(Number(retryAfter)).toBeGreaterThan(0);
        answered.push(status);
      });
      await eventually('those for whom there was no room are answered', () => answered.length === READERS);
      expect(answered).toEqual(Array.from({ length: READERS }, () => 503));
      expect((await read(world, valid)).status).toBe(200);
      world.upstream.release();
      await Promise.all(readings);
    } finally {
      world.upstream.release();
    }
    expect(answered.slice(READERS)).toEqual(Array.from({ length: READERS }, () => 200));
    expect(redemptions(world)).toEqual({ attempted: 1, reused: false });
  });

  it('connections are made to a provider; a refresh that got none is known not to have been sent', async () => {
    const logins = Array.from({ length: READERS }, (_, index) => `connection-${index}`);
    const tokens = await Promise.all(logins.map((login) => signedIn(login, -1)));
    world.upstream.resetCounts();
    world.upstream.withhold('request');
    try {
      const readings = await Promise.all(tokens.map((token) => read(world, token, { face: 'onezone' })));
      expect(readings.map(({ status }) => status)).toEqual(logins.map(() => 503));
    } finally {
      world.upstream.release();
    }
    const rows = await Promise.all(logins.map((login) => linkedAccount(world, login)));
    const unsent = rows.filter((row) => row['refresh_intent_at'] === null);
    // Whoever waited got a connection of those who gave up, or gave up as well; nobody can have waited for two of them.
    expect(unsent.length).toBeGreaterThanOrEqual(READERS - 2 * CONNECTIONS);
    expect(redemptions(world).attempted).toBe(READERS - unsent.length);
    const untouched: unknown = expect.objectContaining({ failures: 0, last_error: null, lease_owner: null });
    expect(unsent).toEqual(unsent.map(() => untouched));
  });

  it('leaves no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
