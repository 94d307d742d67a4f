import type { BrowserResponse } from '../../support/http-browser.js';
import {
  APP,
  AUDITOR,
  KEEPER,
  KEPT,
  MACHINE,
  OPAQUE_MACHINE,
  OTHER,
  basic,
  claimsOf,
  type Scene,
  type SceneRow,
  type TestClient,
} from '../raidiam/scene.js';
import { notAllowed } from '../slashid-clients/answers.js';
import { EMPTY, FORM_EXPECTED, INACTIVE, forAnyOrigin, introspected, refusedByFace } from './answers.js';

type Form = Record<string, string | undefined>;

const at =
  (path: string) =>
  (scene: Scene, client: TestClient, form: Form): Promise<BrowserResponse> =>
    scene.ask(`/oauth2/tokens/${path}`, client, { form });
export const introspect = at('introspect');
export const revoke = at('revoke');
export const revokeAll = at('revoke-all');

const own =
  (client = MACHINE) =>
  async (scene: Scene): Promise<string> =>
    (await scene.own(client)).access_token;
const refreshToken = async (scene: Scene): Promise<string> => (await scene.allowed()).refresh_token;
const active = (client: TestClient, scope: string) =>
  introspected({ active: true, client_id: client.client_id, exp: '<seconds>', iat: '<seconds>', scope });

export const introspectionRows: SceneRow[] = [
  {
    name: 'a JWT',
    given: own(),
    send: (scene, token) => introspect(scene, MACHINE, { token }),
    answer: active(MACHINE, 'accounts:read'),
  },
  {
    name: 'an opaque token',
    given: own(OPAQUE_MACHINE),
    send: (scene, token) => introspect(scene, OPAQUE_MACHINE, { token, token_type_hint: 'access_token' }),
    answer: active(OPAQUE_MACHINE, 'accounts:read'),
  },
  {
    name: 'a refresh token, under a wrong hint',
    given: refreshToken,
    send: (scene, token) => introspect(scene, KEEPER, { token, token_type_hint: 'access_token' }),
    answer: active(KEEPER, KEPT),
  },
  {
    name: 'by a client with `introspection: any`',
    given: own(),
    send: (scene, token) => introspect(scene, AUDITOR, { token }),
    answer: active(MACHINE, 'accounts:read'),
  },
  {
    name: 'that allows all of the asked scope',
    given: refreshToken,
    send: (scene, token) => introspect(scene, KEEPER, { token, scope: 'accounts:write  openid' }),
    answer: active(KEEPER, KEPT),
  },
  {
    name: '"`active:false` also when the token lacks the asked scope"',
    given: own(),
    send: (scene, token) => introspect(scene, MACHINE, { token, scope: 'accounts:read accounts:write' }),
    answer: INACTIVE,
  },
  {
    name: '"says `active` only to the token\'s own client": not to another',
    given: own(),
    send: (scene, token) => introspect(scene, OTHER, { token }),
    answer: INACTIVE,
  },
  { name: 'a text', send: (scene) => introspect(scene, MACHINE, { token: 'nonsense' }), answer: INACTIVE },
  {
    name: 'a token that was revoked',
    given: async (scene) => {
      const token = await own()(scene);
      await revoke(scene, MACHINE, { token });
      return token;
    },
    send: (scene, token) => introspect(scene, MACHINE, { token }),
    answer: INACTIVE,
  },
  {
    name: '"public clients are refused"; "SlashID documents 403"',
    given: async (scene) => (await scene.allowed(APP)).access_token,
    send: (scene, token) => introspect(scene, APP, { token }),
    answer: refusedByFace(403, 'Client authentication failed.'),
  },
];

export const revocationRows: SceneRow[] = [
  {
    name: 'a JWT',
    given: own(),
    send: (scene, token) => revoke(scene, MACHINE, { token }),
    answer: forAnyOrigin(EMPTY),
    stores: true,
  },
  {
    name: 'a refresh token, under a wrong hint',
    given: refreshToken,
    send: (scene, token) => revoke(scene, KEEPER, { token, token_type_hint: 'access_token' }),
    answer: forAnyOrigin(EMPTY),
    stores: true,
  },
  {
    name: 'of a public client',
    given: async (scene) => (await scene.allowed(APP)).refresh_token,
    send: (scene, token) => revoke(scene, APP, { token }),
    answer: forAnyOrigin(EMPTY),
    stores: true,
  },
  {
    name: 'of another client: answered alike, and nothing happens',
    given: own(),
    send: (scene, token) => revoke(scene, OTHER, { token }),
    answer: forAnyOrigin(EMPTY),
  },
  {
    name: 'a text: answered alike',
    send: (scene) => revoke(scene, MACHINE, { token: 'nonsense' }),
    answer: forAnyOrigin(EMPTY),
  },
];

const person = async (scene: Scene): Promise<string> => String(claimsOf((await scene.allowed()).access_token)['sub']);
const UNTIL = refusedByFace(400, 'until must be a time of RFC 3339, or seconds since the epoch');
const nextYear = new Date().getFullYear() + 1;

export const revokeAllRows: SceneRow[] = [
  {
    name: 'everything',
    given: person,
    send: (scene, id) => revokeAll(scene, KEEPER, { person_id: id }),
    answer: EMPTY,
    stores: true,
  },
  ...[
    `${nextYear}-02-28T23:59:59.5+02:00`,
    `${nextYear}-02-28t23:59:59z`,
    String(Math.ceil(Date.now() / 1000) + 86_400),
  ].map((until): SceneRow => ({
    name: `until ${until}, which is yet to come`,
    given: person,
    send: (scene, id) => revokeAll(scene, KEEPER, { person_id: id, until }),
    answer: EMPTY,
    stores: true,
  })),
  ...['2020-01-01T00:00:00Z', '1577836800', '0'].map((until): SceneRow => ({
    name: `until ${until}: nothing is that old`,
    given: person,
    send: (scene, id) => revokeAll(scene, KEEPER, { person_id: id, until }),
    answer: EMPTY,
  })),
  {
    name: 'an unknown person: answered alike',
    send: (scene) => revokeAll(scene, KEEPER, { person_id: 'nobody' }),
    answer: EMPTY,
  },
  {
    name: 'a person who allowed this client nothing',
    given: person,
    send: (scene, id) => revokeAll(scene, OTHER, { person_id: id }),
    answer: EMPTY,
  },
  ...[
    'yesterday',
    '2026-02-30T00:00:00Z',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '2026-01-01T24:00:00Z',
    '-1',
    '1e9',
    '123456789012',
  ].map((until): SceneRow => ({
    name: `a malformed until: ${until}`,
    given: person,
    send: (scene, id) => revokeAll(scene, KEEPER, { person_id: id, until }),
    answer: UNTIL,
  })),
  {
    name: 'no person',
    send: (scene) => revokeAll(scene, KEEPER, {}),
    answer: refusedByFace(400, 'person_id is missing'),
  },
  {
    name: 'a public client, which anybody can be',
    given: async (scene) => String(claimsOf((await scene.allowed(APP)).access_token)['sub']),
    send: (scene, id) => revokeAll(scene, APP, { person_id: id }),
    answer: refusedByFace(403, 'Client authentication failed.'),
  },
];

/** What is wrong alike at each of the three. */
export const refusedRows: SceneRow[] = ['introspect', 'revoke', 'revoke-all'].flatMap((path): SceneRow[] => {
  const url = `/oauth2/tokens/${path}`;
  const here = path === 'revoke' ? forAnyOrigin : <Answer>(answer: Answer): Answer => answer;
  const parameter = path === 'revoke-all' ? 'person_id' : 'token';
  return [
    {
      name: `${path} without ${parameter}`,
      send: (scene) => scene.ask(url, MACHINE),
      answer: here(refusedByFace(400, `${parameter} is missing`)),
    },
    {
      name: `${path}, "repeated ones refused"`,
      send: (scene) =>
        scene.world.request(url, {
          form: [
            [parameter, 'a'],
            [parameter, 'b'],
          ],
          headers: basic(MACHINE),
        }),
      answer: here(refusedByFace(400, `${parameter} is repeated`)),
    },
    {
      name: `${path} with JSON`,
      send: (scene) => scene.world.request(url, { json: { [parameter]: 'x' }, headers: basic(MACHINE) }),
      answer: here(refusedByFace(400, FORM_EXPECTED)),
    },
    {
      name: `${path} with a wrong secret: 403 is what is documented`,
      given: own(),
      send: (scene, token) =>
        scene.ask(url, { ...MACHINE, client_secret: 'wrong-secret-of-the-machine' }, { form: { [parameter]: token } }),
      answer: here(refusedByFace(403, 'Client authentication failed.')),
    },
    {
      name: `${path}, "client authenticated on token, … revocation": without one`,
      send: (scene) => scene.world.request(url, { form: { [parameter]: 'x' } }),
      answer: here(refusedByFace(403, 'Client authentication failed.')),
    },
    {
      name: `${path}, "Bodies ≤ 64 KiB … beyond that 413"`,
      send: (scene) => scene.ask(url, MACHINE, { form: { [parameter]: 'x', padding: 'x'.repeat(65_536) } }),
      answer: here(refusedByFace(413, 'The request is too large.')),
    },
    ...['GET', 'DELETE'].map((method): SceneRow => ({
      name: `${path}, "Wrong method: 405 with \`Allow\`": ${method}`,
      send: (scene) => scene.world.request(url, { method }),
      answer: here(notAllowed('POST')),
    })),
  ];
});
