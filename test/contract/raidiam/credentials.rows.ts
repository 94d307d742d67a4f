import { INVALID_BASIC, INVALID_CLIENT, empty, invalidRequest, refused } from '../token/answers.js';
import { granted, invalidScope } from './answers.js';
import {
  ACCOUNTS,
  APP,
  FORGETTER,
  IDLER,
  MACHINE,
  OPAQUE_MACHINE,
  POSTER,
  SIGNER,
  basic,
  type SceneRow,
} from './scene.js';

const CLIENT_CREDENTIALS = { grant_type: 'client_credentials' };
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const READ = { ...CLIENT_CREDENTIALS, scope: 'accounts:read' };

/** 200. A JWT leaves nothing behind but the audit; an opaque token has to be kept. */
export const grantedRows: SceneRow[] = [
  { name: 'a scope', send: (scene) => scene.token(MACHINE, READ), answer: granted('accounts:read') },
  {
    name: 'no scope: all that the client may have of its own, and never admin',
    send: (scene) => scene.token(MACHINE, CLIENT_CREDENTIALS),
    answer: granted(ACCOUNTS),
  },
  {
    name: 'admin, by a client of CONFIG_FILE that asks for it',
    send: (scene) => scene.token(MACHINE, { ...CLIENT_CREDENTIALS, scope: 'admin' }),
    answer: granted('admin'),
  },
  {
    name: 'a scope that is said twice',
    send: (scene) => scene.token(MACHINE, { ...CLIENT_CREDENTIALS, scope: 'accounts:read accounts:read' }),
    answer: granted('accounts:read'),
  },
  {
    name: 'client_secret_post',
    send: (scene) => scene.token({ client_id: 'poster' }, { ...READ, ...POSTER }),
    answer: granted('accounts:read'),
  },
  {
    name: 'an opaque token',
    send: (scene) => scene.token(OPAQUE_MACHINE, READ),
    answer: granted('accounts:read'),
    stores: true,
  },
  {
    name: '"the default grant `client_credentials` only where `code`, `refresh_token`, `device_code`, `subject_token` are absent": nothing at all',
    send: (scene) => scene.token(MACHINE, {}),
    answer: granted(ACCOUNTS),
  },
  {
    name: '"an empty value counts as absent": an empty grant_type, and an empty code beside it',
    send: (scene) => scene.token(MACHINE, { grant_type: '', code: '', scope: '' }),
    answer: granted(ACCOUNTS),
  },
  {
    name: '"Unknown parameters are ignored on OAuth endpoints"',
    send: (scene) => scene.token(MACHINE, { ...READ, username: 'x', redirect_uri: 'https://elsewhere.example' }),
    answer: granted('accounts:read'),
  },
  {
    name: '"repeated ones refused save `resource` and `audience`": those',
    send: (scene) =>
      scene.world.request('/token', {
        method: 'POST',
        form: [...Object.entries(READ), ['audience', 'a'], ['audience', 'b'], ['resource', 'a'], ['resource', 'b']],
        headers: basic(MACHINE),
      }),
    answer: granted('accounts:read'),
  },
  ...[
    'text/html, */*;q=0.1',
    'application/*',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8, application/*+json',
    'Application/JSON;version=2;q=0.5, text/html',
  ].map((accept): SceneRow => ({
    name: `Accept: ${accept} admits JSON`,
    send: (scene) => scene.token(MACHINE, READ, { accept }),
    answer: granted('accounts:read'),
  })),
  {
    name: 'the headers that Raidiam Connect documents',
    send: (scene) =>
      scene.token(MACHINE, READ, {
        'x-fapi-auth-date': 'Tue, 11 Sep 2012 19:43:31 GMT',
        'x-fapi-customer-ip-address': '2001:db8::1',
        'x-customer-user-agent': 'Mozilla/5.0',
      }),
    answer: granted('accounts:read'),
  },
  {
    name: 'headers of theirs that make no sense: "an invalid header never fails the request"',
    send: (scene) =>
      scene.token(MACHINE, READ, { 'x-fapi-auth-date': 'yesterday', 'x-fapi-customer-ip-address': 'here' }),
    answer: granted('accounts:read'),
  },
];

/** 400, 401 and 406; nothing is issued. */
export const refusedRows: SceneRow[] = [
  {
    name: 'a scope that the client is not registered for',
    send: (scene) => scene.token(MACHINE, { ...CLIENT_CREDENTIALS, scope: 'accounts:read email' }),
    answer: invalidScope('The client is not registered for all of this scope.'),
  },
  {
    name: 'a scope that only a user can allow',
    send: (scene) => scene.token(MACHINE, { ...CLIENT_CREDENTIALS, scope: 'openid accounts:read' }),
    answer: invalidScope('Some of this scope only a user can allow.'),
  },
  {
    name: 'no scope, by a client that may have none of its own',
    send: (scene) => scene.token(IDLER, CLIENT_CREDENTIALS),
    answer: invalidScope('The client is registered for no scope of its own.'),
  },
  {
    name: 'a scope that is none',
    send: (scene) => scene.token(MACHINE, { ...CLIENT_CREDENTIALS, scope: 'accounts:read\t"x"' }),
    answer: invalidScope('scope is malformed.'),
  },
  {
    name: '"only the grants a client needs": one that it is not registered for',
    send: (scene) => scene.token(FORGETTER, CLIENT_CREDENTIALS),
    answer: refused('unauthorized_client', 'The client is not registered for this grant type.'),
  },
  {
    name: 'a public client',
    send: (scene) => scene.token(APP, CLIENT_CREDENTIALS),
    answer: refused('unauthorized_client', 'The client is not registered for this grant type.'),
  },
  ...['code', 'refresh_token', 'device_code', 'subject_token'].map((name): SceneRow => ({
    name: `"the default grant \`client_credentials\` only where …, else \`invalid_request\`": ${name} without grant_type`,
    send: (scene) => scene.token(MACHINE, { [name]: 'x-of-another-grant' }),
    answer: invalidRequest('grant_type is missing'),
  })),
  ...['grant_type', 'scope', 'client_id'].map((name): SceneRow => ({
    name: `"repeated ones refused": ${name}`,
    send: (scene) =>
      scene.world.request('/token', {
        method: 'POST',
        form: [...Object.entries({ ...READ, client_id: 'machine' }), [name, 'x']],
        headers: basic(MACHINE),
      }),
    answer: invalidRequest(`${name} is repeated`),
  })),
  {
    name: '"`invalid_client` is 401 with `WWW-Authenticate` when the Authorization header was used"',
    send: (scene) => scene.token({ ...MACHINE, client_secret: 'wrong-secret-of-the-machine' }, READ),
    answer: INVALID_BASIC,
  },
  {
    name: '"400 from the body"',
    send: (scene) => scene.token({ client_id: 'poster' }, { ...READ, client_secret: 'wrong-secret-of-the-poster-too' }),
    answer: INVALID_CLIENT,
  },
  {
    name: '"`grant_type=private_key_jwt` … demands that very method": a client of another',
    send: (scene) => scene.token(MACHINE, { grant_type: 'private_key_jwt' }),
    answer: INVALID_BASIC,
  },
  {
    name: '"`grant_type=… tls_client_auth` demands that very method", which is not available, with the client\'s secret',
    send: (scene) => scene.token(MACHINE, { grant_type: 'tls_client_auth' }),
    answer: INVALID_BASIC,
  },
  {
    name: 'tls_client_auth by the client_id alone',
    send: (scene) => scene.token({ client_id: 'poster' }, { grant_type: 'tls_client_auth' }),
    answer: INVALID_CLIENT,
  },
  {
    name: 'a client_assertion_type of more than 160 characters',
    send: (scene) => scene.token(SIGNER, { ...READ, client_assertion_type: 'x'.repeat(161) }),
    answer: invalidRequest('client_assertion_type must be shorter than or equal to 160 characters'),
  },
  ...[
    'text/html',
    'application/xml, text/*',
    'application/json;q=0',
    'application/json;q=0, application/json;charset=utf-8;q=0',
  ].map((accept): SceneRow => ({
    name: `Accept: ${accept} admits no answer of ours: 406 without a body`,
    send: (scene) => scene.token(MACHINE, READ, { accept }),
    answer: empty(406),
  })),
  ...['text/plain', 'application/xml', 'multipart/form-data; boundary=x'].map((type): SceneRow => ({
    name: `a body of another kind is not taken for none: ${type}`,
    send: (scene) =>
      scene.world.request('/token', {
        method: 'POST',
        body: 'grant_type=client_credentials',
        headers: { ...basic(MACHINE), 'content-type': type },
      }),
    answer: invalidRequest('The body must be application/x-www-form-urlencoded.'),
  })),
];

/** 200 by assertion: documented as `assertion`, sent as `client_assertion`. */
export const assertionRows: SceneRow[] = [
  {
    name: 'client_assertion, without client_id: "take it from the assertion\'s `sub`"',
    given: (scene) => scene.assertion(),
    send: (scene, assertion) =>
      scene.token({ client_id: '' }, { ...READ, client_assertion_type: ASSERTION_TYPE, client_assertion: assertion }),
    answer: granted('accounts:read'),
    stores: true,
  },
  {
    name: '"`grant_type=private_key_jwt` … demands that very method": a client of it',
    given: (scene) => scene.assertion(),
    send: (scene, assertion) =>
      scene.token(SIGNER, {
        grant_type: 'private_key_jwt',
        scope: 'accounts:read',
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: assertion,
      }),
    answer: granted('accounts:read'),
    stores: true,
  },
  {
    name: '"`assertion` authenticates the client only together with `client_assertion_type`": together',
    given: (scene) => scene.assertion(),
    send: (scene, assertion) =>
      scene.token(SIGNER, { grant_type: 'private_key_jwt', client_assertion_type: ASSERTION_TYPE, assertion }),
    answer: granted(ACCOUNTS),
    stores: true,
  },
  {
    name: '"Assertion `aud`: the issuer, or the token endpoint for older clients": the latter',
    given: (scene) => scene.assertion({ aud: `${scene.world.service.url}/token` }),
    send: (scene, assertion) =>
      scene.token(SIGNER, { ...READ, client_assertion_type: ASSERTION_TYPE, client_assertion: assertion }),
    answer: granted('accounts:read'),
    stores: true,
  },
];

/** 400 of assertions. */
export const refusedAssertionRows: SceneRow[] = [
  {
    name: '"`assertion` authenticates the client only together with `client_assertion_type`": alone',
    given: (scene) => scene.assertion(),
    send: (scene, assertion) => scene.token(SIGNER, { ...READ, assertion }),
    answer: INVALID_CLIENT,
  },
  {
    name: '"and a grant other than jwt-bearer"',
    given: (scene) => scene.assertion(),
    send: (scene, assertion) =>
      scene.token(SIGNER, {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        client_assertion_type: ASSERTION_TYPE,
        assertion,
      }),
    answer: invalidRequest('client_assertion is missing'),
  },
  {
    name: '"`assertion` and `client_assertion` together → 400"',
    given: (scene) => scene.assertion(),
    send: (scene, assertion) =>
      scene.token(SIGNER, { ...READ, client_assertion_type: ASSERTION_TYPE, assertion, client_assertion: assertion }),
    answer: invalidRequest('assertion and client_assertion are the same, and one of them is enough.'),
  },
];
