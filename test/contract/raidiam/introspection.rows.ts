import { generateKeyPair, SignJWT, decodeJwt, decodeProtectedHeader } from 'jose';
import { INACTIVE, NOT_INTROSPECTING, emptyIntrospection, introspected, notIntrospected } from './answers.js';
import {
  APP,
  AUDITOR,
  KEEPER,
  KEPT,
  MACHINE,
  OPAQUE_KEEPER,
  OPAQUE_MACHINE,
  OTHER,
  POSTER,
  basic,
  type Scene,
  type SceneRow,
  type TestClient,
  type Tokens,
} from './scene.js';

const PATH = '/token/introspection';
const COMMON = { active: true, exp: '<seconds>', iat: '<seconds>', iss: '<issuer>' };
const ACCESS = { ...COMMON, jti: '<id>', token_type: 'Bearer', aud: '<issuer>' };
const ofMachine = introspected({ ...ACCESS, client_id: 'machine', scope: 'accounts:read', sub: 'machine' });
const ofKeeper = introspected({ ...ACCESS, client_id: 'keeper', scope: KEPT, sub: '<id>' });
const refreshOf = (client: TestClient) =>
  introspected({ ...COMMON, client_id: client.client_id, scope: KEPT, sub: '<id>' });

const own =
  (client: TestClient = MACHINE) =>
  async (scene: Scene): Promise<string> =>
    (await scene.own(client)).access_token;
const allowed =
  (member: 'access_token' | 'refresh_token' | 'id_token', client: TestClient = KEEPER) =>
  async (scene: Scene): Promise<string> =>
    (await scene.allowed(client))[member] ?? '';
/** The first of these makes the token, the rest change what it rests on. */
const after =
  (given: (scene: Scene) => Promise<string>, ...changes: ((scene: Scene, token: string) => Promise<unknown>)[]) =>
  async (scene: Scene): Promise<string> => {
    const token = await given(scene);
    for (const change of changes) await change(scene, token);
    return token;
  };
const sql =
  (text: string) =>
  ({ world }: Scene): Promise<unknown> =>
    world.database.query(text);

/** 200, of tokens that are active. */
export const activeRows: SceneRow[] = [
  {
    name: '"says `active` only to the token\'s own client": its own JWT',
    given: own(),
    send: (scene, token) => scene.introspect(MACHINE, token),
    answer: ofMachine,
  },
  {
    name: 'its own opaque token, answered as a JWT is',
    given: own(OPAQUE_MACHINE),
    send: (scene, token) => scene.introspect(OPAQUE_MACHINE, token),
    answer: introspected({ ...ACCESS, client_id: 'opaque-machine', scope: 'accounts:read', sub: 'opaque-machine' }),
  },
  {
    name: "a user's token",
    given: allowed('access_token'),
    send: (scene, token) => scene.introspect(KEEPER, token),
    answer: ofKeeper,
  },
  {
    name: "a user's opaque token",
    given: allowed('access_token', OPAQUE_KEEPER),
    send: (scene, token) => scene.introspect(OPAQUE_KEEPER, token),
    answer: introspected({ ...ACCESS, client_id: 'opaque-keeper', scope: KEPT, sub: '<id>' }),
  },
  {
    name: 'a refresh token, which has no type, audience or id that would be of use at a resource',
    given: allowed('refresh_token'),
    send: (scene, token) => scene.introspect(KEEPER, token),
    answer: refreshOf(KEEPER),
  },
  {
    name: 'a right hint',
    given: allowed('refresh_token'),
    send: (scene, token) => scene.introspect(KEEPER, token, { token_type_hint: 'refresh_token' }),
    answer: refreshOf(KEEPER),
  },
  {
    name: 'a wrong hint, which changes nothing',
    given: allowed('refresh_token'),
    send: (scene, token) => scene.introspect(KEEPER, token, { token_type_hint: 'access_token' }),
    answer: refreshOf(KEEPER),
  },
  {
    name: 'a hint that nobody knows',
    given: own(),
    send: (scene, token) => scene.introspect(MACHINE, token, { token_type_hint: 'saml2' }),
    answer: ofMachine,
  },
  {
    name: '"or a client with `introspection: any`"',
    given: own(),
    send: (scene, token) => scene.introspect(AUDITOR, token),
    answer: ofMachine,
  },
  {
    name: '"a member of its `aud`"',
    given: after(own(OPAQUE_MACHINE), async ({ world }) => {
      const claims = (aud: string) => `REPLACE(CAST(claims AS text), '"aud":"${world.service.url}"', '"aud":${aud}')`;
      await world.database.query(
        `UPDATE access_tokens SET claims = ${claims('["other","elsewhere"]')} WHERE revoked_at IS NULL`,
      );
    }),
    send: (scene, token) => scene.introspect(OTHER, token),
    answer: introspected({
      ...ACCESS,
      aud: ['other', 'elsewhere'],
      client_id: 'opaque-machine',
      scope: 'accounts:read',
      sub: 'opaque-machine',
    }),
  },
  {
    name: '"(form, also JSON `{token}`)": JSON',
    given: own(),
    send: (scene, token) => scene.world.request(PATH, { json: { token, unknown: { a: 1 } }, headers: basic(MACHINE) }),
    answer: ofMachine,
  },
  {
    name: 'JSON with the credentials in it',
    given: async (scene) => {
      const form = { grant_type: 'client_credentials', scope: 'accounts:read', ...POSTER };
      return (await scene.token({ client_id: 'poster' }, form)).json<Tokens>().access_token;
    },
    send: (scene, token) => scene.world.request(PATH, { json: { token, ...POSTER } }),
    answer: introspected({ ...ACCESS, client_id: 'poster', scope: 'accounts:read', sub: 'poster' }),
  },
];

/** What reads like an access token and is none of ours. */
const forged = async (scene: Scene): Promise<string> => {
  const { access_token: token } = await scene.own();
  const { privateKey } = await generateKeyPair('ES256');
  return new SignJWT(decodeJwt(token))
    .setProtectedHeader({ ...decodeProtectedHeader(token), alg: 'ES256' })
    .sign(privateKey);
};
const NESTED = `${'['.repeat(2000)}${']'.repeat(2000)}`;
const TEXTS: Record<string, string> = {
  'a word': 'nonsense',
  spaces: '   ',
  'two dots': '..',
  'a NUL': 'a\u0000b',
  'odd UTF-8': '\u{1f511}\u202e\ufffd',
  'as long as a parameter may be': 'x'.repeat(8192),
  'a header that is deeply nested': `${Buffer.from(NESTED).toString('base64url')}.e30.x`,
  'an opaque token that nobody issued': `symbolon_at_${'0'.repeat(43)}`,
  'a refresh token that nobody issued': `symbolon_rt_${'0'.repeat(43)}`,
};

const ofAnother = (given: (scene: Scene) => Promise<string>, name: string): SceneRow => ({
  name: `another client asks: ${name}`,
  given,
  send: (scene, token) => scene.introspect(OTHER, token),
  answer: INACTIVE,
});

/** 200 and nothing but that: of what is not active, and of what is not the client's business. */
export const inactiveRows: SceneRow[] = [
  ofAnother(own(), 'a JWT'),
  ofAnother(own(OPAQUE_MACHINE), 'an opaque token'),
  ofAnother(allowed('refresh_token'), 'a refresh token'),
  ...Object.entries(TEXTS).map(([name, token]): SceneRow => ({
    name: `any text: ${name}`,
    send: (scene) => scene.introspect(MACHINE, token),
    answer: INACTIVE,
  })),
  { name: 'a forged JWT', given: forged, send: (scene, token) => scene.introspect(MACHINE, token), answer: INACTIVE },
  {
    name: 'an id_token',
    given: allowed('id_token'),
    send: (scene, token) => scene.introspect(KEEPER, token),
    answer: INACTIVE,
  },
  {
    name: 'a client assertion',
    given: (scene) => scene.assertion(),
    send: (scene, token) => scene.introspect(MACHINE, token),
    answer: INACTIVE,
  },
  {
    name: 'a refresh token that was exchanged',
    given: after(allowed('refresh_token'), (scene, token) => scene.refreshed(KEEPER, token)),
    send: (scene, token) => scene.introspect(KEEPER, token),
    answer: INACTIVE,
  },
  {
    name: 'a refresh token that was not used for too long',
    given: after(allowed('refresh_token'), sql('UPDATE refresh_tokens SET idle_expires_at = 1')),
    send: (scene, token) => scene.introspect(KEEPER, token),
    answer: INACTIVE,
  },
  {
    name: 'an opaque token that has expired',
    given: after(own(OPAQUE_MACHINE), sql('UPDATE access_tokens SET expires_at = 1')),
    send: (scene, token) => scene.introspect(OPAQUE_MACHINE, token),
    answer: INACTIVE,
  },
  ...(['access_token', 'refresh_token'] as const).flatMap((member): SceneRow[] => [
    {
      name: `the ${member} of a revoked grant`,
      given: after(allowed(member), sql('UPDATE grants SET revoked_at = 1 WHERE revoked_at IS NULL')),
      send: (scene, token) => scene.introspect(KEEPER, token),
      answer: INACTIVE,
    },
    {
      name: `the ${member} of a user who is blocked meanwhile`,
      given: after(
        async (scene) => (await scene.allowed(KEEPER, KEPT, `blocked-${member}`))[member],
        sql(
          `UPDATE users SET blocked_at = 1 WHERE id = (SELECT user_id FROM linked_accounts WHERE subject = 'blocked-${member}')`,
        ),
      ),
      send: (scene, token) => scene.introspect(KEEPER, token),
      answer: INACTIVE,
    },
  ]),
  {
    name: 'JSON about a text',
    send: (scene) => scene.world.request(PATH, { json: { token: 'nonsense' }, headers: basic(MACHINE) }),
    answer: INACTIVE,
  },
];

/** 401 and 400. */
export const refusedRows: SceneRow[] = [
  {
    name: '"introspection always 401": a wrong secret by Basic',
    send: (scene) => scene.introspect({ ...MACHINE, client_secret: 'wrong-secret-of-the-machine' }, 'x'),
    answer: NOT_INTROSPECTING,
  },
  {
    name: '"introspection always 401": a wrong secret in the body',
    send: (scene) =>
      scene.introspect({ client_id: 'poster' }, 'x', { client_secret: 'wrong-secret-of-the-poster-too' }),
    answer: NOT_INTROSPECTING,
  },
  {
    name: '"public clients are refused"',
    given: async (scene) => (await scene.allowed(APP)).access_token,
    send: (scene, token) => scene.introspect(APP, token),
    answer: NOT_INTROSPECTING,
  },
  {
    name: 'nobody',
    send: (scene) => scene.world.request(PATH, { form: { token: 'x' } }),
    answer: NOT_INTROSPECTING,
  },
  {
    name: 'with a slash at the end',
    send: (scene) => scene.world.request(`${PATH}/`, { form: { token: 'x' } }),
    answer: NOT_INTROSPECTING,
  },
  {
    name: "the access token of the resource's own, which authenticates no client",
    given: own(),
    send: (scene, token) =>
      scene.world.request(PATH, { form: { token }, headers: { authorization: `Bearer ${token}` } }),
    answer: NOT_INTROSPECTING,
  },
  {
    name: 'no token',
    send: (scene) => scene.ask(PATH, MACHINE),
    answer: notIntrospected('token is missing'),
  },
  {
    name: '"an empty value counts as absent": an empty token',
    send: (scene) => scene.introspect(MACHINE, ''),
    answer: notIntrospected('token is missing'),
  },
  {
    name: '"repeated ones refused": token',
    send: (scene) =>
      scene.world.request(PATH, {
        form: [
          ['token', 'a'],
          ['token', 'b'],
        ],
        headers: basic(MACHINE),
      }),
    answer: notIntrospected('token is repeated'),
  },
  {
    name: 'a token of more than 8 KiB',
    send: (scene) => scene.introspect(MACHINE, 'x'.repeat(8193)),
    answer: notIntrospected('token is longer than 8192 bytes'),
  },
  {
    name: 'the same in JSON',
    send: (scene) => scene.world.request(PATH, { json: { token: 'x'.repeat(8193) }, headers: basic(MACHINE) }),
    answer: notIntrospected('token is longer than 8192 bytes'),
  },
  {
    name: 'JSON without token',
    send: (scene) => scene.world.request(PATH, { json: {}, headers: basic(MACHINE) }),
    answer: notIntrospected('token is missing'),
  },
  ...[1, null, ['x'], { a: 'x' }].map((token): SceneRow => ({
    name: `JSON whose token is ${JSON.stringify(token)}`,
    send: (scene) => scene.world.request(PATH, { json: { token }, headers: basic(MACHINE) }),
    answer: notIntrospected('token must be a string'),
  })),
  ...['"x"', '[]', 'null'].map((body): SceneRow => ({
    name: `JSON that is no object: ${body}`,
    send: (scene) =>
      scene.world.request(PATH, {
        method: 'POST',
        body,
        headers: { ...basic(MACHINE), 'content-type': 'application/json' },
      }),
    answer: notIntrospected('The body must be a JSON object.'),
  })),
  {
    name: 'malformed JSON',
    send: (scene) =>
      scene.world.request(PATH, {
        method: 'POST',
        body: '{"token"',
        headers: { ...basic(MACHINE), 'content-type': 'application/json' },
      }),
    answer: notIntrospected('The request body could not be parsed.'),
  },
  {
    name: 'a body of another kind',
    send: (scene) =>
      scene.world.request(PATH, {
        method: 'POST',
        body: 'token=x',
        headers: { ...basic(MACHINE), 'content-type': 'text/plain' },
      }),
    answer: notIntrospected('The body must be application/x-www-form-urlencoded.'),
  },
  {
    name: 'a client that would not take JSON',
    send: (scene) => scene.ask(PATH, MACHINE, { form: { token: 'x' }, headers: { accept: 'text/html' } }),
    answer: emptyIntrospection(406),
  },
  {
    name: 'a body of more than 64 KiB',
    send: (scene) => scene.introspect(MACHINE, 'x', { padding: 'x'.repeat(65_536) }),
    answer: emptyIntrospection(413),
  },
  ...['GET', 'PUT', 'DELETE', 'OPTIONS'].map((method): SceneRow => ({
    name: `the method ${method}`,
    send: (scene) => scene.world.request(PATH, { method }),
    answer: emptyIntrospection(405, { allow: 'POST' }),
  })),
];
