import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databases, type Row } from '../../support/databases.js';
import {
  audited,
  eventually,
  holdNextAnswer,
  linkedAccount,
  read,
  redemptions,
  runJob,
  setRemaining,
  signInCapturing,
  updateAccount,
} from '../../support/vault.js';
import { createWorld, type World } from '../../support/world.js';

const DAY_SECONDS = 24 * 3600;
const IDLE_DAYS = 7;
const ABSOLUTE_DAYS = 30;
const daysAgo = (days: number): number => Date.now() - days * DAY_SECONDS * 1000;

describe.each(databases)('retention on $name', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind, {
      env: { AUDIT_RETENTION_DAYS: '90' },
      configure: ({ identity_providers: providers = [], ...rest }) => ({
        ...rest,
        identity_providers: (providers as Row[]).map((provider) => ({
          ...provider,
          retention: { idle: IDLE_DAYS * DAY_SECONDS, absolute: ABSOLUTE_DAYS * DAY_SECONDS },
        })),
      }),
    });
    await runJob(world, 'retention');
  });
  afterAll(async () => {
    await world.stop();
  });
  beforeEach(() => world.upstream.resetCounts());

  const revoked = (...tokens: unknown[]): boolean =>
    tokens.every((token) => world.upstream.revocationsSeen.includes(String(token)));
  const readAt = async (login: string) => (await linkedAccount(world, login))['read_at'];
  const expectForgotten = async (login: string): Promise<void> =>
    expect(await linkedAccount(world, login)).toMatchObject({
      status: 'reauthentication-required',
      reason: 'expired',
      access_token: null,
      refresh_token: null,
      id_token: null,
      data_key: null,
      lease_owner: null,
    });

  it('promise 18: serves nothing past the absolute limit, and then forgets and revokes it', async () => {
    const { token, given } = await signInCapturing(world, 'p18-absolute');
    await updateAccount(world, 'p18-absolute', { authorized_at: daysAgo(ABSOLUTE_DAYS), read_at: Date.now() });
    expect([(await read(world, token)).status, (await read(world, token, { face: 'onezone' })).status]).toEqual([
      401, 404,
    ]);
    await setRemaining(world, 'p18-absolute', -1);
    expect((await read(world, token)).status).toBe(401);
    expect(redemptions(world).attempted).toBe(0);
    expect((await linkedAccount(world, 'p18-absolute'))['status']).toBe('active');

    await runJob(world, 'retention');
    await expectForgotten('p18-absolute');
    await eventually('it is revoked', () => revoked(given['refresh_token'], given['access_token']));
    expect(await audited(world, 'p18-absolute')).toContainEqual(
      expect.objectContaining({ event: 'identity.expired', reason: 'absolute', client_id: null }),
    );
    expect((await read(world, token)).status).toBe(401);

    const again = await signInCapturing(world, 'p18-absolute');
    expect((await read(world, again.token)).token).toBe(again.given['access_token']);
  });

  it('promise 18: forgets what nobody reads, and keeps what somebody does', async () => {
    const [idle, used] = [await signInCapturing(world, 'p18-idle'), await signInCapturing(world, 'p18-used')];
    expect(await readAt('p18-used')).toBeNull();
    for (const login of ['p18-idle', 'p18-used']) {
      await updateAccount(world, login, { authorized_at: daysAgo(IDLE_DAYS + 1), read_at: daysAgo(IDLE_DAYS + 1) });
    }
    expect((await read(world, used.token)).status).toBe(200);
    await eventually('the read is noted', async () => Number(await readAt('p18-used')) > daysAgo(1));
    await runJob(world, 'retention');
    await expectForgotten('p18-idle');
    await eventually('it is revoked', () => revoked(idle.given['refresh_token']));
    expect(await audited(world, 'p18-idle')).toContainEqual(
      expect.objectContaining({ event: 'identity.expired', reason: 'idle' }),
    );
    expect((await read(world, used.token)).status).toBe(200);
    expect((await read(world, idle.token)).status).toBe(401);
  });

  it('promise 18: notes a read once an hour', async () => {
    const { token } = await signInCapturing(world, 'p18-noted');
    const halfAnHourAgo = Date.now() - 1_800_000;
    await updateAccount(world, 'p18-noted', { read_at: halfAnHourAgo });
    expect((await read(world, token)).status).toBe(200);
    // It ends what it has begun.
    await world.restart('stop');
    expect(await readAt('p18-noted')).toBe(halfAnHourAgo);
  });

  it('promises 5 and 18: what a refresh brings after the account was forgotten is not kept, but revoked', async () => {
    const { token } = await signInCapturing(world, 'p18-refreshing');
    await setRemaining(world, 'p18-refreshing', -1);
    let brought: Record<string, unknown> = {};
    const held = holdNextAnswer(world, (body) => (brought = body));
    const reading = read(world, token);
    await held.reached;
    await updateAccount(world, 'p18-refreshing', { authorized_at: daysAgo(ABSOLUTE_DAYS) });
    await runJob(world, 'retention');
    await expectForgotten('p18-refreshing');
    held.release();
    expect((await reading).status).toBe(401);
    await expectForgotten('p18-refreshing');
    await eventually('it is revoked', () => revoked(brought['refresh_token'], brought['access_token']));
  });

  it('keeps audit records for as long as the operator says', async () => {
    await signInCapturing(world, 'p18-audited');
    const before = (await audited(world, 'p18-audited')).length;
    await world.database.query(`UPDATE audit_events SET at = ? WHERE event = 'user.signed-in'`, [daysAgo(91)]);
    await runJob(world, 'audit-retention');
    const events = await audited(world, 'p18-audited');
    expect(events.length).toBeLessThan(before);
    expect(events.map(({ event }) => event)).not.toContain('user.signed-in');
    expect(events.map(({ event }) => event)).toContain('identity.linked');
  });

  it('leaves no secret in any output or in the database', async () => {
    expect(world.upstream.serverErrors).toEqual([]);
    await world.assertNoLeaks();
  });
});
