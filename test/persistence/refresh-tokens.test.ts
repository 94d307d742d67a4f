import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digest } from '../../src/common/random.js';
import { Secret } from '../../src/common/secret.js';
import type { TokenResult } from '../../src/tokens/engine/token-result.js';
import type { User } from '../../src/users/index.js';
import { databases, type Row } from '../support/databases.js';
import { newClient, storedSecret } from './support/clients.js';
import { fiftyTimes, openStorage, type Storage } from './support/storage.js';
import { present, revealed, tokensRoomOf, type TokensRoom } from './support/tokens-room.js';

const SECOND_MS = 1_000;
const DAY_MS = 24 * 3_600_000;
const IDLE_MS = 14 * DAY_MS;
const ABSOLUTE_MS = 30 * DAY_MS;
const SECRET = new Secret('a-secret-of-the-clients-0123456789abcdef0123456789');
const SCOPE = 'openid profile offline_access accounts:read';
const common = {
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: ['https://app.example/callback'],
  scope: SCOPE,
  require_pkce: false,
};
const APP = newClient({ ...common, client_id: 'app' });
const OTHER = newClient({ ...common, client_id: 'other' });
const SPA = newClient({ ...common, client_id: 'spa', token_endpoint_auth_method: 'none', require_pkce: true });
const BRIEF = newClient({ ...common, client_id: 'brief', refresh_token_lifetime: 3600, access_token_lifetime: 60 });
const CONFIDENTIAL = [APP, OTHER, BRIEF];
const REFUSED = {
  code: 'grant.invalid',
  publicDetail: 'The refresh token is invalid, expired, revoked, used, or was issued to another client.',
};
const REUSED = { ...REFUSED, code: 'grant.reused' };

const tokenOf = ({ refreshToken }: TokenResult) => present(refreshToken);
const claimsOf = (token: Secret | undefined) => decodeJwt(present(token).reveal());
const grantIdOf = ({ accessToken }: TokenResult) => String(claimsOf(accessToken)['grant_id']);

describe.each(databases)('refresh tokens on $name', (kind) => {
  let storage: Storage;
  let first: TokensRoom;
  let second: TokensRoom;
  let ada: User;

  beforeAll(async () => {
    storage = await openStorage(kind);
    first = await tokensRoomOf(storage.first);
    second = await tokensRoomOf(storage.second);
    for (const client of CONFIDENTIAL) await first.clients.put(client, await storedSecret(SECRET));
    await first.clients.put(SPA, undefined);
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    ada = await first.users.create({ fullName: 'Ada' });
  });

  const roomAt = (replica: unknown) => (replica === storage.first ? first : second);
  const ask = (
    grantType: string,
    parameters: Record<string, string>,
    { clientId = 'app', room = first } = {},
  ): Promise<TokenResult> =>
    room.engine.exchange({
      client:
        clientId === 'spa' ? { method: 'none', clientId } : { method: 'client_secret_basic', clientId, secret: SECRET },
      grantType,
      parameters: new Map(Object.entries(parameters)),
    });
  const redeem = async (clientId = 'app', scope = SCOPE): Promise<TokenResult & { code: Secret }> => {
    const redirectUri = 'https://app.example/callback';
    const code = await first.codes.issue({
      redirectUri,
      codeChallenge: undefined,
      nonce: 'the nonce',
      grant: {
        userId: ada.id,
        clientId,
        scope: scope.split(' '),
        sessionId: 'the session',
        authTime: storage.clock.now() - 5 * SECOND_MS,
        claims: { name: 'Ada' },
      },
    });
    const answer = await ask('authorization_code', { code: code.reveal(), redirect_uri: redirectUri }, { clientId });
    return { ...answer, code };
  };
  const refresh = (
    token: Secret,
    { scope, ...rest }: { scope?: string; clientId?: string; room?: TokensRoom } = {},
  ): Promise<TokenResult> =>
    ask('refresh_token', { refresh_token: token.reveal(), ...(scope !== undefined && { scope }) }, rest);
  const rowOf = async (answer: TokenResult): Promise<Row | undefined> => {
    const key = digest(tokenOf(answer).reveal());
    return (await rowsOf(answer)).find((row) => row['digest'] === key);
  };
  const rowsOf = (answer: TokenResult): Promise<Row[]> =>
    storage.database.query('SELECT * FROM refresh_tokens WHERE grant_id = ? ORDER BY created_at', [grantIdOf(answer)]);
  const grantOf = (answer: TokenResult): Promise<Row[]> =>
    storage.database.query('SELECT revoked_reason FROM grants WHERE id = ?', [grantIdOf(answer)]);
  const audited = (): Promise<Row[]> =>
    storage.database.query('SELECT event, outcome, reason FROM audit_events WHERE user_id = ? ORDER BY at', [ada.id]);
  const expectAlive = async (answer: TokenResult): Promise<void> => {
    expect(await grantOf(answer)).toEqual([{ revoked_reason: null }]);
    expect((await second.accessTokens.authenticate(answer.accessToken)).user.id).toBe(ada.id);
  };
  const expectDead = async (answer: TokenResult, reason = 'refresh token reused'): Promise<void> => {
    expect(await grantOf(answer)).toEqual([{ revoked_reason: reason }]);
    await expect(second.accessTokens.authenticate(answer.accessToken)).rejects.toMatchObject({
      code: 'credentials.token-revoked',
    });
    if (answer.refreshToken) await expect(refresh(answer.refreshToken)).rejects.toMatchObject(REFUSED);
  };

  describe('"Issued when the client has the grant and the request is non-OpenID, or offline_access was consented"', () => {
    it.each([
      ['openid offline_access', true],
      ['accounts:read', true],
      ['openid', false],
      ['openid accounts:read', false],
    ])('for "%s": %s', async (scope, issued) => {
      expect((await redeem('app', scope)).refreshToken !== undefined).toBe(issued);
    });

    it('not to a client without the grant', async () => {
      await first.clients.put(
        newClient({ ...common, client_id: 'later', grant_types: ['authorization_code'] }),
        await storedSecret(SECRET),
      );
      expect((await redeem('later')).refreshToken).toBeUndefined();
    });
  });

  describe('"for 10 s, while the successor is unused, the same client gets the byte-identical answer again"', () => {
    it('so that of a hundred parallel uses each gets the one successor', async () => {
      const answer = await redeem();
      const uses = [1, 2].map(() =>
        fiftyTimes([storage.first, storage.second], (replica) => refresh(tokenOf(answer), { room: roomAt(replica) })),
      );
      const answers = (await Promise.all(uses)).flat().map(revealed);
      expect(answers).toHaveLength(100);
      for (const other of answers) expect(other).toStrictEqual(answers[0]);
      expect(await rowsOf(answer)).toHaveLength(2);
      await expectAlive(answer);
    });

    it('at another replica too, until the tenth second', async () => {
      const answer = await redeem();
      const successor = await refresh(tokenOf(answer));
      storage.clock.advance(10 * SECOND_MS);
      expect(revealed(await refresh(tokenOf(answer), { room: second }))).toStrictEqual(revealed(successor));
      await expectAlive(successor);
    });

    it('"(stored encrypted)", until the successor is used', async () => {
      const answer = await redeem();
      const successor = await refresh(tokenOf(answer));
      expect(await rowOf(answer)).toMatchObject({ answer: expect.any(String), data_key: expect.any(String) });
      const dump = await storage.database.dump();
      for (const token of [successor.accessToken, successor.refreshToken, successor.idToken]) {
        expect(dump).not.toContain(present(token).reveal());
      }
      await refresh(tokenOf(successor));
      expect(await rowOf(answer)).toMatchObject({ answer: null, data_key: null, encryption_key_id: null });
    });

    it('and is erased soon after nobody can have it any more', async () => {
      const answer = await redeem();
      const successor = await refresh(tokenOf(answer));
      storage.clock.advance(11 * SECOND_MS);
      await first.refreshTokens.forgetAnswers();
      expect(await rowOf(answer)).toMatchObject({ answer: null, data_key: null, encryption_key_id: null });
      await refresh(tokenOf(successor));
    });

    it('but not another client, which changes nothing', async () => {
      const answer = await redeem();
      const successor = await refresh(tokenOf(answer));
      await expect(refresh(tokenOf(answer), { clientId: 'other' })).rejects.toMatchObject(REFUSED);
      await expect(refresh(tokenOf(successor), { clientId: 'other' })).rejects.toMatchObject(REFUSED);
      await expectAlive(successor);
    });

    it('nor while its user is blocked, and coming back is a reuse all the same', async () => {
      const answer = await redeem();
      await refresh(tokenOf(answer));
      await first.users.change(ada.id, { blocked: true });
      await expect(refresh(tokenOf(answer))).rejects.toMatchObject(REUSED);
      expect(await grantOf(answer)).toEqual([{ revoked_reason: 'refresh token reused' }]);
    });

    it('nor beyond what the client may have by now', async () => {
      const answer = await redeem();
      await refresh(tokenOf(answer));
      const secret = await storedSecret(SECRET);
      await first.clients.put({ ...APP, scope: ['openid'] }, secret);
      await expect(refresh(tokenOf(answer))).rejects.toMatchObject({ code: 'scope.invalid' });
      await first.clients.put(APP, secret);
      await expectAlive(await refresh(tokenOf(answer)));
    });
  });

  describe('"beyond that a replay kills the family", and the revocation survives the error', () => {
    it('after the tenth second', async () => {
      const answer = await redeem();
      const successor = await refresh(tokenOf(answer));
      storage.clock.advance(10 * SECOND_MS + 1);
      await expect(refresh(tokenOf(answer))).rejects.toMatchObject(REUSED);
      await expectDead(answer);
      await expectDead(successor);
      expect(await audited()).toContainEqual({ event: 'token.reused', outcome: 'failure', reason: 'refresh_token' });
    });

    it('once the successor was used, within the ten seconds', async () => {
      const answer = await redeem();
      const successor = await refresh(tokenOf(answer));
      const third = await refresh(tokenOf(successor));
      await expect(refresh(tokenOf(answer), { room: second })).rejects.toMatchObject(REUSED);
      await expectDead(third);
    });

    it('also long after it was unused for too long', async () => {
      const answer = await redeem();
      let latest = await refresh(tokenOf(answer));
      storage.clock.advance(IDLE_MS - SECOND_MS);
      latest = await refresh(tokenOf(latest));
      storage.clock.advance(2 * SECOND_MS);
      await expect(refresh(tokenOf(answer))).rejects.toMatchObject(REUSED);
      await expectDead(latest);
    });

    it('"Unbound public clients: rotation with no grace, a replay kills the family at once"', async () => {
      const answer = await redeem('spa');
      const successor = await refresh(tokenOf(answer), { clientId: 'spa' });
      await expect(refresh(tokenOf(answer), { clientId: 'spa' })).rejects.toMatchObject(REUSED);
      expect(await grantOf(answer)).toEqual([{ revoked_reason: 'refresh token reused' }]);
      await expect(refresh(tokenOf(successor), { clientId: 'spa' })).rejects.toMatchObject(REFUSED);
      const rows = await rowsOf(answer);
      expect(rows).toHaveLength(2);
      // There is nobody who could be told it again.
      expect(rows).toMatchObject([{ answer: null }, { answer: null }]);
    });

    it('of a public client also where fifty use it at once: one gets a successor, which is worth nothing', async () => {
      const answer = await redeem('spa');
      const uses = await fiftyTimes([storage.first, storage.second], (replica) =>
        refresh(tokenOf(answer), { clientId: 'spa', room: roomAt(replica) }).catch(() => undefined),
      );
      const [got, ...more] = uses.filter((one) => one !== undefined);
      expect(more).toEqual([]);
      expect(await rowsOf(answer)).toHaveLength(2);
      await expect(refresh(present(got?.refreshToken), { clientId: 'spa' })).rejects.toMatchObject(REFUSED);
    });

    it('"code reuse revokes what it gave": refresh tokens, however late', async () => {
      const { code, ...answer } = await redeem();
      const successor = await refresh(tokenOf(answer));
      storage.clock.advance(5 * DAY_MS);
      await storage.first.expiredRows.sweep();
      const again = ask('authorization_code', { code: code.reveal(), redirect_uri: 'https://app.example/callback' });
      await expect(again).rejects.toMatchObject({ code: 'grant.reused' });
      expect(await grantOf(answer)).toEqual([{ revoked_reason: 'code reused' }]);
      await expect(refresh(tokenOf(successor))).rejects.toMatchObject(REFUSED);
    });
  });

  describe('"idle and absolute expiry"', () => {
    it('ends one that is not used, and does not spend it', async () => {
      const answer = await redeem();
      storage.clock.advance(IDLE_MS - 1);
      const successor = await refresh(tokenOf(answer));
      storage.clock.advance(IDLE_MS);
      const before = await audited();
      await expect(refresh(tokenOf(successor))).rejects.toMatchObject(REFUSED);
      expect((await rowsOf(answer)).map(({ consumed_at: at }) => at !== null)).toEqual([true, false]);
      expect(await audited()).toEqual(before);
      expect(await grantOf(answer)).toEqual([{ revoked_reason: null }]);
    });

    it('ends the family, however busy it is', async () => {
      let latest = (await redeem()) as TokenResult;
      const began = storage.clock.now();
      for (const days of [10, 10]) {
        storage.clock.advance(days * DAY_MS);
        latest = await refresh(tokenOf(latest));
      }
      const rows = await rowsOf(latest);
      expect(rows.map((row) => Number(row['expires_at']))).toEqual(Array(3).fill(began + ABSOLUTE_MS));
      expect(rows.map((row) => Number(row['idle_expires_at']) - began)).toEqual([
        IDLE_MS,
        10 * DAY_MS + IDLE_MS,
        ABSOLUTE_MS,
      ]);
      storage.clock.advance(10 * DAY_MS);
      await expect(refresh(tokenOf(latest))).rejects.toMatchObject(REFUSED);
    });

    it('as the client says', async () => {
      const answer = await redeem('brief');
      expect(answer.expiresInSeconds).toBe(60);
      storage.clock.advance(3600 * SECOND_MS - 1);
      const successor = await refresh(tokenOf(answer), { clientId: 'brief' });
      storage.clock.advance(1);
      await expect(refresh(tokenOf(successor), { clientId: 'brief' })).rejects.toMatchObject(REFUSED);
    });
  });

  describe('the scope', () => {
    it('is narrowed for the access token and stays the refresh token’s', async () => {
      const answer = await redeem();
      const narrow = await refresh(tokenOf(answer), { scope: 'accounts:read' });
      expect(narrow.scope).toEqual(['accounts:read']);
      expect(narrow.idToken).toBeUndefined();
      expect(claimsOf(narrow.accessToken)['scope']).toBe('accounts:read');
      const wide = await refresh(tokenOf(narrow));
      expect(wide.scope).toEqual(SCOPE.split(' '));
      await refresh(tokenOf(wide), { scope: SCOPE });
    });

    it.each([
      ['more than the user allowed', 'accounts:read profile'],
      ['more than the client is registered for', 'accounts:read accounts:write'],
      ['the administration', 'admin'],
      ['something malformed', 'accounts:read "'],
    ])('is refused where it is %s, and nothing is spent', async (_, scope) => {
      const answer = await redeem('app', 'accounts:read');
      await expect(refresh(tokenOf(answer), { scope })).rejects.toMatchObject({ code: 'scope.invalid' });
      await expectAlive(await refresh(tokenOf(answer)));
    });

    it('that the client lost is refused, and nothing is spent', async () => {
      const answer = await redeem();
      const secret = await storedSecret(SECRET);
      await first.clients.put({ ...APP, scope: ['openid', 'offline_access'] }, secret);
      await expect(refresh(tokenOf(answer))).rejects.toMatchObject({ code: 'scope.invalid' });
      await first.clients.put(APP, secret);
      await expectAlive(await refresh(tokenOf(answer)));
    });
  });

  describe('what it rests on', () => {
    it.each<[string, (answer: TokenResult) => Promise<unknown>, () => Promise<unknown>]>([
      [
        'a blocked user',
        () => first.users.change(ada.id, { blocked: true }),
        () => first.users.change(ada.id, { blocked: false }),
      ],
      [
        'a disabled client',
        () => first.clients.disable('app'),
        async () => first.clients.put(APP, await storedSecret(SECRET)),
      ],
    ])('%s is refused without spending it', async (_, end, restore) => {
      const answer = await redeem();
      await end(answer);
      await expect(refresh(tokenOf(answer))).rejects.toThrow();
      await restore();
      await expectAlive(await refresh(tokenOf(answer)));
    });

    it('a revoked grant ends it', async () => {
      const answer = await redeem();
      await second.grants.revoke(grantIdOf(answer), 'revoked');
      await expectDead(answer, 'revoked');
    });

    it('a user who is deleted takes it along', async () => {
      const answer = await redeem();
      await refresh(tokenOf(answer));
      await first.refreshTokens.forgetUser(ada.id);
      expect(await rowsOf(answer)).toEqual([]);
    });
  });

  it('has the id_token say what the first one said, without the nonce: OpenID Connect Core 1.0 section 12.2', async () => {
    const answer = await redeem();
    storage.clock.advance(60 * SECOND_MS);
    const { nonce, iat, exp, ...said } = claimsOf(answer.idToken);
    const again = claimsOf((await refresh(tokenOf(answer))).idToken);
    expect(nonce).toBe('the nonce');
    expect(again).toStrictEqual({ ...said, iat: (iat ?? 0) + 60, exp: (exp ?? 0) + 60 });
    expect(said).toMatchObject({ sub: ada.id, sid: 'the session', auth_time: expect.any(Number), name: 'Ada' });
  });

  it('is unknown where nobody issued it, and missing where it is', async () => {
    await expect(refresh(new Secret('made up'))).rejects.toMatchObject(REFUSED);
    await expect(refresh(new Secret(`symbolon_rt_${'A'.repeat(43)}`))).rejects.toMatchObject(REFUSED);
    await expect(ask('refresh_token', {})).rejects.toMatchObject({ code: 'request.parameter-invalid' });
  });

  it('is not in the database', async () => {
    const token = tokenOf(await redeem()).reveal();
    const dump = await storage.database.dump();
    expect(dump).not.toContain(token);
    expect(dump).toContain(digest(token));
  });

  it('that was rolled back with its transaction is still good', async () => {
    const answer = await redeem();
    const failing = storage.first.unitOfWork.run(async () => {
      expect(await first.refreshTokens.rotate(tokenOf(answer), { grace: true })).toEqual({ outcome: 'rotated' });
      throw new Error('could not issue');
    });
    await expect(failing).rejects.toThrow('could not issue');
    await expectAlive(await refresh(tokenOf(answer), { room: second }));
  });

  describe('grants', () => {
    const never = new AbortController().signal;
    const sweep = async (): Promise<void> => {
      await storage.first.expiredRows.sweep();
      await first.endedGrants.run(never);
    };

    it('go once nothing is left of them, and not before', async () => {
      const [withRefresh, without] = [await redeem(), await redeem('app', 'openid')];
      storage.clock.advance(2 * DAY_MS);
      await sweep();
      expect(await grantOf(without)).toHaveLength(1);
      storage.clock.advance(SECOND_MS * 3600);
      await sweep();
      expect([await grantOf(without), await grantOf(withRefresh)]).toEqual([[], [{ revoked_reason: null }]]);
      storage.clock.advance(ABSOLUTE_MS - 2 * DAY_MS);
      await sweep();
      expect(await grantOf(withRefresh)).toHaveLength(1);
      storage.clock.advance(DAY_MS);
      await sweep();
      expect(await grantOf(withRefresh)).toEqual([]);
    });

    it('stay while a user’s token rests on them, and for a day after they were revoked', async () => {
      const answer = await redeem('app', 'openid');
      storage.clock.advance(5 * DAY_MS);
      await storage.database.query(
        `INSERT INTO user_tokens (id, user_id, name, digest, client_id, grant_id, scope, metadata, created_at)
         VALUES (?, ?, 'mine', ?, 'app', ?, '', '{}', 0)`,
        [ada.id, ada.id, ada.id, grantIdOf(answer)],
      );
      await sweep();
      expect(await grantOf(answer)).toHaveLength(1);
      await storage.database.query('DELETE FROM user_tokens WHERE id = ?', [ada.id]);
      await first.grants.revoke(grantIdOf(answer), 'revoked');
      storage.clock.advance(DAY_MS);
      await sweep();
      expect(await grantOf(answer)).toEqual([{ revoked_reason: 'revoked' }]);
      storage.clock.advance(1);
      await sweep();
      expect(await grantOf(answer)).toEqual([]);
    });
  });
});
