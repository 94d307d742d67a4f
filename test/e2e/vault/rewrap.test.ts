import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases, type Row } from '../../support/databases.js';
import { encryptionKeys, type Service } from '../../support/service.js';
import {
  eventually,
  linkedAccount,
  read,
  redemptions,
  setRemaining,
  signInCapturing,
  updateAccount,
} from '../../support/vault.js';
import { createWorld, PROVIDER, type World } from '../../support/world.js';

const ADMIN_API_KEY = 'rewrap-admin-key-0123456789abcdef0123456789ab';
/** So many rows that the job can be killed among them. */
const ATTEMPTS = 300;
const TAMPERED = 'AAAA';

interface Keys {
  keys: { id: string; current: boolean; configured: boolean; removable: boolean; rows: Record<string, number> }[];
  rewrap: { state: string; remaining: number; outcome?: string };
}

describe.each(databases)('promise 14: keys are changed while traffic runs, on $name', (kind) => {
  const [older, newer] = [encryptionKeys('older'), encryptionKeys('newer')];
  const tokens = new Map<string, string>();
  let world: World;
  let services: Service[];
  let genuine: Row;
  beforeAll(async () => {
    world = await createWorld(kind, { env: { ADMIN_API_KEY, ENCRYPTION_KEYS: older } });
    for (const login of ['alice', 'bob', 'carol', 'damaged']) {
      tokens.set(login, (await signInCapturing(world, login)).token);
    }
    const signIns = world.browser();
    for (let count = 0; count < ATTEMPTS; count += 50) {
      await Promise.all(Array.from({ length: 50 }, () => signIns.request(`${world.service.url}/login/${PROVIDER}`)));
    }
    genuine = await linkedAccount(world, 'damaged');
  }, 120_000);
  afterAll(() => world.stop());

  const admin = async (method: string, path = '') => {
    const headers = { authorization: `Bearer ${ADMIN_API_KEY}` };
    return world.request(`/admin/encryption-keys${path}`, { method, headers });
  };
  const keys = async (): Promise<Keys> => (await admin('GET')).json<Keys>();
  const needingOlder = async (table: string): Promise<number> => {
    const rows = await world.database.query(`SELECT count(*) AS n FROM ${table} WHERE encryption_key_id = 'older'`);
    return Number(rows[0]?.['n']);
  };
  const audits = () =>
    world.database.query(
      `SELECT outcome, reason, actor FROM audit_events WHERE event = 'encryption-keys.rewrapped' ORDER BY at`,
    );
  /** Reads, each of which finds an expired token, at all processes until `done`. */
  const traffic = async (done: () => Promise<boolean>): Promise<number[]> => {
    const statuses: number[] = [];
    for (let turn = 0; turn < 3 || !(await done()); turn += 1) {
      for (const login of ['alice', 'bob', 'carol']) {
        await setRemaining(world, login, -1);
        const readings = services.map((at) => read(world, tokens.get(login) ?? '', { at }));
        statuses.push(...(await Promise.all(readings)).map(({ status }) => status));
      }
    }
    return statuses;
  };

  it('needs an administrator', async () => {
    expect((await world.request('/admin/encryption-keys')).status).toBe(401);
    expect((await world.request('/admin/encryption-keys/rewrap', { method: 'POST' })).status).toBe(401);
    expect(await audits()).toEqual([]);
  });

  it('says which rows need which key, and moves none by itself', async () => {
    await world.restart('stop', { ENCRYPTION_KEYS: `${newer},${older}` });
    const { keys: listed, rewrap } = await keys();
    expect(listed.map(({ id, current, configured, removable }) => ({ id, current, configured, removable }))).toEqual([
      { id: 'newer', current: true, configured: true, removable: false },
      { id: 'older', current: false, configured: true, removable: false },
    ]);
    expect(listed[1]?.rows).toMatchObject({ linked_accounts: 4, signing_keys: 4 });
    expect(rewrap).toMatchObject({ state: 'idle' });
    expect(rewrap.remaining).toBeGreaterThan(ATTEMPTS);
  }, 60_000);

  it('is killed in the middle and goes on, under reads and refreshes; a row that was tampered with is left and reported', async () => {
    await updateAccount(world, 'damaged', { data_key: TAMPERED });
    const answer = await admin('POST', '/rewrap');
    expect(answer.status).toBe(202);
    expect(['requested', 'running']).toContain(answer.json<Keys>().rewrap.state);
    const all = await needingOlder('login_attempts');
    await eventually('some rows are moved', async () => (await needingOlder('login_attempts')) < all);
    await world.restart('kill');
    expect((await needingOlder('signing_keys')) + (await needingOlder('login_attempts'))).toBeGreaterThan(0);
    services = kind.name === 'postgres' ? [world.service, await world.startReplica()] : [world.service];
    // As if the lease of the dead replica had run out.
    await world.database.query(
      "UPDATE jobs SET lease_expires_at = 1 WHERE name = 'rewrap' AND lease_owner IS NOT NULL",
    );
    world.upstream.resetCounts();
    const statuses = await traffic(async () => (await keys()).rewrap.outcome === 'done');
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(redemptions(world).reused).toBe(false);
    const { keys: listed, rewrap } = await keys();
    expect(rewrap).toMatchObject({ state: 'idle', remaining: 1, outcome: 'done' });
    expect(listed[1]).toMatchObject({ id: 'older', removable: false, rows: { linked_accounts: 1 } });
    expect(await audits()).toEqual([
      { outcome: 'success', reason: 'requested', actor: 'admin-api-key' },
      { outcome: 'failure', reason: 'unreadable-rows', actor: null },
    ]);
    expect(await linkedAccount(world, 'damaged')).toMatchObject({ data_key: TAMPERED, encryption_key_id: 'older' });
    expect((await read(world, tokens.get('damaged') ?? '')).status).toBe(500);
  }, 120_000);

  it('moves what was repaired, and then the old key is needed by nobody', async () => {
    await updateAccount(world, 'damaged', { data_key: genuine['data_key'] });
    expect((await admin('POST', '/rewrap')).status).toBe(202);
    await eventually('nothing is left', async () => {
      const { rewrap } = await keys();
      return rewrap.state === 'idle' && rewrap.remaining === 0;
    });
    expect((await keys()).keys[1]).toMatchObject({ id: 'older', removable: true, rows: {} });
    expect((await audits()).at(-1)).toEqual({ outcome: 'success', reason: null, actor: null });
    for (const service of services.slice(1)) await service.stop();
    await world.restart('stop', { ENCRYPTION_KEYS: newer });
    for (const token of tokens.values()) expect((await read(world, token)).status).toBe(200);
    await setRemaining(world, 'damaged', -1);
    expect((await read(world, tokens.get('damaged') ?? '')).status).toBe(200);
    expect((await keys()).keys.map(({ id }) => id)).toEqual(['newer']);
  }, 120_000);

  it('asks to come again where this process does not know the key yet, and redeems nothing', async () => {
    await setRemaining(world, 'alice', -1);
    const { encryption_key_id } = await linkedAccount(world, 'alice');
    await updateAccount(world, 'alice', { encryption_key_id: 'newest' });
    const before = await linkedAccount(world, 'alice');
    world.upstream.resetCounts();
    // PACE knows no 503.
    for (const [face, status] of [
      ['pace', 500],
      ['onezone', 503],
    ] as const) {
      const reading = await read(world, tokens.get('alice') ?? '', { face });
      expect(reading.status).toBe(status);
      expect(Number(reading.retryAfter)).toBeGreaterThan(0);
    }
    expect(redemptions(world).attempted).toBe(0);
    expect(await linkedAccount(world, 'alice')).toEqual(before);
    await updateAccount(world, 'alice', { encryption_key_id });
    expect((await read(world, tokens.get('alice') ?? '')).status).toBe(200);
  });

  it('leaves no secret in any output or in the database', async () => {
    expect(world.upstream.serverErrors).toEqual([]);
    await world.assertNoLeaks();
  });
});
