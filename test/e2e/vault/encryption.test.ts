import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../../support/databases.js';
import { encryptionKeys } from '../../support/service.js';
import { linkedAccount, read, setRemaining, signInCapturing, updateAccount } from '../../support/vault.js';
import { createWorld, type World } from '../../support/world.js';

describe.each(databases)('promise 14: what is stored is encrypted, on $name', (kind) => {
  const [older, newer] = [encryptionKeys('older'), encryptionKeys('newer')];
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind, { env: { ENCRYPTION_KEYS: older } });
  });
  afterAll(async () => {
    await world.stop();
  });

  it('a dump of the database holds no token', async () => {
    const { token, given } = await signInCapturing(world, 'dumped');
    await setRemaining(world, 'dumped', -1);
    const { token: refreshed } = await read(world, token);
    const dump = await world.database.dump();
    for (const secret of [given['access_token'], given['refresh_token'], given['id_token'], refreshed, token]) {
      expect(secret).toEqual(expect.any(String));
      expect(dump.includes(String(secret))).toBe(false);
    }
  });

  it('a ciphertext that was moved to another column or row is not taken for a token', async () => {
    const { token } = await signInCapturing(world, 'swapped');
    await signInCapturing(world, 'other');
    const [genuine, other] = [await linkedAccount(world, 'swapped'), await linkedAccount(world, 'other')];
    const { access_token, refresh_token, data_key } = genuine;
    for (const forgery of [
      { access_token: refresh_token },
      { access_token: other['access_token'] },
      { access_token: other['access_token'], refresh_token: other['refresh_token'], data_key: other['data_key'] },
    ]) {
      await updateAccount(world, 'swapped', forgery);
      expect((await read(world, token)).status).toBe(500);
      expect((await read(world, token, { face: 'onezone' })).status).toBe(500);
      await updateAccount(world, 'swapped', { access_token, refresh_token, data_key });
    }
    expect((await read(world, token)).status).toBe(200);
    const [failed] = await world.database.query(
      `SELECT count(*) AS n FROM audit_events WHERE event = 'upstream-token.read' AND reason = 'error'`,
    );
    expect(Number(failed?.['n'])).toBe(6);
  });

  it('with a new key in front of the old one old rows are read and new writes use the new key', async () => {
    const { token: idle, given } = await signInCapturing(world, 'idle');
    const { token: active } = await signInCapturing(world, 'active');
    await world.restart('stop', { ENCRYPTION_KEYS: `${newer},${older}` });
    expect((await read(world, idle)).token).toBe(given['access_token']);
    await setRemaining(world, 'active', -1);
    expect((await read(world, active)).status).toBe(200);
    expect((await linkedAccount(world, 'idle'))['encryption_key_id']).toBe('older');
    expect((await linkedAccount(world, 'active'))['encryption_key_id']).toBe('newer');
  });

  it('leaves no secret in any output or in the database', async () => {
    expect(world.upstream.serverErrors).toEqual([]);
    await world.assertNoLeaks();
  });
});
