import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { databases, type Row } from '../../support/databases.js';
import {
  audited,
  eventually,
  holdNextAnswer,
  linkedAccount,
  read,
  setRemaining,
  signInCapturing,
  updateAccount,
} from '../../support/vault.js';
import { createWorld, PROVIDER, READ_SCOPE, type World } from '../../support/world.js';

const UNLINK_SCOPE = 'user:federated-identity:delete';
const SCOPE = `${READ_SCOPE} ${UNLINK_SCOPE}`;
/** Speaks of no revocation endpoint. */
const IRREVOCABLE = 'members-only';
/** Its tokens do not expire. */
const EVERLASTING = 'online-only';

describe.each(databases)('revocation at the provider on $name', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(kind, {
      configure: ({ clients = [], identity_providers: providers = [], ...rest }, { issuer }) => ({
        ...rest,
        clients: (clients as Row[]).map((client) => ({
          ...client,
          scope: SCOPE,
          upstream_providers: [PROVIDER, IRREVOCABLE, EVERLASTING],
        })),
        identity_providers: (providers as Row[]).map((provider) => {
          if (provider['id'] === EVERLASTING)
            return { ...provider, offline_access: true, access_token_lifetime: 'none' };
          if (provider['id'] !== IRREVOCABLE) return provider;
          return {
            ...provider,
            type: 'oauth2',
            sign_up: true,
            scope: 'openid offline_access',
            claims: { sub: 'sub' },
            endpoints: { authorization: `${issuer}/auth`, token: `${issuer}/token`, userinfo: `${issuer}/me` },
          };
        }),
      }),
    });
  });
  afterAll(async () => {
    await world.stop();
  });
  afterEach(() => world.database.query('DELETE FROM upstream_circuits'));

  const linked = async (login: string, provider = PROVIDER, alter = (body: Row): Row => body) => {
    let given: Row = {};
    world.upstream.alterNext(1, (body) => {
      given = alter(body);
      return given;
    });
    const { access_token: token } = await world.signIn({ login, provider, scope: SCOPE });
    return { token, given };
  };
  const unlink = async (token: string, provider = PROVIDER): Promise<void> => {
    const answer = await world.request(`/federated-identities/${provider}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(204);
  };
  const messages = async (login: string): Promise<Row[]> =>
    world.database.query(
      `SELECT * FROM outbox_messages
       WHERE subject_id IN (SELECT id FROM linked_accounts WHERE subject = ?) ORDER BY created_at`,
      [login],
    );
  const ended = async (login: string): Promise<Row> => {
    await eventually('the revocation ends', async () =>
      (await messages(login)).some(({ outcome }) => outcome !== null),
    );
    return (await messages(login)).find(({ outcome }) => outcome !== null) ?? {};
  };
  const revoked = (...tokens: unknown[]): boolean =>
    tokens.every((token) => world.upstream.revocationsSeen.includes(String(token)));

  it('promise 16: unlinking erases the tokens here at once, and revokes them there', async () => {
    const { token, given } = await linked('p16');
    await unlink(token);
    expect(await linkedAccount(world, 'p16')).toMatchObject({
      status: 'sign-in-only',
      access_token: null,
      refresh_token: null,
      id_token: null,
    });
    expect((await read(world, token)).status).toBe(401);
    expect(await ended('p16')).toMatchObject({ outcome: 'revoked', payload: null, data_key: null, attempts: 1 });
    expect(revoked(given['refresh_token'], given['access_token'])).toBe(true);
    const events = (await audited(world, 'p16')).filter(({ event }) => /unlinked|revoked/.test(String(event)));
    expect(events).toMatchObject([
      { event: 'identity.unlinked', outcome: 'success', identity_provider: PROVIDER },
      {
        event: 'upstream-token.revoked',
        outcome: 'success',
        reason: null,
        client_id: null,
        identity_provider: PROVIDER,
      },
    ]);
    await unlink(token);
    expect(await messages('p16')).toHaveLength(1);
  });

  it('promise 16: a provider that is away keeps nobody from unlinking, and hears of it later', async () => {
    const { token, given } = await linked('p16-away');
    await world.upstream.disconnect();
    try {
      await unlink(token);
      expect((await linkedAccount(world, 'p16-away'))['refresh_token']).toBeNull();
      await eventually('it was tried', async () => (await messages('p16-away'))[0]?.['last_error'] === 'unavailable');
      const [message] = await messages('p16-away');
      expect(message).toMatchObject({ outcome: null, attempts: 1, lease_owner: null });
      expect(Number(message?.['next_attempt_at'])).toBeGreaterThan(Date.now());
      expect(revoked(given['refresh_token'])).toBe(false);
    } finally {
      await world.upstream.reconnect();
    }
    // Nobody has to be running in between.
    await world.restart();
    await world.database.query('UPDATE outbox_messages SET next_attempt_at = 1 WHERE outcome IS NULL');
    expect(await ended('p16-away')).toMatchObject({ outcome: 'revoked', payload: null, attempts: 2 });
    expect(revoked(given['refresh_token'], given['access_token'])).toBe(true);
  });

  it('promise 16: a provider that is away is asked for one user, and not for the others until a while later', async () => {
    const [first, second] = [await linked('p16-one'), await linked('p16-other')];
    await world.upstream.disconnect();
    try {
      await unlink(first.token);
      await eventually('it was tried', async () => (await messages('p16-one'))[0]?.['last_error'] === 'unavailable');
      await unlink(second.token);
      await eventually('it waits', async () => (await messages('p16-other'))[0]?.['last_error'] === 'paused');
      expect((await messages('p16-other'))[0]).toMatchObject({ outcome: null, attempts: 0, lease_owner: null });
    } finally {
      await world.upstream.reconnect();
      await world.restart();
    }
    await world.database.query('UPDATE outbox_messages SET next_attempt_at = 1 WHERE outcome IS NULL');
    expect(await ended('p16-other')).toMatchObject({ outcome: 'revoked', attempts: 1 });
    expect(await ended('p16-one')).toMatchObject({ outcome: 'revoked', attempts: 2 });
  });

  it('promise 16: an account that was linked again meanwhile is not cut off by what it was told to revoke', async () => {
    const { token, given } = await linked('p16-relinked');
    await world.upstream.disconnect();
    try {
      await unlink(token);
      await eventually(
        'it was tried',
        async () => (await messages('p16-relinked'))[0]?.['last_error'] === 'unavailable',
      );
    } finally {
      await world.upstream.reconnect();
      await world.restart();
    }
    const { token: later } = await linked('p16-relinked');
    await world.database.query('UPDATE outbox_messages SET next_attempt_at = 1 WHERE outcome IS NULL');
    expect(await ended('p16-relinked')).toMatchObject({ outcome: 'superseded', payload: null });
    expect(world.upstream.revocationsSeen).not.toContain(String(given['refresh_token']));
    expect(world.upstream.revocationsSeen).not.toContain(String(given['access_token']));
    expect(
      (await audited(world, 'p16-relinked')).filter(({ event }) => event === 'upstream-token.revoked'),
    ).toMatchObject([{ outcome: 'failure', reason: 'superseded' }]);
    await setRemaining(world, 'p16-relinked', -1);
    expect((await read(world, later)).status).toBe(200);
  });

  it('promise 16: says so where a provider has no way to revoke', async () => {
    const { token } = await linked('p16-unsupported', IRREVOCABLE);
    const seen = world.upstream.revocationsSeen.length;
    await unlink(token, IRREVOCABLE);
    expect(await ended('p16-unsupported')).toMatchObject({ outcome: 'unsupported', payload: null, attempts: 1 });
    expect(world.upstream.revocationsSeen).toHaveLength(seen);
    const [{ reason } = { reason: '' }] = await world.database.query(
      `SELECT reason FROM audit_events WHERE event = 'upstream-token.revoked' AND identity_provider = ?`,
      [IRREVOCABLE],
    );
    expect(reason).toBe('unsupported');
  });

  it('promise 16: sends the tokens of a provider that was registered anew to nobody', async () => {
    const { token } = await linked('p16-changed');
    await updateAccount(world, 'p16-changed', { upstream_client_id: 'the client of last year' });
    const seen = world.upstream.revocationsSeen.length;
    await unlink(token);
    expect(await ended('p16-changed')).toMatchObject({ outcome: 'provider-changed', payload: null });
    expect(world.upstream.revocationsSeen).toHaveLength(seen);
  });

  it('promises 5 and 16: unlinking wins over a refresh under way, and its successor is revoked, too', async () => {
    const { token, given } = await linked('p16-refreshing');
    await setRemaining(world, 'p16-refreshing', -1);
    let successor: Row = {};
    const held = holdNextAnswer(world, (body) => {
      successor = body;
      return body;
    });
    const reading = read(world, token);
    await held.reached;
    await unlink(token);
    await eventually('the old one is revoked', () => revoked(given['refresh_token']));
    held.release();
    expect((await reading).status).toBe(401);
    await eventually('its successor is revoked', () => revoked(successor['refresh_token'], successor['access_token']));
    expect(await linkedAccount(world, 'p16-refreshing')).toMatchObject({
      status: 'sign-in-only',
      access_token: null,
      refresh_token: null,
      lease_owner: null,
    });
    await eventually('both are known', async () => {
      const outcomes = (await messages('p16-refreshing')).map(({ outcome }) => outcome);
      return outcomes.length === 2 && outcomes.every((outcome) => outcome === 'revoked');
    });
  });

  it('promise 16: linking again afterwards starts afresh', async () => {
    const { token } = await linked('p16-again');
    await unlink(token);
    await ended('p16-again');
    const { token: later, given } = await linked('p16-again');
    for (const each of [token, later]) expect((await read(world, each)).token).toBe(given['access_token']);
    await setRemaining(world, 'p16-again', -1);
    expect((await read(world, later)).status).toBe(200);
  });

  it('promise 19: a token that does not expire is served until it is unlinked, for an hour at a time', async () => {
    const { token, given } = await linked('p19', EVERLASTING, (body) => ({ ...body, expires_in: undefined }));
    const stored = async (): Promise<Row> =>
      (await world.database.query('SELECT * FROM linked_accounts WHERE subject = ?', ['p19']))[0] ?? {};
    expect((await stored())['expires_at']).toBeNull();
    await world.database.query('UPDATE linked_accounts SET obtained_at = 1 WHERE subject = ?', ['p19']);
    world.upstream.resetCounts();
    const pace = await world.pace(token, EVERLASTING);
    expect(pace.json()).toMatchObject({ access_token: given['access_token'], expires_in: 3600 });
    const onezone = await world.onezone(token, EVERLASTING);
    expect(onezone.json()).toEqual({ token: given['access_token'], ttl: 3600 });
    expect(world.upstream.counts.refresh.attempted).toBe(0);
    await unlink(token, EVERLASTING);
    expect((await world.pace(token, EVERLASTING)).status).toBe(401);
    expect(await ended('p19')).toMatchObject({ outcome: 'revoked' });
  });

  it('takes effect at once: a user who is blocked, a provider that is gone', async () => {
    const { token, given } = await signInCapturing(world, 'p-at-once');
    expect((await read(world, token)).token).toBe(given['access_token']);
    const { user_id: userId } = await linkedAccount(world, 'p-at-once');
    await world.database.query('UPDATE users SET blocked_at = 1 WHERE id = ?', [userId]);
    expect((await read(world, token)).token).toBeUndefined();
    expect((await read(world, token, { face: 'onezone' })).token).toBeUndefined();
    await world.database.query('UPDATE users SET blocked_at = NULL WHERE id = ?', [userId]);
    expect((await read(world, token)).status).toBe(200);
    await world.database.query('UPDATE identity_providers SET disabled_at = 1 WHERE id = ?', [PROVIDER]);
    try {
      expect((await read(world, token)).token).toBeUndefined();
      expect((await read(world, token, { face: 'onezone' })).token).toBeUndefined();
    } finally {
      await world.database.query('UPDATE identity_providers SET disabled_at = NULL WHERE id = ?', [PROVIDER]);
    }
    expect((await read(world, token)).token).toBe(given['access_token']);
  });

  it('leaves no secret in any output or in the database', async () => {
    expect(world.upstream.serverErrors).toEqual([]);
    await world.assertNoLeaks();
  });
});
