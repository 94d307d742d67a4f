import { decodeJwt } from 'jose';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../../support/databases.js';
import {
  audited,
  endBackOff,
  eventually,
  holdNextAnswer,
  linkedAccount,
  read,
  redemptions,
  setRemaining,
  signInCapturing,
  signInTrusted,
  updateAccount,
} from '../../support/vault.js';
import { createWorld, PROVIDER, type World, CLIENTS } from '../../support/world.js';

const without =
  (...names: string[]) =>
  (body: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));

describe.each(databases)('the vault on $name', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind);
  });
  afterAll(async () => {
    await world.stop();
  });

  describe('promise 1: one row, one function', () => {
    it('gives the same token through every face, with the same remaining lifetime', async () => {
      const { token, given } = await signInCapturing(world, 'p1-faces');
      const [pace, onezone] = [await read(world, token), await read(world, token, { face: 'onezone' })];
      expect([pace.status, onezone.status]).toEqual([200, 200]);
      expect(pace.token).toBe(given['access_token']);
      expect(onezone.token).toBe(given['access_token']);
    });

    it('keeps one row for an account that is linked again and again', async () => {
      await world.signIn({ login: 'p1-again' });
      const first = await linkedAccount(world, 'p1-again');
      await world.signIn({ login: 'p1-again' });
      const second = await linkedAccount(world, 'p1-again');
      expect(second['id']).toBe(first['id']);
      expect(second['generation']).toBe(Number(first['generation']) + 1);
    });

    it('refuses an account that is held by another user, and leaves both as they were', async () => {
      const { token } = await signInCapturing(world, 'p1-holder');
      const asking = world.browser();
      const { access_token: other } = await world.signIn({
        login: 'p1-asking',
        provider: 'online-only',
        browser: asking,
      });
      const held = await linkedAccount(world, 'p1-holder');
      const answer = await world.pace(other);
      expect(answer.status).toBe(401);
      const { errors } = answer.json<{ errors: { meta: { connect_url: string } }[] }>();
      const page = await asking.get(errors[0]?.meta.connect_url ?? '');
      const csrfToken = /name="csrf_token"\s+value="([^"]+)"/.exec(page.text())?.[1] ?? '';
      const ticket = new URL(errors[0]?.meta.connect_url ?? '').searchParams.get('ticket') ?? '';
      const refused = await asking.post(`${world.service.url}/connect/${PROVIDER}?login_hint=p1-holder`, {
        ticket,
        csrf_token: csrfToken,
      });
      expect(refused.url).toContain(`/login/${PROVIDER}/callback`);
      expect(refused.status).toBeGreaterThanOrEqual(400);
      expect(await linkedAccount(world, 'p1-holder')).toEqual(held);
      expect((await read(world, other)).status).toBe(401);
      expect((await read(world, token)).status).toBe(200);
    });

    it('serves the account that was connected, not an older subject that was never linked', async () => {
      const browser = world.browser();
      const { access_token: token } = await world.signIn({
        login: 'p1-connecting',
        provider: 'online-only',
        browser,
      });
      const { user_id: userId } = (
        await world.database.query('SELECT user_id FROM linked_accounts WHERE subject = ?', ['p1-connecting'])
      )[0] ?? { user_id: '' };
      await world.signIn({ login: 'p1-known' });
      await updateAccount(world, 'p1-known', { user_id: userId, status: 'sign-in-only', created_at: 1 });
      expect((await read(world, token)).status).toBe(401);
      const { given } = await signInCapturing(world, 'p1-second');
      await updateAccount(world, 'p1-second', { user_id: userId });
      expect((await read(world, token)).token).toBe(given['access_token']);
    });
  });

  describe('promise 6: the refresh is detached from the caller, and its answer is kept before it is judged', () => {
    it('keeps the rotated token of a caller who hangs up; the next reader gets it without another redemption', async () => {
      const { token, given } = await signInCapturing(world, 'p6-hangs-up');
      await setRemaining(world, 'p6-hangs-up', -1);
      world.upstream.resetCounts();
      const held = holdNextAnswer(world);
      const caller = new Agent();
      const hungUp = request(`${world.service.url}/federated-identities/${PROVIDER}/token`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        dispatcher: caller,
      }).catch((error: unknown) => error);
      await held.reached;
      await caller.destroy();
      expect(await hungUp).toBeInstanceOf(Error);
      held.release();
      await eventually(
        'the tokens are stored',
        async () => Number((await linkedAccount(world, 'p6-hangs-up'))['expires_at']) > Date.now(),
      );
      const next = await read(world, token);
      expect(next.status).toBe(200);
      expect(next.token).not.toBe(given['access_token']);
      expect(redemptions(world)).toEqual({ attempted: 1, reused: false });
    });

    it.each(['sub', 'iss', 'aud'])(
      'serves nothing whose id_token has another %s, and keeps nothing of it',
      async (claim) => {
        const login = `p6-other-${claim}`;
        const { token } = await signInCapturing(world, login);
        await setRemaining(world, login, -1);
        const foreign = await world.upstream.signIdToken({
          iss: world.upstream.issuer,
          sub: login,
          aud: 'symbolon',
          iat: Math.floor(Date.now() / 1000),
          exp: Math.floor(Date.now() / 1000) + 600,
          [claim]: 'https://somebody.else.example',
        });
        world.upstream.alterNext(1, (body) => ({ ...body, id_token: foreign }));
        expect((await read(world, token)).status).toBe(401);
        expect((await read(world, token, { face: 'onezone' })).status).toBe(404);
        expect(await linkedAccount(world, login)).toMatchObject({
          status: 'reauthentication-required',
          reason: 'subject_mismatch',
          access_token: null,
          refresh_token: null,
          id_token: null,
          lease_owner: null,
        });
        expect(await audited(world, login)).toContainEqual(
          expect.objectContaining({
            event: 'upstream-token.refreshed',
            outcome: 'failure',
            reason: 'subject_mismatch',
          }),
        );
      },
    );

    it('serves a token whose id_token has a bad signature until that is known, and then no more', async () => {
      const { token } = await signInCapturing(world, 'p6-signature');
      await setRemaining(world, 'p6-signature', -1);
      const other = await world.upstream.signIdToken({ sub: 'somebody else' });
      world.upstream.alterNext(1, (body) => {
        const [header, payload] = String(body['id_token']).split('.');
        return { ...body, id_token: `${header}.${payload}.${other.split('.')[2]}` };
      });
      // Whether the first reader is served depends on which is faster; what counts is how it ends.
      expect([200, 401]).toContain((await read(world, token)).status);
      await eventually(
        'the signature is found out',
        async () => (await linkedAccount(world, 'p6-signature'))['reason'] === 'id_token_invalid',
      );
      expect((await read(world, token)).status).toBe(401);
    });

    it('notes that the signature of a genuine id_token is verified, keys rotated meanwhile or not', async () => {
      const { token } = await signInCapturing(world, 'p6-genuine');
      await world.upstream.rotateSigningKeys();
      await setRemaining(world, 'p6-genuine', -1);
      expect((await read(world, token)).status).toBe(200);
      await eventually('the id_token is verified', async () => {
        const { verified, status } = await linkedAccount(world, 'p6-genuine');
        return (verified === true || verified === 1) && status === 'active';
      });
    });
  });

  describe('promise 7: what was redeemed is kept', () => {
    it('writes the intent before the call and clears it with the answer', async () => {
      const { token } = await signInCapturing(world, 'p7-intent');
      await setRemaining(world, 'p7-intent', -1);
      const held = holdNextAnswer(world);
      const reading = read(world, token);
      await held.reached;
      const during = await linkedAccount(world, 'p7-intent');
      expect(during['refresh_intent_at']).toEqual(expect.any(Number));
      expect(during['lease_owner']).toEqual(expect.any(String));
      expect(Number(during['lease_expires_at'])).toBeGreaterThan(Date.now() + 10_000);
      held.release();
      expect((await reading).status).toBe(200);
      expect(await linkedAccount(world, 'p7-intent')).toMatchObject({ refresh_intent_at: null, lease_owner: null });
    });

    it('asks the database again when it fails to store the rotated token, which exists nowhere else', async () => {
      const { token } = await signInCapturing(world, 'p7-database');
      await setRemaining(world, 'p7-database', -1);
      world.upstream.resetCounts();
      const held = holdNextAnswer(world);
      const reading = read(world, token);
      await held.reached;
      await world.database.query('ALTER TABLE audit_events RENAME TO audit_events_away');
      try {
        held.release();
        await eventually('a write fails', () => world.service.output().includes('could not be stored yet'));
      } finally {
        await world.database.query('ALTER TABLE audit_events_away RENAME TO audit_events');
      }
      expect((await reading).status).toBe(200);
      expect((await read(world, token)).status).toBe(200);
      expect(redemptions(world)).toEqual({ attempted: 1, reused: false });
    });

    it.runIf(kind.name === 'postgres')('survives the loss of all connections in the middle of a refresh', async () => {
      const { token } = await signInCapturing(world, 'p7-connections');
      await setRemaining(world, 'p7-connections', -1);
      world.upstream.resetCounts();
      const held = holdNextAnswer(world);
      const reading = read(world, token);
      await held.reached;
      await world.database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      held.release();
      await reading;
      await eventually(
        'the tokens are stored',
        async () => Number((await linkedAccount(world, 'p7-connections'))['expires_at']) > Date.now(),
      );
      expect((await read(world, token)).status).toBe(200);
      expect(redemptions(world)).toEqual({ attempted: 1, reused: false });
    });

    it('says rotation_lost when an answer was lost and the provider then refuses the old token', async () => {
      const { token } = await signInCapturing(world, 'p7-lost');
      await setRemaining(world, 'p7-lost', -1);
      world.upstream.failNext(1, { afterProcessing: true, reset: true });
      const first = await read(world, token, { face: 'onezone' });
      expect(first.status).toBe(503);
      expect(Number(first.retryAfter)).toBeGreaterThan(0);
      await endBackOff(world, 'p7-lost');
      expect((await read(world, token, { face: 'onezone' })).status).toBe(404);
      expect(await linkedAccount(world, 'p7-lost')).toMatchObject({
        status: 'reauthentication-required',
        reason: 'rotation_lost',
      });
      expect(await audited(world, 'p7-lost')).toContainEqual(
        expect.objectContaining({ event: 'upstream-token.refreshed', outcome: 'failure', reason: 'rotation_lost' }),
      );
    });

    it.each([
      ['turned the request away', 'p7-throttled', async () => world.upstream.failNext(1, { status: 429 })],
      ['could not be connected to', 'p7-refused', () => world.upstream.disconnect()],
    ])('says invalid_grant where a provider that %s refuses the token later', async (_, login, prevent) => {
      const { token } = await signInCapturing(world, login);
      await setRemaining(world, login, -1);
      await prevent();
      expect((await read(world, token, { face: 'onezone' })).status).toBe(503);
      await world.upstream.reconnect();
      expect(await linkedAccount(world, login)).toMatchObject({ refresh_intent_at: null });
      await endBackOff(world, login);
      world.upstream.failNext(1, { status: 400, body: { error: 'invalid_grant' } });
      expect((await read(world, token, { face: 'onezone' })).status).toBe(404);
      expect(await linkedAccount(world, login)).toMatchObject({ reason: 'invalid_grant' });
    });

    it('does not take a provider that cannot be reached for one that may have rotated', async () => {
      const { token } = await signInCapturing(world, 'p7-unreachable');
      await world.restart();
      await setRemaining(world, 'p7-unreachable', -1);
      await world.upstream.disconnect();
      const down = await read(world, token, { face: 'onezone' });
      await world.upstream.reconnect();
      expect(down.status).toBe(503);
      expect(await linkedAccount(world, 'p7-unreachable')).toMatchObject({
        refresh_intent_at: null,
        lease_owner: null,
      });
      await endBackOff(world, 'p7-unreachable');
      expect((await read(world, token)).status).toBe(200);
    });

    it('says invalid_grant when the provider refuses a token that nobody can have used up', async () => {
      const { token } = await signInCapturing(world, 'p7-refused');
      await setRemaining(world, 'p7-refused', -1);
      world.upstream.failNext(1, { status: 400, body: { error: 'invalid_grant' } });
      expect((await read(world, token)).status).toBe(401);
      expect(await linkedAccount(world, 'p7-refused')).toMatchObject({ reason: 'invalid_grant', lease_owner: null });
    });
  });

  describe('promise 8: what an answer leaves out is kept', () => {
    it('keeps refresh token, id_token and scope that a refresh does not give again', async () => {
      const { given } = await signInCapturing(world, 'p8-refresh');
      const token = await signInTrusted(world, 'p8-refresh');
      const before = await read(world, token);
      expect(before.scope).toBe(given['scope']);
      await setRemaining(world, 'p8-refresh', -1);
      world.upstream.alterNext(1, without('refresh_token', 'id_token', 'scope'));
      const after = await read(world, token);
      expect(after.status).toBe(200);
      expect(after.token).not.toBe(before.token);
      expect(after.scope).toBe(before.scope);
      expect(after.refreshToken).toBe(before.refreshToken);
      expect((await linkedAccount(world, 'p8-refresh'))['id_token']).toEqual(expect.any(String));
    });

    it('never erases a stored refresh token when a later login brings none', async () => {
      const token = await signInTrusted(world, 'p8-login');
      const before = await read(world, token);
      const { given } = await signInCapturing(world, 'p8-login', without('refresh_token'));
      const after = await read(world, token);
      expect(after.token).toBe(given['access_token']);
      expect(after.refreshToken).toBe(before.refreshToken);
      await setRemaining(world, 'p8-login', -1);
      const refreshed = await read(world, token);
      expect(refreshed.status).toBe(200);
      expect(refreshed.refreshToken).not.toBe(before.refreshToken);
    });

    it('takes the scopes that were asked for as granted when a login does not name them', async () => {
      const { token } = await signInCapturing(world, 'p8-scope', without('scope'));
      expect((await read(world, token)).scope).toBe('openid profile email offline_access');
    });
  });

  describe('promise 12: a token is reused while enough of it remains', () => {
    it.each([
      { left: 310, lifetime: 3600, refreshed: false },
      { left: 290, lifetime: 3600, refreshed: true },
      { left: 60, lifetime: 100, refreshed: false },
      { left: 40, lifetime: 100, refreshed: true },
    ])('with $left of $lifetime seconds left, refreshed: $refreshed', async ({ left, lifetime, refreshed }) => {
      const login = `p12-${left}`;
      const { token, given } = await signInCapturing(world, login);
      await setRemaining(world, login, left, lifetime);
      world.upstream.resetCounts();
      const [pace, onezone] = [await read(world, token), await read(world, token, { face: 'onezone' })];
      expect(redemptions(world).attempted).toBe(refreshed ? 1 : 0);
      expect(pace.token === given['access_token']).toBe(!refreshed);
      for (const { secondsLeft } of [pace, onezone]) {
        expect(secondsLeft).toBeLessThanOrEqual(refreshed ? 3600 : left);
        expect(secondsLeft).toBeGreaterThan(refreshed ? 3500 : left - 20);
      }
    });

    it('serves a token without refresh token until it expires, and never after', async () => {
      const { token, given } = await signInCapturing(world, 'p12-none', without('refresh_token'));
      await setRemaining(world, 'p12-none', 30);
      world.upstream.resetCounts();
      expect((await read(world, token)).token).toBe(given['access_token']);
      await setRemaining(world, 'p12-none', 0.9);
      expect((await read(world, token)).status).toBe(401);
      await setRemaining(world, 'p12-none', -1);
      expect((await read(world, token, { face: 'onezone' })).status).toBe(404);
      const answer = await world.pace(token);
      expect(answer.json<{ errors: { code: string; meta: { connect_url: string } }[] }>().errors[0]).toMatchObject({
        code: 'missing-linked-identity',
        meta: { connect_url: expect.stringContaining(`/connect/${PROVIDER}?ticket=`) as string },
      });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(redemptions(world).attempted).toBe(0);
    });

    it('never refreshes offline where the operator has not allowed it', async () => {
      const { access_token: token } = await world.signIn({ login: 'p12-online', provider: 'online-only' });
      expect((await world.pace(token, 'online-only')).status).toBe(200);
      world.upstream.resetCounts();
      await world.expire();
      expect((await world.pace(token, 'online-only')).status).toBe(401);
      expect(redemptions(world).attempted).toBe(0);
    });

    it('tells the upstream refresh token to nobody but the client that is allowed it', async () => {
      const trusted = await signInTrusted(world, 'p12-trusted');
      const { token, given } = await signInCapturing(world, 'p12-trusted');
      expect((await read(world, token)).refreshToken).toBeUndefined();
      expect((await read(world, trusted)).refreshToken).toBe(given['refresh_token']);
    });

    it.each([
      { said: 'nothing', alter: without('expires_in'), atMost: 3600 },
      { said: 'a text', alter: (body: object) => ({ ...body, expires_in: '120' }), atMost: 120 },
      { said: 'a fraction', alter: (body: object) => ({ ...body, expires_in: 100.0001 }), atMost: 100 },
      { said: 'more than any column holds', alter: (body: object) => ({ ...body, expires_in: 1e30 }), atMost: 1e9 },
    ])('counts a lifetime of which the provider says $said', async ({ said, alter, atMost }) => {
      const login = `p12-says-${said.replaceAll(' ', '-')}`;
      const { token } = await signInCapturing(world, login);
      await setRemaining(world, login, -1);
      world.upstream.alterNext(1, alter);
      const { status, secondsLeft } = await read(world, token);
      expect(status).toBe(200);
      expect(secondsLeft).toBeLessThanOrEqual(atMost);
      expect(secondsLeft).toBeGreaterThan(atMost === 1e9 ? 3600 : atMost - 20);
    });
  });

  it('promise 11: sends nothing to a provider that was registered anew, and serves none of its old tokens', async () => {
    const { token } = await signInCapturing(world, 'p11-changed');
    world.upstream.resetCounts();
    for (const change of [{ issuer: 'https://old.example' }, { upstream_client_id: 'old' }]) {
      const { issuer } = await linkedAccount(world, 'p11-changed');
      await updateAccount(world, 'p11-changed', change);
      expect((await read(world, token)).status).toBe(401);
      await setRemaining(world, 'p11-changed', -1);
      expect((await read(world, token)).status).toBe(401);
      if ('issuer' in change) {
        // Its subjects are other people until the operator says otherwise.
        await expect(signInCapturing(world, 'p11-changed')).rejects.toThrow(/: 409 /);
        await updateAccount(world, 'p11-changed', { issuer });
      }
    }
    await signInCapturing(world, 'p11-changed', without('refresh_token'));
    expect(await linkedAccount(world, 'p11-changed')).toMatchObject({ status: 'active', refresh_token: null });
    expect(redemptions(world).attempted).toBe(0);
  });

  it('promise 13: audits every link, read and refresh, and what came of it', async () => {
    const { token } = await signInCapturing(world, 'p13');
    await read(world, token);
    await setRemaining(world, 'p13', -1);
    await read(world, token, { face: 'onezone' });
    await updateAccount(world, 'p13', { status: 'reauthentication-required' });
    await read(world, token);
    const events = (await audited(world, 'p13')).filter(({ event }) =>
      /^(identity|upstream-token)\./.test(String(event)),
    );
    const own = { identity_provider: PROVIDER, client_id: null };
    const reader = { identity_provider: PROVIDER, client_id: 'reader' };
    expect(events).toEqual([
      { event: 'identity.linked', outcome: 'success', reason: null, ...own },
      { event: 'upstream-token.read', outcome: 'success', reason: null, ...reader },
      { event: 'upstream-token.refreshed', outcome: 'success', reason: null, ...own },
      { event: 'upstream-token.read', outcome: 'success', reason: null, ...reader },
      { event: 'upstream-token.read', outcome: 'failure', reason: 'reauthentication-required', ...reader },
    ]);
  });

  it('promise 13: audits what was refused before the vault was asked, and sign-ins', async () => {
    const { access_token: token } = await world.signIn({ login: 'p13-refused', client: CLIENTS.stranger });
    expect((await world.pace(token)).status).toBe(401);
    expect(await audited(world, 'p13-refused')).toContainEqual(
      expect.objectContaining({
        event: 'upstream-token.read',
        outcome: 'failure',
        reason: 'access.forbidden',
        client_id: 'stranger',
      }),
    );
    await expect(world.signIn({ login: 'p13-nobody', provider: 'members-only' })).rejects.toThrow(/: 403 /);
    expect(
      await world.database.query(
        "SELECT outcome, reason FROM audit_events WHERE event = 'user.signed-in' AND identity_provider = 'members-only'",
      ),
    ).toContainEqual({ outcome: 'failure', reason: 'access.forbidden' });
  });

  describe('promise 5 and 10: unlinking and linking again win over a refresh that is under way', () => {
    it('does not bring an account back to life that was unlinked meanwhile', async () => {
      const { token } = await signInCapturing(world, 'p5-unlinked');
      await setRemaining(world, 'p5-unlinked', -1);
      const held = holdNextAnswer(world);
      const reading = read(world, token);
      await held.reached;
      await updateAccount(world, 'p5-unlinked', { unlinked_at: Date.now() });
      const [before] = await world.database.query('SELECT * FROM linked_accounts WHERE subject = ?', ['p5-unlinked']);
      held.release();
      expect((await reading).status).toBe(401);
      const [after] = await world.database.query('SELECT * FROM linked_accounts WHERE subject = ?', ['p5-unlinked']);
      // Only the lease is given back.
      const released = { lease_owner: null, lease_expires_at: null, refresh_intent_at: null };
      expect(after).toEqual({ ...before, ...released });
      expect(await audited(world, 'p5-unlinked')).toContainEqual(
        expect.objectContaining({ event: 'upstream-token.refreshed', outcome: 'failure', reason: 'superseded' }),
      );
      expect((await read(world, token, { face: 'onezone' })).status).toBe(404);
    });

    it('keeps the tokens of a login that happened meanwhile', async () => {
      const { token } = await signInCapturing(world, 'p5-again');
      await setRemaining(world, 'p5-again', -1);
      const held = holdNextAnswer(world);
      const reading = read(world, token);
      await held.reached;
      const { given } = await signInCapturing(world, 'p5-again');
      held.release();
      const [during, after] = [await reading, await read(world, token)];
      expect([during.status, during.token]).toEqual([200, given['access_token']]);
      expect(after.token).toBe(given['access_token']);
      await setRemaining(world, 'p5-again', -1);
      expect((await read(world, token)).status).toBe(200);
    });

    it('keeps the rotated refresh token when a login meanwhile brought none of its own', async () => {
      const { token } = await signInCapturing(world, 'p5-none');
      await setRemaining(world, 'p5-none', -1);
      world.upstream.resetCounts();
      const held = holdNextAnswer(world);
      const reading = read(world, token);
      await held.reached;
      const { given } = await signInCapturing(world, 'p5-none', without('refresh_token'));
      held.release();
      expect((await reading).token).toBe(given['access_token']);
      expect(await linkedAccount(world, 'p5-none')).toMatchObject({ lease_owner: null, refresh_intent_at: null });
      for (const _ of [1, 2]) {
        await setRemaining(world, 'p5-none', -1);
        expect((await read(world, token)).status).toBe(200);
      }
      const seen = world.upstream.refreshTokensSeen;
      expect(new Set(seen).size).toBe(seen.length);
    });

    it('lets a login heal what needed one', async () => {
      const { token } = await signInCapturing(world, 'p10');
      await setRemaining(world, 'p10', -1);
      world.upstream.failNext(1, { status: 400, body: { error: 'invalid_grant' } });
      expect((await read(world, token)).status).toBe(401);
      const refused = await linkedAccount(world, 'p10');
      const { given } = await signInCapturing(world, 'p10');
      expect((await read(world, token)).token).toBe(given['access_token']);
      const healed = await linkedAccount(world, 'p10');
      expect(healed).toMatchObject({ status: 'active', reason: null, last_error: null, refresh_intent_at: null });
      expect(Number(healed['generation'])).toBeGreaterThan(Number(refused['generation']));
    });
  });

  it('promise 15: never takes two accounts for one person because of an e-mail address', async () => {
    const { token: first, given } = await signInCapturing(world, 'p15-first');
    const email = decodeJwt(String(given['id_token']))['email'];
    world.upstream.users.set('p15-second', {
      sub: 'p15-second',
      preferred_username: 'p15-second',
      name: 'Second',
      email: String(email),
      email_verified: true,
      groups: [],
    });
    const { token: second } = await signInCapturing(world, 'p15-second');
    const [one, other] = [await linkedAccount(world, 'p15-first'), await linkedAccount(world, 'p15-second')];
    expect(email).toBe('p15-first@example.com');
    expect(other['user_id']).not.toBe(one['user_id']);
    expect((await read(world, second)).token).not.toBe((await read(world, first)).token);
  });

  it('leaves no secret in any output or in the database', async () => {
    expect(world.upstream.serverErrors).toEqual([]);
    await world.assertNoLeaks();
  });
});
