import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { epochSeconds } from '../../src/common/clock.js';
import { digest } from '../../src/common/random.js';
import { Secret } from '../../src/common/secret.js';
import type { TokenRequest } from '../../src/tokens/engine/token-engine.js';
import type { User } from '../../src/users/index.js';
import { databases, type Row } from '../support/databases.js';
import { newClient, storedSecret } from './support/clients.js';
import { openStorage, type Storage } from './support/storage.js';
import { tokensRoomOf, type TokensRoom } from './support/tokens-room.js';

const SECRET = new Secret('a-secret-of-the-clients-0123456789abcdef0123456789');
const REDIRECT_URI = 'https://app.example/callback';
const OPAQUE = /^symbolon_at_[A-Za-z0-9_-]{43}$/;
const HOUR_MS = 3_600_000;
const common = {
  grant_types: ['authorization_code', 'client_credentials', 'refresh_token'],
  redirect_uris: [REDIRECT_URI],
  scope: 'openid profile accounts:read accounts:write admin',
  require_pkce: false,
};
const CLIENTS = {
  jwt: newClient({ ...common, client_id: 'jwt' }),
  opaque: newClient({ ...common, client_id: 'opaque', access_token_format: 'opaque' }),
  brief: newClient({ ...common, client_id: 'brief', access_token_lifetime: 60 }),
  usersOnly: newClient({ ...common, client_id: 'users-only', scope: 'openid profile' }),
  administrator: newClient({ ...common, client_id: 'administrator', scope: 'openid admin' }),
};
const FORMATS = ['jwt', 'opaque'] as const;
type Format = (typeof FORMATS)[number];

describe.each(databases)('access tokens on $name', (kind) => {
  let storage: Storage;
  let first: TokensRoom;
  let second: TokensRoom;
  let ada: User;

  beforeAll(async () => {
    storage = await openStorage(kind);
    first = await tokensRoomOf(storage.first);
    second = await tokensRoomOf(storage.second);
    await registerAll();
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    ada = await first.users.create({ fullName: 'Ada' });
    await storage.database.query('DELETE FROM access_tokens');
    await storage.database.query('DELETE FROM audit_events');
  });

  const registerAll = async (): Promise<void> => {
    for (const client of Object.values(CLIENTS)) await first.clients.put(client, await storedSecret(SECRET));
  };
  const exchange = (clientId: string, grantType: string, parameters: object, more: Partial<TokenRequest> = {}) =>
    first.engine.exchange({
      client: { method: 'client_secret_basic', clientId, secret: SECRET },
      grantType,
      parameters: new Map(Object.entries(parameters)),
      ...more,
    });
  const forItself = (clientId: string, scope?: string, more?: Partial<TokenRequest>) =>
    exchange(clientId, 'client_credentials', scope === undefined ? {} : { scope }, more);
  const forAda = async (clientId: string) => {
    const code = await first.codes.issue({
      redirectUri: REDIRECT_URI,
      codeChallenge: undefined,
      nonce: undefined,
      grant: {
        userId: ada.id,
        clientId,
        scope: ['openid', 'accounts:read'],
        sessionId: 'the session',
        authTime: storage.clock.now(),
        claims: {},
      },
    });
    return exchange(clientId, 'authorization_code', { code: code.reveal(), redirect_uri: REDIRECT_URI });
  };
  const rows = (): Promise<Row[]> => storage.database.query('SELECT * FROM access_tokens');
  const audited = (): Promise<Row[]> =>
    storage.database.query('SELECT event, outcome, reason, client_id, user_id FROM audit_events');
  const expectError = async (token: Secret, code: string): Promise<void> => {
    await expect(second.accessTokens.find(token)).rejects.toMatchObject({ code });
    await expect(second.accessTokens.authenticate(token)).rejects.toMatchObject({ code });
  };

  describe('of a client that acts for itself', () => {
    it('name it as their subject, and nothing comes with them', async () => {
      const answer = await forItself('jwt', 'accounts:read');
      const now = epochSeconds(storage.clock.now());
      const issuer = storage.first.configuration.issuer;
      expect(answer).toMatchObject({ refreshToken: undefined, idToken: undefined, expiresInSeconds: 3600 });
      expect(decodeJwt(answer.accessToken.reveal())).toStrictEqual({
        iss: issuer,
        sub: 'jwt',
        aud: issuer,
        iat: now,
        exp: now + 3600,
        jti: expect.any(String),
        client_id: 'jwt',
        scope: 'accounts:read',
      });
      expect(await audited()).toEqual([
        { event: 'token.issued', outcome: 'success', reason: 'client_credentials', client_id: 'jwt', user_id: null },
      ]);
      expect(await rows()).toEqual([]);
    });

    it.each([
      ['jwt', undefined, ['accounts:read', 'accounts:write']],
      ['jwt', 'accounts:write', ['accounts:write']],
      ['jwt', 'accounts:read  accounts:write accounts:read', ['accounts:read', 'accounts:write']],
      ['administrator', 'admin', ['admin']],
    ])('of %s with the scope %s get %j', async (clientId, scope, granted) => {
      expect((await forItself(clientId, scope)).scope).toEqual(granted);
    });

    it.each([
      ['what only a user can allow', 'jwt', 'openid accounts:read'],
      ['what it is not registered for', 'jwt', 'accounts:read else'],
      ['another’s administration', 'users-only', 'admin'],
      ['what is malformed', 'jwt', 'accounts:read "'],
      ['nothing, where nothing is its own', 'users-only', undefined],
      ['nothing, where only the administration is its own', 'administrator', undefined],
    ])('are refused where it asks for %s', async (_, clientId, scope) => {
      await expect(forItself(clientId, scope)).rejects.toMatchObject({ code: 'scope.invalid' });
      expect([await rows(), await audited()]).toEqual([[], []]);
    });

    it.each(FORMATS)('say so to whoever asks (%s)', async (clientId) => {
      const { accessToken } = await forItself(clientId, 'accounts:read admin');
      const caller = await second.accessTokens.authenticateClient(accessToken);
      expect(caller).toMatchObject({ client: { clientId }, scope: new Set(['accounts:read', 'admin']) });
      expect(caller.expiresAt).toBe(epochSeconds(storage.clock.now()) * 1000 + HOUR_MS);
      expect((await second.accessTokens.find(accessToken)).caller).toBeUndefined();
    });

    it.each(FORMATS)('are nobody’s where a user is wanted, and a user’s are no client’s own (%s)', async (clientId) => {
      const [own, users] = [(await forItself(clientId)).accessToken, (await forAda(clientId)).accessToken];
      const refusal = { code: 'credentials.token-invalid' };
      await expect(first.accessTokens.authenticate(own)).rejects.toMatchObject(refusal);
      await expect(first.accessTokens.authenticateClient(users)).rejects.toMatchObject(refusal);
    });

    it('are refused where the request demands another proof of who it is than the one it brought', async () => {
      await expect(forItself('jwt', undefined, { requiredMethod: 'private_key_jwt' })).rejects.toMatchObject({
        code: 'client.unauthenticated',
        publicDetail: 'Client authentication failed.',
      });
      await forItself('jwt', undefined, { requiredMethod: 'client_secret_basic' });
    });

    it.each([
      ['brief', undefined, 60],
      ['brief', 86_400, 60],
      ['jwt', 86_400, 86_400],
      ['jwt', undefined, 3600],
    ])('"Precedence: client, face, environment": %s, %s', async (clientId, accessTokenLifetime, seconds) => {
      const more = accessTokenLifetime === undefined ? {} : { accessTokenLifetime };
      const { accessToken, expiresInSeconds } = await forItself(clientId, undefined, more);
      const { exp = 0, iat = 0 } = decodeJwt(accessToken.reveal());
      expect([expiresInSeconds, exp - iat]).toEqual([seconds, seconds]);
    });
  });

  describe('opaque ones', () => {
    it('are a random value, which the database does not hold', async () => {
      const { accessToken } = await forAda('opaque');
      expect(accessToken.reveal()).toMatch(OPAQUE);
      expect((await forAda('opaque')).accessToken.reveal()).not.toBe(accessToken.reveal());
      const dump = await storage.database.dump();
      expect(dump).not.toContain(accessToken.reveal());
      expect(dump).toContain(digest(accessToken.reveal()));
    });

    it('say what a JWT would say', async () => {
      const said = await second.accessTokens.find((await forAda('opaque')).accessToken);
      const inJwt = decodeJwt((await forAda('jwt')).accessToken.reveal());
      const { jti, grant_id: grantId, ...rest } = said.claims;
      const { jti: _, grant_id: __, ...others } = inJwt;
      expect(rest).toStrictEqual({ ...others, client_id: 'opaque' });
      expect([jti, grantId]).toEqual([expect.any(String), expect.any(String)]);
    });

    it('that nobody issued are worth nothing', async () => {
      await expectError(new Secret(`symbolon_at_${'A'.repeat(43)}`), 'credentials.token-invalid');
    });

    it('are not kept when the transaction that issued them was rolled back', async () => {
      let token: Secret | undefined;
      const failing = storage.first.unitOfWork.run(async () => {
        token = (await forItself('opaque')).accessToken;
        throw new Error('could not answer');
      });
      await expect(failing).rejects.toThrow('could not answer');
      expect(await rows()).toEqual([]);
      await expect(first.accessTokens.find(token!)).rejects.toMatchObject({ code: 'credentials.token-invalid' });
    });
  });

  describe.each(FORMATS)('in the format %s', (clientId: Format) => {
    it('stand for the user and the client', async () => {
      const { accessToken } = await forAda(clientId);
      expect(await second.accessTokens.authenticate(accessToken)).toMatchObject({
        user: { id: ada.id },
        client: { clientId },
        scope: new Set(['openid', 'accounts:read']),
        sessionId: 'the session',
        grantId: expect.any(String),
      });
    });

    it('end alone when they are revoked, at once and everywhere', async () => {
      const [ended, other] = [await forAda(clientId), await forAda(clientId)];
      const found = await first.accessTokens.find(ended.accessToken);
      expect(await first.accessTokens.revoke(found)).toBe(true);
      expect(await second.accessTokens.revoke(found)).toBe(false);
      await expectError(ended.accessToken, 'credentials.token-revoked');
      expect((await second.accessTokens.authenticate(other.accessToken)).user.id).toBe(ada.id);
    });

    it('end with the second in which they expire, and leave nothing', async () => {
      const { accessToken } = await forAda(clientId);
      await first.accessTokens.revoke(await first.accessTokens.find(accessToken));
      const { accessToken: good } = await forAda(clientId);
      storage.clock.advance(HOUR_MS - 1000);
      await second.accessTokens.find(good);
      storage.clock.advance(1000);
      await expectError(good, 'credentials.token-invalid');
      storage.clock.advance(120_000);
      await storage.first.expiredRows.sweep();
      expect(await rows()).toEqual([]);
    });

    it('end with what they rest on', async () => {
      const { accessToken } = await forAda(clientId);
      const { accessToken: own } = await forItself(clientId);
      await first.clients.disable(clientId);
      await expectError(accessToken, 'credentials.token-invalid');
      await expect(second.accessTokens.authenticateClient(own)).rejects.toMatchObject({
        code: 'credentials.token-invalid',
      });
      await registerAll();
      expect((await second.accessTokens.find(accessToken)).caller?.user.id).toBe(ada.id);
      await first.users.delete(ada.id);
      await expectError(accessToken, 'credentials.token-invalid');
    });

    it('end with everything else that the user allowed the client, up to an instant', async () => {
      const [before, elsewhere] = [await forAda(clientId), await forAda('brief')];
      const until = storage.clock.now();
      storage.clock.advance(1);
      const after = await forAda(clientId);
      expect(await first.grants.revokeAllBetween({ userId: ada.id, clientId, until }, 'revoked')).toBe(1);
      await expectError(before.accessToken, 'credentials.token-revoked');
      await second.accessTokens.authenticate(after.accessToken);
      expect(await first.grants.revokeAllBetween({ userId: ada.id, clientId }, 'revoked')).toBe(1);
      await expectError(after.accessToken, 'credentials.token-revoked');
      await second.accessTokens.authenticate(elsewhere.accessToken);
    });
  });
});
