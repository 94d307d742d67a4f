import type { BrowserResponse } from '../../support/http-browser.js';
import type { Wire } from '../../support/wire.js';
import {
  ACCOUNTS,
  APP,
  FORGETTER,
  IDLER,
  KEEPER,
  KEPT,
  MACHINE,
  OPAQUE_MACHINE,
  OTHER,
  POSTER,
  basic,
  type Scene,
  type SceneRow,
  type TestClient,
} from '../raidiam/scene.js';
import { REDIRECT_URI } from '../../support/world.js';
import { notAllowed } from '../slashid-clients/answers.js';
import {
  FORM_EXPECTED,
  FULLY,
  INVALID_CODE,
  INVALID_REFRESH_TOKEN,
  NOT_FOR_THIS_CLIENT,
  TWO_METHODS,
  WRONG_CLIENT,
  forAnyOrigin,
  granted,
  refused,
} from './answers.js';

type Form = Record<string, string | undefined>;

const PATH = '/oauth2/tokens';
const OWN = { grant_type: 'client_credentials', scope: 'accounts:read' };

export const tokens = (
  scene: Scene,
  client: TestClient,
  form: Form,
  headers: Record<string, string> = {},
): Promise<BrowserResponse> => scene.ask(PATH, client, { form, headers });

/** client_credentials, and what is wrong whatever the grant is. */
export const grantedRows: SceneRow[] = [
  { name: 'by Basic', send: (scene) => tokens(scene, MACHINE, OWN), answer: granted('accounts:read') },
  {
    name: 'no scope: all that the client may have of its own, and never admin',
    send: (scene) => tokens(scene, MACHINE, { grant_type: 'client_credentials' }),
    answer: granted(ACCOUNTS),
  },
  {
    name: 'a client of client_secret_post, by the body',
    send: (scene) => tokens(scene, { client_id: 'poster' }, { ...OWN, ...POSTER }),
    answer: granted('accounts:read'),
  },
  {
    name: 'an opaque token',
    send: (scene) => tokens(scene, OPAQUE_MACHINE, OWN),
    answer: granted('accounts:read'),
    stores: true,
  },
  {
    name: '"Unknown parameters are ignored on OAuth endpoints", those of another grant among them',
    send: (scene) =>
      tokens(scene, MACHINE, { ...OWN, username: 'x', code: 'x', code_challenge: 'x', code_verifier: 'y' }),
    answer: granted('accounts:read'),
  },
  {
    name: '"an empty value counts as absent"',
    send: (scene) => tokens(scene, MACHINE, { ...OWN, refresh_token: '', client_secret: '' }),
    answer: granted('accounts:read'),
  },
];

export const refusedRows: SceneRow[] = [
  {
    name: 'no grant_type: there is no default here',
    send: (scene) => tokens(scene, MACHINE, { scope: 'accounts:read' }),
    answer: refused(400, 'grant_type is missing'),
  },
  {
    name: 'nothing at all',
    send: ({ world }) => world.request(PATH, { method: 'POST' }),
    answer: refused(400, 'grant_type is missing'),
  },
  ...['password', 'implicit', 'private_key_jwt', 'urn:ietf:params:oauth:grant-type:jwt-bearer'].map(
    (grant): SceneRow => ({
      name: `the grant type ${grant}`,
      send: (scene) => tokens(scene, MACHINE, { ...OWN, grant_type: grant }),
      answer: refused(400, 'The grant type is not supported.'),
    }),
  ),
  {
    name: '"only the grants a client needs": one that it is not registered for',
    send: (scene) => tokens(scene, FORGETTER, { grant_type: 'client_credentials' }),
    answer: NOT_FOR_THIS_CLIENT,
  },
  {
    name: 'a public client',
    send: (scene) => tokens(scene, APP, { grant_type: 'client_credentials' }),
    answer: NOT_FOR_THIS_CLIENT,
  },
  ...['grant_type', 'scope', 'client_id'].map((name): SceneRow => ({
    name: `"repeated ones refused": ${name}`,
    send: (scene) =>
      scene.world.request(PATH, {
        method: 'POST',
        form: [...Object.entries({ ...OWN, client_id: 'machine' }), [name, 'x']],
        headers: basic(MACHINE),
      }),
    answer: refused(400, `${name} is repeated`),
  })),
  {
    name: 'a scope that the client is not registered for',
    send: (scene) => tokens(scene, MACHINE, { ...OWN, scope: 'accounts:read email' }),
    answer: refused(400, 'The client is not registered for all of this scope.'),
  },
  {
    name: 'a scope that only a person can allow',
    send: (scene) => tokens(scene, MACHINE, { ...OWN, scope: 'openid' }),
    answer: refused(400, 'Some of this scope only a user can allow.'),
  },
  {
    name: 'no scope, by a client that may have none of its own',
    send: (scene) => tokens(scene, IDLER, { grant_type: 'client_credentials' }),
    answer: refused(400, 'The client is registered for no scope of its own.'),
  },
  {
    name: 'a wrong secret: "SlashID documents 403"',
    send: (scene) => tokens(scene, { ...MACHINE, client_secret: 'wrong-secret-of-the-machine' }, OWN),
    answer: WRONG_CLIENT,
  },
  {
    name: 'an unknown client',
    send: (scene) => tokens(scene, { client_id: 'nobody', client_secret: 'a-secret-of-nobody-at-all' }, OWN),
    answer: WRONG_CLIENT,
  },
  { name: 'no client', send: (scene) => scene.world.request(PATH, { form: OWN }), answer: WRONG_CLIENT },
  {
    name: 'Basic that cannot be read',
    send: (scene) => scene.world.request(PATH, { form: OWN, headers: { authorization: 'Basic %%%' } }),
    answer: WRONG_CLIENT,
  },
  {
    name: 'the secret in the body where that is not documented, of a client that is registered for Basic',
    send: (scene) => tokens(scene, { client_id: 'machine' }, { ...OWN, ...MACHINE }),
    answer: WRONG_CLIENT,
  },
  {
    name: 'a confidential client without its secret',
    send: (scene) => tokens(scene, { client_id: 'machine' }, OWN),
    answer: WRONG_CLIENT,
  },
  {
    name: '"One method per request": Basic and the body',
    send: (scene) => tokens(scene, MACHINE, { ...OWN, ...MACHINE }),
    answer: TWO_METHODS,
  },
  {
    name: 'another client_id beside Basic',
    send: (scene) => tokens(scene, MACHINE, { ...OWN, client_id: 'other' }),
    answer: refused(400, 'client_id is not the authenticated client.'),
  },
  {
    name: 'JSON',
    send: (scene) => scene.world.request(PATH, { json: OWN, headers: basic(MACHINE) }),
    answer: refused(400, FORM_EXPECTED),
  },
  ...['text/plain', 'multipart/form-data; boundary=x'].map((type): SceneRow => ({
    name: `a body of another kind: ${type}`,
    send: (scene) =>
      scene.world.request(PATH, {
        method: 'POST',
        body: 'grant_type=client_credentials',
        headers: { ...basic(MACHINE), 'content-type': type },
      }),
    answer: refused(400, FORM_EXPECTED),
  })),
  {
    name: '"parameters ≤ 8 KiB"',
    send: (scene) => tokens(scene, MACHINE, { ...OWN, padding: 'x'.repeat(8193) }),
    answer: refused(400, 'padding is longer than 8192 bytes'),
  },
  {
    name: '"Bodies ≤ 64 KiB … beyond that 413"',
    send: (scene) => tokens(scene, MACHINE, { ...OWN, padding: 'x'.repeat(65_536) }),
    answer: refused(413, 'The request is too large.'),
  },
  ...['GET', 'PUT', 'PATCH', 'DELETE'].map((method): SceneRow => ({
    name: `"Wrong method: 405 with \`Allow\`": ${method}`,
    send: ({ world }) => world.request(PATH, { method }),
    answer: forAnyOrigin(notAllowed('POST')),
  })),
];

/** A code that waits to be redeemed. */
export interface Exchange {
  scene: Scene;
  client: TestClient;
  code: string;
  verifier: string;
  challenge: string;
}

export interface CodeRow {
  name: string;
  /** Default `keeper`. */
  client?: TestClient;
  scope?: string;
  send: (exchange: Exchange) => Promise<BrowserResponse>;
  answer: Wire;
}

/** The right request with other parameters; undefined leaves one out. */
export const redeem = (
  { scene, client, code, verifier }: Exchange,
  change: Form = {},
  as = client,
): Promise<BrowserResponse> =>
  tokens(scene, as, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    client_id: client.client_id,
    code_challenge: verifier,
    ...change,
  });

/** authorization_code; a refused attempt does not spend the code. */
export const codeRows: CodeRow[] = [
  {
    name: '200: "`code_challenge` at the token endpoint is the verifier under another name: its S256 hash is compared"',
    send: (exchange) => redeem(exchange),
    answer: granted(KEPT, FULLY),
  },
  {
    name: "200: RFC 7636's code_verifier",
    send: (exchange) => redeem(exchange, { code_challenge: undefined, code_verifier: exchange.verifier }),
    answer: granted(KEPT, FULLY),
  },
  {
    name: '200: both names with the same value',
    send: (exchange) => redeem(exchange, { code_verifier: exchange.verifier }),
    answer: granted(KEPT, FULLY),
  },
  {
    name: '200: client_id and client_secret in the body, as documented, of a client that is registered for Basic',
    send: (exchange) => redeem(exchange, KEEPER, { client_id: 'keeper' }),
    answer: granted(KEPT, FULLY),
  },
  { name: '200: a public client', client: APP, send: (exchange) => redeem(exchange), answer: granted(KEPT, FULLY) },
  {
    name: '200: without client_id, which Basic says',
    send: (exchange) => redeem(exchange, { client_id: undefined }),
    answer: granted(KEPT, FULLY),
  },
  {
    name: '200: openid alone brings an id_token and nothing to keep',
    scope: 'openid profile',
    send: (exchange) => redeem(exchange),
    answer: granted('openid profile', { id_token: '<token>' }),
  },
  {
    name: '200: without openid no id_token',
    scope: 'accounts:read',
    send: (exchange) => redeem(exchange),
    answer: granted('accounts:read', { refresh_token: '<token>' }),
  },
  {
    name: '400: "a value equal to the stored challenge is refused"',
    send: (exchange) => redeem(exchange, { code_challenge: exchange.challenge }),
    answer: INVALID_CODE,
  },
  {
    name: '400: "both names with different values"',
    send: (exchange) => redeem(exchange, { code_challenge: exchange.challenge, code_verifier: exchange.verifier }),
    answer: refused(400, 'code_challenge is another value than code_verifier'),
  },
  {
    name: '400: a wrong verifier',
    send: (exchange) => redeem(exchange, { code_challenge: 'x'.repeat(43) }),
    answer: INVALID_CODE,
  },
  {
    name: '400: no verifier by either name',
    send: (exchange) => redeem(exchange, { code_challenge: undefined }),
    answer: refused(400, 'code_verifier is missing'),
  },
  {
    name: '400: no code',
    send: (exchange) => redeem(exchange, { code: undefined }),
    answer: refused(400, 'code is missing'),
  },
  {
    name: '400: an unknown code',
    send: (exchange) => redeem(exchange, { code: 'a-code-that-nobody-issued-0123456789abcdef' }),
    answer: INVALID_CODE,
  },
  {
    name: '400: no redirect_uri',
    send: (exchange) => redeem(exchange, { redirect_uri: undefined }),
    answer: refused(400, 'redirect_uri is missing'),
  },
  {
    name: '400: "code … bound to … redirect_uri": another',
    send: (exchange) => redeem(exchange, { redirect_uri: `${REDIRECT_URI}/` }),
    answer: INVALID_CODE,
  },
  {
    name: '400: "code … bound to client": that of another',
    send: (exchange) => redeem(exchange, { client_id: undefined }, FORGETTER),
    answer: INVALID_CODE,
  },
  {
    name: '403: a wrong secret in the body',
    send: (exchange) => redeem(exchange, { client_secret: 'wrong-secret-of-the-keeper' }, { client_id: 'keeper' }),
    answer: WRONG_CLIENT,
  },
  {
    name: '403: a confidential client without its secret',
    send: (exchange) => redeem(exchange, {}, { client_id: 'keeper' }),
    answer: WRONG_CLIENT,
  },
  {
    name: '403: a public client with a secret',
    client: APP,
    send: (exchange) => redeem(exchange, { client_secret: 'there-is-no-such-secret' }),
    answer: WRONG_CLIENT,
  },
];

const refresh = (scene: Scene, client: TestClient, token: string, form: Form = {}): Promise<BrowserResponse> =>
  tokens(scene, client, { grant_type: 'refresh_token', refresh_token: token, ...form });
const kept =
  (client = KEEPER) =>
  async (scene: Scene): Promise<string> =>
    (await scene.allowed(client)).refresh_token;

export const refreshRows: SceneRow[] = [
  {
    name: '200: another one, and an id_token where openid was granted',
    given: kept(),
    send: (scene, token) => refresh(scene, KEEPER, token),
    answer: granted(KEPT, FULLY),
    stores: true,
  },
  {
    name: '200: a narrower scope',
    given: kept(),
    send: (scene, token) => refresh(scene, KEEPER, token, { scope: 'accounts:read' }),
    answer: granted('accounts:read', { refresh_token: '<token>' }),
    stores: true,
  },
  {
    name: '400: "refresh tokens bound to client, scope": a wider one',
    given: async (scene) => (await scene.allowed(KEEPER, 'accounts:read')).refresh_token,
    send: (scene, token) => refresh(scene, KEEPER, token, { scope: ACCOUNTS }),
    answer: refused(400, 'scope is more than the user allowed.'),
  },
  { name: '400: none', send: (scene) => refresh(scene, KEEPER, ''), answer: refused(400, 'refresh_token is missing') },
  {
    name: '400: a text',
    send: (scene) => refresh(scene, KEEPER, 'nonsense-that-is-no-refresh-token'),
    answer: INVALID_REFRESH_TOKEN,
  },
  {
    name: '400: "refresh tokens bound to client": that of another',
    given: kept(),
    send: (scene, token) => refresh(scene, OTHER, token),
    answer: INVALID_REFRESH_TOKEN,
  },
  {
    name: '400: one that was revoked',
    given: async (scene) => {
      const token = await kept()(scene);
      await scene.revoke(KEEPER, token);
      return token;
    },
    send: (scene, token) => refresh(scene, KEEPER, token),
    answer: INVALID_REFRESH_TOKEN,
  },
  {
    name: '403: the secret in the body, where that is not documented',
    given: kept(),
    send: (scene, token) => refresh(scene, { client_id: 'keeper' }, token, KEEPER),
    answer: WRONG_CLIENT,
  },
  {
    name: '403: a client that is not registered for it',
    given: kept(),
    send: (scene, token) => refresh(scene, FORGETTER, token),
    answer: NOT_FOR_THIS_CLIENT,
  },
];
