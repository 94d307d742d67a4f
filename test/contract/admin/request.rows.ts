import { generateKeyPairSync } from 'node:crypto';
import type { BrowserResponse } from '../../support/http-browser.js';
import type { Wire } from '../../support/wire.js';
import type { World } from '../../support/world.js';
import {
  invalid,
  NO_CREDENTIAL,
  NO_OBJECT,
  NOT_FOUND,
  NOT_JSON,
  NOT_LINES,
  notAllowed,
  problem,
  TOO_LARGE,
  TOO_NEW,
  UNPARSABLE,
  WRONG_CREDENTIAL,
} from './answers.js';
import { ADMIN_API_KEY, ask } from './requests.js';

/** A request that stores nothing, and the whole answer to it. */
export interface RefusedRow {
  name: string;
  send: (world: World) => Promise<BrowserResponse>;
  answer: Wire;
}

/** Every operation, with an id that nobody has. */
export const OPERATIONS: [method: string, path: string][] = [
  ['GET', '/identity-providers'],
  ['POST', '/identity-providers'],
  ['GET', '/identity-providers/nowhere'],
  ['PUT', '/identity-providers/nowhere'],
  ['DELETE', '/identity-providers/nowhere'],
  ['POST', '/identity-providers/nowhere/test'],
  ['GET', '/clients'],
  ['POST', '/clients'],
  ['GET', '/clients/nobody'],
  ['PUT', '/clients/nobody'],
  ['DELETE', '/clients/nobody'],
  ['POST', '/clients/nobody/enable'],
  ['POST', '/clients/nobody/disable'],
  ['POST', '/clients/nobody/rotate-secret'],
  ['GET', '/users'],
  ['POST', '/users'],
  ['GET', '/users/nobody'],
  ['PATCH', '/users/nobody'],
  ['DELETE', '/users/nobody'],
  ['GET', '/users/nobody/identities'],
  ['DELETE', '/users/nobody/identities/mobypay'],
  ['GET', '/webhooks'],
  ['POST', '/webhooks'],
  ['GET', '/webhooks/nobody'],
  ['PATCH', '/webhooks/nobody'],
  ['DELETE', '/webhooks/nobody'],
  ['POST', '/webhooks/nobody/rotate-secret'],
  ['POST', '/webhooks/nobody/test'],
  ['GET', '/webhooks/nobody/deliveries'],
  ['POST', '/webhooks/nobody/deliveries/nothing/redeliver'],
  ['POST', '/linked-accounts'],
  ['POST', '/linked-accounts/import'],
  ['GET', '/encryption-keys'],
  ['POST', '/encryption-keys/rewrap'],
  ['GET', '/api-keys'],
  ['POST', '/api-keys'],
  ['DELETE', '/api-keys/nobody'],
  ['GET', '/signing-keys'],
  ['POST', '/signing-keys/rotate'],
  ['GET', '/audit'],
  ['GET', '/audit/export'],
];

const PROVIDER = { id: 'nowhere', issuer: 'https://idp.example', client_id: 'us' };
const WRONG_KEY = 'wrong-key-0123456789abcdef0123456789abcdef';

/** No administrator. */
export const credentials: RefusedRow[] = [
  ...OPERATIONS.flatMap(([method, path]): RefusedRow[] => [
    {
      name: `${method} ${path} without a credential`,
      send: (world) => world.request(`/admin${path}`, { method }),
      answer: NO_CREDENTIAL,
    },
    {
      name: `${method} ${path} with a wrong one`,
      send: (world) => ask(world, method, path, { headers: { authorization: `Bearer ${WRONG_KEY}` } }),
      answer: WRONG_CREDENTIAL,
    },
  ]),
  {
    name: 'a wrong key in the other header',
    send: (world) => world.request('/admin/users', { headers: { 'slashid-api-key': WRONG_KEY } }),
    answer: WRONG_CREDENTIAL,
  },
  {
    name: 'the beginning of the key',
    send: (world) =>
      ask(world, 'GET', '/users', { headers: { authorization: `Bearer ${ADMIN_API_KEY.slice(0, -1)}` } }),
    answer: WRONG_CREDENTIAL,
  },
  {
    name: 'the key in the query',
    send: (world) => world.request(`/admin/users?access_token=${ADMIN_API_KEY}`),
    answer: NO_CREDENTIAL,
  },
  {
    name: 'the key by Basic',
    send: (world) =>
      ask(world, 'GET', '/users', {
        headers: { authorization: `Basic ${Buffer.from(`admin:${ADMIN_API_KEY}`).toString('base64')}` },
      }),
    answer: NO_CREDENTIAL,
  },
  {
    name: 'an access token of a user',
    send: async (world) => {
      const { access_token: token } = await world.signIn({ login: 'alice' });
      return ask(world, 'GET', '/users', { headers: { authorization: `Bearer ${token}` } });
    },
    answer: WRONG_CREDENTIAL,
  },
];

/** Nothing of that name. */
export const unknown: RefusedRow[] = [
  ...OPERATIONS.filter(([method, path]) => path.includes('/no') && method !== 'PUT' && method !== 'PATCH').map(
    ([method, path]): RefusedRow => ({
      name: `${method} ${path}`,
      send: (world) => ask(world, method, path),
      answer: NOT_FOUND,
    }),
  ),
  {
    name: 'PUT of an unknown provider',
    send: (world) => ask(world, 'PUT', '/identity-providers/nowhere', { json: PROVIDER }),
    answer: NOT_FOUND,
  },
  {
    name: 'PATCH of an unknown user',
    send: (world) => ask(world, 'PATCH', '/users/nobody', { json: { blocked: true } }),
    answer: NOT_FOUND,
  },
  {
    name: 'PATCH of an unknown webhook',
    send: (world) => ask(world, 'PATCH', '/webhooks/nobody', { json: { enabled: false } }),
    answer: NOT_FOUND,
  },
  { name: 'an unknown route', send: (world) => ask(world, 'GET', '/nothing'), answer: { ...NOT_FOUND } },
  { name: 'the prefix itself', send: (world) => ask(world, 'GET', ''), answer: { ...NOT_FOUND } },
];

/** Another method than a resource has. */
export const methods: RefusedRow[] = (
  [
    ['PUT', '/users', 'GET, HEAD, POST'],
    ['POST', '/users/nobody', 'DELETE, GET, HEAD, PATCH'],
    ['DELETE', '/identity-providers', 'GET, HEAD, POST'],
    ['PATCH', '/identity-providers/mobypay', 'DELETE, GET, HEAD, PUT'],
    ['GET', '/identity-providers/mobypay/test', 'POST'],
    ['PATCH', '/clients', 'GET, HEAD, POST'],
    ['PATCH', '/clients/reader', 'DELETE, GET, HEAD, PUT'],
    ['GET', '/clients/reader/enable', 'POST'],
    ['GET', '/clients/reader/disable', 'POST'],
    ['PUT', '/clients/reader/rotate-secret', 'POST'],
    ['PUT', '/api-keys', 'GET, HEAD, POST'],
    ['GET', '/api-keys/nobody', 'DELETE'],
    ['PUT', '/webhooks', 'GET, HEAD, POST'],
    ['POST', '/webhooks/nobody', 'DELETE, GET, HEAD, PATCH'],
    ['GET', '/webhooks/nobody/rotate-secret', 'POST'],
    ['GET', '/webhooks/nobody/test', 'POST'],
    ['POST', '/webhooks/nobody/deliveries', 'GET, HEAD'],
    ['GET', '/webhooks/nobody/deliveries/nothing/redeliver', 'POST'],
    ['GET', '/linked-accounts', 'POST'],
    ['GET', '/linked-accounts/import', 'POST'],
    ['POST', '/encryption-keys', 'GET, HEAD'],
    ['GET', '/encryption-keys/rewrap', 'POST'],
    ['POST', '/signing-keys', 'GET, HEAD'],
    ['GET', '/signing-keys/rotate', 'POST'],
    ['POST', '/audit', 'GET, HEAD'],
    ['POST', '/audit/export', 'GET, HEAD'],
  ] as const
).map(([method, path, allow]) => ({
  name: `${method} ${path}`,
  send: (world) => ask(world, method, path),
  answer: notAllowed(allow),
}));

const WRITING = OPERATIONS.filter(
  ([method, path]) =>
    /^(POST|PUT|PATCH)$/.test(method) && !/\/(test|redeliver|import|rewrap|enable|disable)$/.test(path),
);

/** Bodies that are no JSON object. */
export const bodies: RefusedRow[] = WRITING.flatMap(([method, path]): RefusedRow[] => {
  const json = { 'content-type': 'application/json' };
  const send =
    (body: string | undefined, headers: Record<string, string> = json): RefusedRow['send'] =>
    (world) =>
      ask(world, method, path, { headers, ...(body !== undefined && { body }) });
  const nothing = path.endsWith('/rotate-secret') ? NOT_FOUND : path.endsWith('/rotate') ? TOO_NEW : NO_OBJECT;
  return [
    { name: `${method} ${path}: nothing`, send: send(undefined, {}), answer: nothing },
    { name: `${method} ${path}: malformed JSON`, send: send('{"id":'), answer: UNPARSABLE },
    { name: `${method} ${path}: an array`, send: send('[]'), answer: NO_OBJECT },
    { name: `${method} ${path}: null`, send: send('null'), answer: NO_OBJECT },
    { name: `${method} ${path}: a text`, send: send('"id"'), answer: NO_OBJECT },
    {
      name: `${method} ${path}: a form`,
      send: send('id=a', { 'content-type': 'application/x-www-form-urlencoded' }),
      answer: NOT_JSON,
    },
    { name: `${method} ${path}: text`, send: send('{}', { 'content-type': 'text/plain' }), answer: NOT_JSON },
    { name: `${method} ${path}: too much`, send: send(JSON.stringify({ id: 'x'.repeat(65_536) })), answer: TOO_LARGE },
  ];
});

/** Bodies that are no lines. */
export const lines: RefusedRow[] = (
  [
    ['nothing', undefined, {}],
    ['JSON', '{}', { 'content-type': 'application/json' }],
    ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['text', '{}', { 'content-type': 'text/plain' }],
    ['compressed lines', '{}', { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' }],
  ] as [string, string | undefined, Record<string, string>][]
).map(([name, body, headers]) => ({
  name: `POST /linked-accounts/import: ${name}`,
  send: (world) => ask(world, 'POST', '/linked-accounts/import', { headers, ...(body !== undefined && { body }) }),
  answer: NOT_LINES,
}));

const USERNAME = 'must have 1 to 128 characters without spaces, colons or control characters';
const LENGTH = 'must be longer than or equal to 8 characters';
const TEXT = 'must have 1 to 255 characters without control characters';
const TOKEN = 'must have 1 to 16384 printable ASCII characters';
const SCOPE = 'must be names of scopes, separated by single spaces';
const CLAIMS =
  'must hold nothing but name, given_name, family_name, preferred_username, picture, locale, email, email_verified, groups, entitlements, each of its type';
const ID = 'must have 1 to 64 letters, digits, ".", "_" or "-" and start with a letter or digit';
const TO = 'must be https, at a public address or one that OUTBOUND_ALLOW lists';
const URL_ONLY = 'must be a URL without credentials and fragment';
const HOOK = { url: 'https://receiver.example/hook' };
const SECRET = 'must be whsec_ and the base64 of 24 to 64 random bytes';
const EVENTS =
  'must hold nothing but identity.linked, identity.unlinked, upstream-token.refreshed, identity.reauthentication-required, identity.recovered';
const CLIENT = { redirect_uris: ['https://app.example/callback'] };
const RSA_KEY = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const CLIENT_ID = 'must have 1 to 128 letters, digits, ".", "_", "~" or "-" and start with a letter or digit';
const NAME = 'must have 1 to 200 characters without control characters';
const ADMIN = 'must not hold admin, which only CONFIG_FILE gives';
const REDIRECT =
  'must be an absolute https URL (http only for localhost, 127.0.0.1 and [::1]; or a private scheme in reverse domain notation) without fragment';
const KEY = { name: 'new', scopes: ['admin'] };
const KEY_NAME = 'must have 1 to 64 letters, digits, ".", "_" or "-" and start with a letter or digit';
const KEY_SCOPES = 'must hold nothing but admin, upstream-tokens:refresh';
const ALGORITHM = 'must be one of ES256, RS256, PS256, EdDSA';
const ISO = 'must be a time of ISO 8601 with its zone, such as 2026-01-31T12:00:00Z, or a day';

/** Ada is declared, and her account at the provider is a subject without tokens. */
const ACCOUNT = {
  username: 'ada',
  identity_provider: 'mobypay',
  subject: 'imported',
  access_token: 'imported-access-token',
  refresh_token: 'imported-refresh-token',
};
const { refresh_token: _, ...RENEWABLE_BY_NOBODY } = ACCOUNT;
const { access_token: __, ...REFRESHED_NOWHERE } = { ...ACCOUNT, identity_provider: 'online-only' };

/** Members of an account that is imported, each with what is wrong with it. */
const imports: [members: object, errors: [string, string][]][] = [
  [{ user_id: 'both' }, [['user_id', 'or username is needed, not both']]],
  [{ username: undefined }, [['user_id', 'or username is needed, not both']]],
  [{ username: 'a:b' }, [['username', USERNAME]]],
  [{ username: undefined, user_id: 'a\u0000' }, [['user_id', TEXT]]],
  [{ username: undefined, user_id: null }, [['user_id', TEXT]]],
  [{ subject: 'x'.repeat(256) }, [['subject', TEXT]]],
  [{ subject: '' }, [['subject', TEXT]]],
  [{ subject: 7 }, [['subject', TEXT]]],
  [{ subject: '\ud800' }, [['subject', TEXT]]],
  [{ identity_provider: undefined }, [['identity_provider', TEXT.replace('255', '64')]]],
  [{ access_token: undefined, refresh_token: undefined }, [['refresh_token', 'or access_token is needed']]],
  [{ refresh_token: '' }, [['refresh_token', TOKEN]]],
  [{ refresh_token: 'not\nprintable' }, [['refresh_token', TOKEN]]],
  [{ access_token: 'x'.repeat(16_385) }, [['access_token', TOKEN]]],
  [{ access_token: { token: 'x' } }, [['access_token', TOKEN]]],
  [{ expires_in: -1 }, [['expires_in', 'must not be less than 0']]],
  [{ expires_in: '3600' }, [['expires_in', 'must be an integer number']]],
  [{ expires_in: 1e12 }, [['expires_in', 'must not be greater than 315360000']]],
  [{ expires_at: 'tomorrow' }, [['expires_at', ISO]]],
  [{ expires_at: '2026-13-01' }, [['expires_at', 'is no day of the calendar']]],
  [{ expires_in: 1, expires_at: '2026-01-01' }, [['expires_in', 'must not stand beside expires_at']]],
  [{ scope: 'a  b' }, [['scope', SCOPE]]],
  [{ scope: ['a'] }, [['scope', SCOPE]]],
  [{ issuer: 'https://elsewhere.example' }, [['issuer', "is not the provider's"]]],
  [{ claims: { sub: 'somebody' } }, [['claims', CLAIMS]]],
  [{ claims: { email_verified: 'true' } }, [['claims', CLAIMS]]],
  [{ claims: { groups: ['a', 1] } }, [['claims', CLAIMS]]],
  [{ claims: { constructor: 'a' } }, [['claims', CLAIMS]]],
  [{ claims: [] }, [['claims', CLAIMS]]],
  [{ id_token: 'x' }, [['id_token', 'is unknown']]],
];

/** Accounts that cannot be imported for what is stored, or because nobody could use them. */
export const importing: RefusedRow[] = [
  ...(
    [
      ['?verify=yes', ACCOUNT, ['verify', 'must be one of the following values: true, false']],
      ['?force=true', ACCOUNT, ['force', 'is unknown']],
      ['', RENEWABLE_BY_NOBODY, ['expires_at', 'is needed, or expires_in: the access token cannot be renewed']],
      [
        '',
        { ...RENEWABLE_BY_NOBODY, expires_at: '2020-01-01T00:00:00Z' },
        ['expires_at', 'has passed, and the access token cannot be renewed'],
      ],
      ['', REFRESHED_NOWHERE, ['access_token', 'is needed: nothing is refreshed there']],
    ] as [string, object, [string, string]][]
  ).map(([query, json, error]): RefusedRow => ({
    name: `POST /linked-accounts${query} ${error.join(' ')}`,
    send: (world) => ask(world, 'POST', `/linked-accounts${query}`, { json }),
    answer: invalid(error),
  })),
  ...(
    [
      [
        { identity_provider: 'nowhere' },
        'There is no such identity provider.',
        'identity_provider',
        'is unknown or disabled',
      ],
      [{ username: 'nobody' }, 'There is no such resource.', 'username', 'names no user'],
      [{ username: undefined, user_id: 'nobody' }, 'There is no such resource.', 'user_id', 'names no user'],
    ] as [object, string, string, string][]
  ).map(([members, text, parameter, detail]): RefusedRow => ({
    name: `POST /linked-accounts of an unknown ${parameter}`,
    send: (world) => ask(world, 'POST', '/linked-accounts', { json: { ...ACCOUNT, ...members } }),
    answer: problem(404, text, {}, [{ parameter, detail }]),
  })),
  {
    name: "POST /linked-accounts of another user's account",
    send: (world) =>
      ask(world, 'POST', '/linked-accounts', { json: { ...ACCOUNT, username: 'no-basic', subject: 'ada' } }),
    answer: problem(409, 'The account is linked to another user.'),
  },
];

const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

/** What a body is read for has to be there. */
const existing = (path: string): string =>
  path.replace('nowhere', 'mobypay').replace('/clients/nobody', '/clients/reader');

/** Bodies that would break whoever copies them carelessly: each is refused for what it says. */
export const traps: [method: string, path: string, body: string][] = WRITING.flatMap(([method, path]) =>
  [
    `{"others": ${DEEP}}`,
    `{"${path.startsWith('/users') ? 'email' : 'sign_up'}": ${DEEP}}`,
    '{"constructor": {"constructor": 1}}',
    '{"__proto__": {"username": "new"}, "toString": null, "then": 1}',
  ].map((body): [string, string, string] => [method, existing(path), body]),
);

/** Members and parameters that are wrong, each with what is wrong with it. */
export const values: RefusedRow[] = (
  [
    ['POST', '/users', {}, [['username', USERNAME]]],
    ['POST', '/users', { username: '' }, [['username', USERNAME]]],
    ['POST', '/users', { username: 'a:b' }, [['username', USERNAME]]],
    ['POST', '/users', { username: 'x'.repeat(129) }, [['username', USERNAME]]],
    ['POST', '/users', { username: null }, [['username', USERNAME]]],
    ['POST', '/users', { username: 7 }, [['username', USERNAME]]],
    ['POST', '/users', { username: 'new', admin: true }, [['admin', 'is unknown']]],
    ['POST', '/users', { username: 'new', '<b>': 1 }, [['a parameter', 'is unknown']]],
    ['POST', '/users', { username: 'new', id: 'mine' }, [['id', 'is unknown']]],
    ['POST', '/users', { username: 'new', password: 'short' }, [['password', LENGTH]]],
    ['POST', '/users', { username: 'new', email: 'nothing' }, [['email', 'must be an email']]],
    ['POST', '/users', { username: 'new', basic_auth: true }, [['basic_auth', 'needs a password']]],
    ['POST', '/users', { username: 'new', blocked: 'yes' }, [['blocked', 'must be a boolean value']]],
    [
      'POST',
      '/users',
      { email: 1, blocked: null },
      [
        ['username', USERNAME],
        ['email', 'must be an email'],
        ['blocked', 'must be a boolean value'],
      ],
    ],
    ['PATCH', '/users/nobody', { username: null }, [['username', USERNAME]]],
    ['PATCH', '/users/nobody', { password_hash: 'x' }, [['password_hash', 'is unknown']]],
    ['GET', '/users?limit=0', undefined, [['limit', 'must not be less than 1']]],
    ['GET', '/users?limit=101', undefined, [['limit', 'must not be greater than 100']]],
    ['GET', '/users?limit=ten', undefined, [['limit', 'must be an integer number']]],
    ['GET', '/users?offset=-1', undefined, [['offset', 'must not be less than 0']]],
    ['GET', '/users?name=ada', undefined, [['name', 'is unknown']]],
    ['GET', '/users?limit=1&limit=2', undefined, [['limit', 'is repeated']]],
    ['GET', '/audit?from=yesterday', undefined, [['from', ISO]]],
    ['GET', '/audit?to=2026-01-01T00:00:00', undefined, [['to', ISO]]],
    ['GET', '/audit?from=2026-13-01', undefined, [['from', 'is no day of the calendar']]],
    ['GET', '/identity-providers?type=oidc', undefined, [['type', 'is unknown']]],
    ['GET', '/clients?__proto__=1', undefined, [['__proto__', 'is unknown']]],
    ['POST', '/identity-providers', { id: 'new' }, [['client_id', 'is required']]],
    ['POST', '/identity-providers', { ...PROVIDER, id: '-' }, [['id', ID]]],
    ['POST', '/identity-providers', { ...PROVIDER, secret: 'x' }, [['secret', 'is not known here']]],
    ['POST', '/identity-providers', { ...PROVIDER, type: 'saml' }, [['type', 'must be oidc or oauth2']]],
    [
      'POST',
      '/identity-providers',
      { ...PROVIDER, issuer: 'nowhere' },
      [['issuer', "must be the provider's issuer URL"]],
    ],
    ['PUT', '/identity-providers/mobypay', { ...PROVIDER }, [['id', 'must be the one of the path']]],
    ['POST', '/clients', {}, [['redirect_uris', 'needs at least one entry for the authorization_code grant']]],
    ['POST', '/clients', { ...CLIENT, scope: 'openid admin' }, [['scope', ADMIN]]],
    ['POST', '/clients', { ...CLIENT, client_id: '-' }, [['client_id', CLIENT_ID]]],
    ['POST', '/clients', { ...CLIENT, client_secret: 'short' }, [['client_secret', 'must have at least 8 characters']]],
    ['POST', '/clients', { ...CLIENT, secret: 'x' }, [['secret', 'is not known here']]],
    ['POST', '/clients', { ...CLIENT, redirect_uris: ['http://app.example/'] }, [['redirect_uris.0', REDIRECT]]],
    ['POST', '/clients', { ...CLIENT, redirect_uris: ['https://app.example/\nx'] }, [['redirect_uris.0', REDIRECT]]],
    ['POST', '/clients', { ...CLIENT, client_name: 'Bank\u202e' }, [['client_name', NAME]]],
    [
      'POST',
      '/clients',
      { ...CLIENT, id_token_signed_response_alg: 'EdDSA' },
      [['id_token_signed_response_alg', 'must be one of ES256, RS256']],
    ],
    [
      'POST',
      '/clients',
      { ...CLIENT, token_endpoint_auth_method: 'private_key_jwt' },
      [['jwks', 'or jwks_uri is required for private_key_jwt']],
    ],
    ...['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].map((member) => [
      'POST',
      '/clients',
      { ...CLIENT, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...RSA_KEY, [member]: 'AQAB' }] } },
      [['jwks.keys.0', 'must be a public key']],
    ]),
    ...[{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }, { kty: 'RSA' }, { kty: 'RSA', n: 'AQAB', e: 'AQAB' }].map(
      (key) => [
        'POST',
        '/clients',
        { ...CLIENT, jwks: { keys: [key] } },
        [['jwks.keys.0', 'must be a public key that can be used (RSA of 2048 bits at least)']],
      ],
    ),
    [
      'POST',
      '/clients',
      {
        ...CLIENT,
        jwks: { keys: [{ kty: 'EC', deep: [['deep']] }] },
      },
      [['jwks.keys.0.deep', 'must be a string, or a list of strings']],
    ],
    [
      'POST',
      '/clients',
      { ...CLIENT, token_endpoint_auth_method: 'none', grant_types: ['client_credentials'] },
      [['grant_types', 'cannot hold client_credentials where token_endpoint_auth_method is none']],
    ],
    ['PUT', '/clients/reader', { ...CLIENT, client_id: 'other' }, [['client_id', 'must be the one of the path']]],
    ['PUT', '/clients/reader', { ...CLIENT, scope: 'admin' }, [['scope', ADMIN]]],
    [
      'POST',
      '/clients/reader/rotate-secret',
      { previous_valid_for: 2_592_001 },
      [['previous_valid_for', 'must not be greater than 2592000']],
    ],
    ['POST', '/clients/reader/rotate-secret', { client_secret: 'short' }, [['client_secret', LENGTH]]],
    ['POST', '/clients/reader/rotate-secret', { secret: 'x' }, [['secret', 'is unknown']]],
    [
      'POST',
      '/api-keys',
      {},
      [
        ['name', KEY_NAME],
        ['scopes', 'must be an array'],
      ],
    ],
    ['POST', '/api-keys', { ...KEY, name: '<b>' }, [['name', KEY_NAME]]],
    ['POST', '/api-keys', { ...KEY, scopes: [] }, [['scopes', 'must contain at least 1 elements']]],
    ['POST', '/api-keys', { ...KEY, scopes: ['everything'] }, [['scopes', KEY_SCOPES]]],
    ['POST', '/api-keys', { ...KEY, expires_at: 'tomorrow' }, [['expires_at', ISO]]],
    ['POST', '/api-keys', { ...KEY, expires_at: '2020-01-01' }, [['expires_at', 'must be in the future']]],
    ['POST', '/api-keys', { ...KEY, key: 'mine' }, [['key', 'is unknown']]],
    ['POST', '/webhooks', {}, [['url', 'must be a string']]],
    ['POST', '/webhooks', { url: 'nowhere' }, [['url', URL_ONLY]]],
    ['POST', '/webhooks', { url: 'https://us:secret@receiver.example/' }, [['url', URL_ONLY]]],
    ['POST', '/webhooks', { url: 'https://receiver.example/#top' }, [['url', URL_ONLY]]],
    ['POST', '/webhooks', { url: 'http://93.184.215.14/hook' }, [['url', TO]]],
    ['POST', '/webhooks', { url: 'https://10.0.0.1/hook' }, [['url', TO]]],
    ['POST', '/webhooks', { url: 'https://169.254.169.254/latest' }, [['url', TO]]],
    ['POST', '/webhooks', { url: 'ftp://receiver.example/hook' }, [['url', TO]]],
    [
      'POST',
      '/webhooks',
      { url: `https://receiver.example/${'x'.repeat(2048)}` },
      [['url', 'must have at most 2048 characters']],
    ],
    ['POST', '/webhooks', { ...HOOK, events: [] }, [['events', 'must contain at least 1 elements']]],
    ['POST', '/webhooks', { ...HOOK, events: 'identity.linked' }, [['events', 'must be an array']]],
    ['POST', '/webhooks', { ...HOOK, events: ['webhook.test'] }, [['events', EVENTS]]],
    [
      'POST',
      '/webhooks',
      { ...HOOK, events: ['identity.linked', 'identity.linked'] },
      [['events', "All events's elements must be unique"]],
    ],
    ['POST', '/webhooks', { ...HOOK, enabled: 'yes' }, [['enabled', 'must be a boolean value']]],
    ['POST', '/webhooks', { ...HOOK, id: 'mine' }, [['id', 'is unknown']]],
    ['POST', '/webhooks', { ...HOOK, secret: 'whsec_c2hvcnQ=' }, [['secret', SECRET]]],
    ['PATCH', '/webhooks/nobody', { url: null }, [['url', 'must be a string']]],
    ['PATCH', '/webhooks/nobody', { url: 'https://10.0.0.1/hook' }, [['url', TO]]],
    ['PATCH', '/webhooks/nobody', { secret: 'whsec_' }, [['secret', 'is unknown']]],
    [
      'POST',
      '/webhooks/nobody/rotate-secret',
      { previous_valid_for: -1 },
      [['previous_valid_for', 'must not be less than 0']],
    ],
    [
      'POST',
      '/webhooks/nobody/rotate-secret',
      { previous_valid_for: 604_801 },
      [['previous_valid_for', 'must not be greater than 604800']],
    ],
    ['POST', '/webhooks/nobody/rotate-secret', { secret: `whsec_${'A'.repeat(88)}` }, [['secret', SECRET]]],
    ['POST', '/signing-keys/rotate', { algorithm: 'HS256' }, [['algorithm', ALGORITHM]]],
    ['POST', '/signing-keys/rotate', { algorithm: null }, [['algorithm', ALGORITHM]]],
    ['POST', '/signing-keys/rotate', { algorithm: 'EdDSA' }, [['algorithm', 'is not among SIGNING_ALGS']]],
    ['POST', '/signing-keys/rotate', { immediately: 'yes' }, [['immediately', 'must be a boolean value']]],
    ['POST', '/signing-keys/rotate', { revoke_previous: 1 }, [['revoke_previous', 'must be a boolean value']]],
    ['POST', '/signing-keys/rotate', { kid: 'mine' }, [['kid', 'is unknown']]],
    [
      'GET',
      '/webhooks/nobody/deliveries?state=lost',
      undefined,
      [['state', 'must be one of the following values: pending, delivered, failed, disabled']],
    ],
    ['GET', '/audit/export?limit=1', undefined, [['limit', 'is unknown']]],
    ['GET', '/audit/export?to=now', undefined, [['to', ISO]]],
    ...imports.map(([members, errors]) => ['POST', '/linked-accounts', { ...ACCOUNT, ...members }, errors]),
  ] as [string, string, object | undefined, [string, string][]][]
).map(([method, path, json, errors]) => ({
  name: `${method} ${path} ${JSON.stringify(json ?? '').slice(0, 80)}`,
  send: (world) => ask(world, method, path, { json }),
  answer: invalid(...errors),
}));
