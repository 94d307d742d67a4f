import { INVALID_BASIC, invalidRequest, refused } from '../token/answers.js';
import { INVALID_REFRESH_TOKEN, granted, invalidScope } from './answers.js';
import { APP, FORGETTER, KEEPER, KEPT, MACHINE, OPAQUE_KEEPER, OTHER, type Scene, type SceneRow } from './scene.js';

const refreshTokenOf =
  (client: typeof KEEPER | typeof APP = KEEPER, scope = KEPT) =>
  async (scene: Scene): Promise<string> =>
    (await scene.allowed(client, scope)).refresh_token;

const NEW_TOKENS = { refresh_token: '<token>', id_token: '<token>' };

/** 200, each with a successor. */
export const grantedRows: SceneRow[] = [
  {
    name: 'by Basic',
    given: refreshTokenOf(),
    send: (scene, token) => scene.refresh(KEEPER, token),
    answer: granted(KEPT, NEW_TOKENS),
    stores: true,
  },
  {
    name: 'a public client, rotated as well',
    given: refreshTokenOf(APP),
    send: (scene, token) => scene.refresh(APP, token),
    answer: granted(KEPT, NEW_TOKENS),
    stores: true,
  },
  {
    name: 'opaque',
    given: refreshTokenOf(OPAQUE_KEEPER),
    send: (scene, token) => scene.refresh(OPAQUE_KEEPER, token),
    answer: granted(KEPT, NEW_TOKENS),
    stores: true,
  },
  {
    name: 'without openid, which needs no offline_access',
    given: refreshTokenOf(KEEPER, 'accounts:read'),
    send: (scene, token) => scene.refresh(KEEPER, token),
    answer: granted('accounts:read', { refresh_token: '<token>' }),
    stores: true,
  },
  {
    name: '"least scope": less of it, no id_token without openid, and the refresh token all the same',
    given: refreshTokenOf(),
    send: (scene, token) => scene.refresh(KEEPER, token, { scope: 'accounts:read' }),
    answer: granted('accounts:read', { refresh_token: '<token>' }),
    stores: true,
  },
  {
    name: 'the scope again that an earlier refresh left out',
    given: async (scene) => {
      const { refresh_token: first } = await scene.allowed();
      const second = await scene.refresh(KEEPER, first, { scope: 'accounts:read' });
      return second.json<{ refresh_token: string }>().refresh_token;
    },
    send: (scene, token) => scene.refresh(KEEPER, token),
    answer: granted(KEPT, NEW_TOKENS),
    stores: true,
  },
];

const change =
  (sql: string, given = refreshTokenOf()) =>
  async (scene: Scene): Promise<string> => {
    const token = await given(scene);
    await scene.world.database.query(sql);
    return token;
  };

/** 400 and 401; nothing is spent and nothing revoked. */
export const refusedRows: SceneRow[] = [
  {
    name: 'no refresh_token',
    send: (scene) => scene.token(KEEPER, { grant_type: 'refresh_token' }),
    answer: invalidRequest('refresh_token is missing'),
  },
  ...['never-issued', 'symbolon_rt_0123456789abcdef0123456789abcdef0123456789a', 'a\u0000b', 'ü'.repeat(4096)].map(
    (token): SceneRow => ({
      name: `an unknown token: ${JSON.stringify(token.slice(0, 20))}`,
      send: (scene) => scene.refresh(KEEPER, token),
      answer: INVALID_REFRESH_TOKEN,
    }),
  ),
  {
    name: 'an access token',
    given: async (scene) => (await scene.allowed()).access_token,
    send: (scene, token) => scene.refresh(KEEPER, token),
    answer: INVALID_REFRESH_TOKEN,
  },
  {
    name: '"refresh tokens bound to client": another is refused, nothing revoked',
    given: refreshTokenOf(),
    send: (scene, token) => scene.refresh(OTHER, token),
    answer: INVALID_REFRESH_TOKEN,
  },
  {
    name: 'a client that is not registered for it',
    given: refreshTokenOf(),
    send: (scene, token) => scene.refresh(FORGETTER, token),
    answer: refused('unauthorized_client', 'The client is not registered for this grant type.'),
  },
  {
    name: 'a machine',
    given: refreshTokenOf(),
    send: (scene, token) => scene.refresh(MACHINE, token),
    answer: refused('unauthorized_client', 'The client is not registered for this grant type.'),
  },
  {
    name: 'a wrong secret',
    given: refreshTokenOf(),
    send: (scene, token) => scene.refresh({ ...KEEPER, client_secret: 'wrong-secret-of-the-keeper' }, token),
    answer: INVALID_BASIC,
  },
  {
    name: '"bound to … scope": more than the user allowed',
    given: refreshTokenOf(KEEPER, 'accounts:read'),
    send: (scene, token) => scene.refresh(KEEPER, token, { scope: 'accounts:read accounts:write' }),
    answer: invalidScope('scope is more than the user allowed.'),
  },
  {
    name: 'more scope than the client is registered for',
    given: refreshTokenOf(),
    send: (scene, token) => scene.refresh(KEEPER, token, { scope: 'email' }),
    answer: invalidScope('The client is not registered for all of this scope.'),
  },
  {
    name: '"idle … expiry"',
    given: change(`UPDATE refresh_tokens SET idle_expires_at = 1 WHERE consumed_at IS NULL`),
    send: (scene, token) => scene.refresh(KEEPER, token),
    answer: INVALID_REFRESH_TOKEN,
  },
  {
    name: '"absolute expiry", "refresh tokens expire absolutely"',
    given: change(`UPDATE refresh_tokens SET expires_at = 1 WHERE consumed_at IS NULL`),
    send: (scene, token) => scene.refresh(KEEPER, token),
    answer: INVALID_REFRESH_TOKEN,
  },
  {
    name: 'a grant that was revoked',
    given: change('UPDATE grants SET revoked_at = 1 WHERE revoked_at IS NULL'),
    send: (scene, token) => scene.refresh(KEEPER, token),
    answer: INVALID_REFRESH_TOKEN,
  },
  {
    name: 'a user who is blocked',
    given: async (scene) => {
      const { refresh_token: token } = await scene.allowed(KEEPER, KEPT, 'barred');
      await scene.world.database.query(
        `UPDATE users SET blocked_at = 1 WHERE id = (SELECT user_id FROM linked_accounts WHERE subject = 'barred')`,
      );
      return token;
    },
    send: (scene, token) => scene.refresh(KEEPER, token),
    answer: INVALID_REFRESH_TOKEN,
  },
];
