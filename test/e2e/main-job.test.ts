import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import { createWorld, type World } from '../support/world.js';

describe.each(databases)('the main job on $name', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind);
  });
  afterAll(async () => {
    await world.stop();
  });

  it('logs a user in upstream, keeps the tokens and hands out a fresh one after expiry, refreshed once', async () => {
    const { access_token: token, id_token: idToken, scope } = await world.signIn({ login: 'alice' });
    expect(idToken).toBeDefined();
    expect(scope).toBe('openid profile email federated-identity:token');
    const before = (await world.pace(token)).json<{ access_token: string; expires_in: number }>();
    const sameBefore = (await world.onezone(token)).json<{ token: string; ttl: number }>();
    expect(before.access_token).toBe(sameBefore.token);
    expect(world.upstream.counts.refresh.attempted).toBe(0);
    await world.expire();
    const after = (await world.pace(token)).json<{ access_token: string; expires_in: number }>();
    const sameAfter = (await world.onezone(token)).json<{ token: string; ttl: number }>();
    expect(after.access_token).not.toBe(before.access_token);
    expect(sameAfter.token).toBe(after.access_token);
    expect(after.expires_in).toBeGreaterThan(3500);
    expect(world.upstream.counts.refresh.attempted).toBe(1);
    const userinfo = await world.browser().request(`${world.upstream.issuer}/me`, {
      headers: { authorization: `Bearer ${after.access_token}` },
    });
    expect(userinfo.json()).toMatchObject({ sub: 'alice' });
  });

  it('answers 200 concurrent reads of an expired token with one request at the provider, also after a restart', async () => {
    const { access_token: token } = await world.signIn({ login: 'bob' });
    for (const restart of [false, true]) {
      if (restart) await world.restart();
      await world.expire();
      world.upstream.resetCounts();
      const answers = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const answer = index % 2 === 0 ? await world.pace(token) : await world.onezone(token);
          const body = answer.json<{ access_token?: string; token?: string }>();
          return `${answer.status} ${body.access_token ?? body.token}`;
        }),
      );
      expect(new Set(answers).size).toBe(1);
      expect(answers[0]).toMatch(/^200 ./);
      expect(world.upstream.counts.refresh.attempted).toBe(1);
    }
  });

  it('leaves no secret in any output or in the database, and a planted one would be found', async () => {
    await world.assertNoLeaks();
    const { access_token: token } = await world.signIn({ login: 'carol' });
    const upstreamToken = (await world.pace(token)).json<{ access_token: string }>().access_token;
    const planted = Buffer.from(`prefix ${upstreamToken} suffix`).toString('base64');
    await world.database.query('UPDATE users SET full_name = ? WHERE full_name LIKE ?', [planted, 'Carol%']);
    await expect(world.assertNoLeaks()).rejects.toThrow('the database');
  });
});
