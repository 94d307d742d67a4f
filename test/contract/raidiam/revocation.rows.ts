import type { Wire } from '../../support/wire.js';
import { INVALID_BASIC, INVALID_CLIENT, empty, invalidRequest } from '../token/answers.js';
import { APP, KEEPER, MACHINE, OPAQUE_MACHINE, OTHER, basic, type Scene, type SceneRow } from './scene.js';

const PATHS = ['/token/revocation', '/revoke'];
/** "`/token/revocation` answers 204 as documented; discovery advertises `/revoke`, the same handler answering 200" */
const REVOKED: Record<string, Wire> = { '/token/revocation': empty(204), '/revoke': empty(200) };

const own =
  (client = MACHINE) =>
  async (scene: Scene): Promise<string> =>
    (await scene.own(client)).access_token;
const refreshToken = async (scene: Scene): Promise<string> => (await scene.allowed()).refresh_token;

/** Both addresses, each with its own status. */
const both = (
  row: Omit<SceneRow, 'send' | 'answer'> & {
    send: (scene: Scene, about: string, path: string) => ReturnType<SceneRow['send']>;
  },
) =>
  PATHS.map((path): SceneRow => ({
    ...row,
    name: `${row.name} (${path})`,
    send: (scene, about) => row.send(scene, about, path),
    answer: REVOKED[path] ?? empty(500),
  }));

export const revokedRows: SceneRow[] = [
  ...both({
    name: 'a JWT of its own',
    given: own(),
    send: (scene, token, path) => scene.revoke(MACHINE, token, {}, path),
    stores: true,
  }),
  ...both({
    name: 'an opaque token of its own',
    given: own(OPAQUE_MACHINE),
    send: (scene, token, path) => scene.revoke(OPAQUE_MACHINE, token, {}, path),
    stores: true,
  }),
  ...both({
    name: 'a refresh token, under a wrong hint',
    given: refreshToken,
    send: (scene, token, path) => scene.revoke(KEEPER, token, { token_type_hint: 'access_token' }, path),
    stores: true,
  }),
  ...both({
    name: 'a public client, its own token',
    given: async (scene) => (await scene.allowed(APP)).refresh_token,
    send: (scene, token, path) => scene.revoke(APP, token, {}, path),
    stores: true,
  }),
  ...both({
    name: 'a refresh token that was exchanged, whose family ends',
    given: async (scene) => {
      const token = await refreshToken(scene);
      await scene.refreshed(KEEPER, token);
      return token;
    },
    send: (scene, token, path) => scene.revoke(KEEPER, token, {}, path),
    stores: true,
  }),
];

/** What cannot be revoked is answered alike (RFC 7009 section 2.2), and nothing happens. */
export const unknownRows: SceneRow[] = [
  ...both({ name: 'a text', send: (scene, _, path) => scene.revoke(MACHINE, 'nonsense', {}, path) }),
  ...both({
    name: 'a hint that nobody knows',
    send: (scene, _, path) => scene.revoke(MACHINE, 'nonsense', { token_type_hint: 'saml2' }, path),
  }),
  ...both({
    name: "another client's access token",
    given: own(),
    send: (scene, token, path) => scene.revoke(OTHER, token, {}, path),
  }),
  ...both({
    name: "another client's refresh token",
    given: refreshToken,
    send: (scene, token, path) => scene.revoke(OTHER, token, {}, path),
  }),
  ...both({
    name: 'an id_token',
    given: async (scene) => (await scene.allowed()).id_token ?? '',
    send: (scene, token, path) => scene.revoke(KEEPER, token, {}, path),
  }),
  ...both({
    name: 'twice the same',
    given: async (scene) => {
      const token = await own()(scene);
      await scene.revoke(MACHINE, token);
      return token;
    },
    send: (scene, token, path) => scene.revoke(MACHINE, token, {}, path),
  }),
];

export const refusedRows: SceneRow[] = PATHS.flatMap((path): SceneRow[] => [
  {
    name: `${path} without token`,
    send: (scene) => scene.ask(path, MACHINE),
    answer: invalidRequest('token is missing'),
  },
  {
    name: `${path}, "repeated ones refused"`,
    send: (scene) =>
      scene.world.request(path, {
        form: [
          ['token', 'a'],
          ['token', 'b'],
        ],
        headers: basic(MACHINE),
      }),
    answer: invalidRequest('token is repeated'),
  },
  {
    name: `${path} with JSON`,
    send: (scene) => scene.world.request(path, { json: { token: 'x' }, headers: basic(MACHINE) }),
    answer: invalidRequest('The body must be application/x-www-form-urlencoded.'),
  },
  {
    name: `${path} with a wrong secret by Basic`,
    given: own(),
    send: (scene, token) => scene.revoke({ ...MACHINE, client_secret: 'wrong-secret-of-the-machine' }, token, {}, path),
    answer: INVALID_BASIC,
  },
  {
    name: `${path} with a wrong secret in the body`,
    send: (scene) =>
      scene.revoke({ client_id: 'poster' }, 'x', { client_secret: 'wrong-secret-of-the-poster-too' }, path),
    answer: INVALID_CLIENT,
  },
  {
    name: `${path}, "client authenticated on token, … revocation": without one`,
    send: (scene) => scene.world.request(path, { form: { token: 'x' } }),
    answer: INVALID_CLIENT,
  },
  {
    name: `${path}, "Bodies ≤ 64 KiB … beyond that 413"`,
    send: (scene) => scene.revoke(MACHINE, 'x', { padding: 'x'.repeat(65_536) }, path),
    answer: empty(413),
  },
  ...['GET', 'PUT', 'DELETE'].map((method): SceneRow => ({
    name: `${path}, "Wrong method: 405 with \`Allow\`": ${method}`,
    send: (scene) => scene.world.request(path, { method }),
    answer: empty(405, { allow: 'POST' }),
  })),
]);
