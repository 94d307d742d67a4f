import type { BrowserResponse } from '../../support/http-browser.js';
import type { Wire } from '../../support/wire.js';
import type { World } from '../../support/world.js';
import { invalid, NOT_FOUND, notAllowed, PAGE_NOT_FOUND, refused, UNAUTHORIZED } from './answers.js';
import { ADMIN_API_KEY, ask, WRONG_KEY } from './requests.js';

export interface RefusedRow {
  name: string;
  send: (world: World) => Promise<BrowserResponse>;
  answer: Wire;
}

const OPERATIONS: [method: string, path: string][] = [
  ['POST', ''],
  ['GET', ''],
  ['GET', '/nobody'],
  ['PATCH', '/nobody'],
  ['DELETE', '/nobody'],
  ['PUT', '/nobody/secret'],
];

/** No administrator: 401 with an empty body. */
export const credentialRows: RefusedRow[] = [
  ...OPERATIONS.flatMap(([method, path]): RefusedRow[] => [
    {
      name: `${method} /oauth2/clients${path} without a key`,
      send: (world) => world.request(`/oauth2/clients${path}`, { method }),
      answer: UNAUTHORIZED,
    },
    {
      name: `${method} /oauth2/clients${path} with a wrong key`,
      send: (world) => ask(world, method, path, { headers: { 'slashid-api-key': WRONG_KEY } }),
      answer: UNAUTHORIZED,
    },
  ]),
  {
    name: 'an empty key',
    send: (world) => ask(world, 'GET', '', { headers: { 'slashid-api-key': '' } }),
    answer: UNAUTHORIZED,
  },
  {
    name: 'the key in the query',
    send: (world) => world.request(`/oauth2/clients?api_key=${ADMIN_API_KEY}`),
    answer: UNAUTHORIZED,
  },
  {
    name: 'the credentials of a client',
    send: (world) =>
      world.request('/oauth2/clients', {
        headers: { authorization: `Basic ${Buffer.from('reader:reader-secret').toString('base64')}` },
      }),
    answer: UNAUTHORIZED,
  },
];

export const routeRows: RefusedRow[] = [
  ...OPERATIONS.filter(([method, path]) => path !== '' && method !== 'PATCH').map(([method, path]): RefusedRow => ({
    name: `${method} /oauth2/clients${path}`,
    send: (world) => ask(world, method, path),
    answer: NOT_FOUND,
  })),
  { name: 'PATCH /nobody', send: (world) => ask(world, 'PATCH', '/nobody', { json: {} }), answer: NOT_FOUND },
  {
    name: 'an unknown route below a client',
    send: (world) => ask(world, 'GET', '/reader/nothing'),
    answer: PAGE_NOT_FOUND,
  },
  { name: 'an unknown route', send: (world) => world.request('/oauth2/nothing'), answer: PAGE_NOT_FOUND },
  { name: 'the prefix itself', send: (world) => world.request('/oauth2'), answer: PAGE_NOT_FOUND },
  { name: 'the other prefix', send: (world) => world.request('/sso/oidc'), answer: PAGE_NOT_FOUND },
  { name: 'PUT of the list', send: (world) => ask(world, 'PUT'), answer: notAllowed('GET, HEAD, POST') },
  {
    name: 'PUT of a client',
    send: (world) => ask(world, 'PUT', '/reader'),
    answer: notAllowed('DELETE, GET, HEAD, PATCH'),
  },
  { name: 'GET of a secret', send: (world) => ask(world, 'GET', '/reader/secret'), answer: notAllowed('PUT') },
];

const NEW = { client_name: 'New', scopes: ['accounts:read'], grant_types: ['client_credentials'] };
const GRANTS = 'grant_types must hold nothing but client_credentials, authorization_code, refresh_token';
const ADMIN = 'scopes must not hold admin, which only CONFIG_FILE gives';
const REDIRECT =
  'redirect_uris.0 must be an absolute https URL (http only for localhost, 127.0.0.1 and [::1]; or a private scheme in reverse domain notation) without fragment';
const JSON_TYPE = { 'content-type': 'application/json' };
const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

/** Members, each with what is wrong with it: of a new client, and of one that is changed. */
const both: [members: object, ...messages: string[]][] = [
  [{ client_name: 7 }, 'client_name must be a string'],
  [{ client_name: '' }, 'client_name must be longer than or equal to 1 characters'],
  [{ client_name: 'x'.repeat(201) }, 'client_name must be shorter than or equal to 200 characters'],
  [{ scopes: 'accounts:read' }, 'scopes must be an array'],
  [{ scopes: [] }, 'scopes must contain at least 1 elements'],
  [{ scopes: ['two names'] }, 'scopes must hold names of scopes'],
  [{ scopes: ['accounts:read', 7] }, 'scopes must hold names of scopes'],
  [{ scopes: ['accounts:read', 'admin'] }, ADMIN],
  [{ grant_types: [] }, 'grant_types must contain at least 1 elements'],
  [{ grant_types: ['password'] }, GRANTS],
  [{ grant_types: ['client_credentials', 'implicit'] }, GRANTS],
  [{ access_token_duration: 0 }, 'access_token_duration must not be less than 1'],
  [{ access_token_duration: 86_401 }, 'access_token_duration must not be greater than 86400'],
  [{ access_token_duration: '3600' }, 'access_token_duration must be an integer number'],
  [{ refresh_token_duration: 1.5 }, 'refresh_token_duration must be an integer number'],
  [{ refresh_token_duration: 1e12 }, 'refresh_token_duration must not be greater than 315360000'],
  [{ redirect_uris: 'https://app.example/callback' }, 'redirect_uris must be an array'],
  [{ redirect_uris: ['http://app.example/callback'] }, REDIRECT],
  [{ redirect_uris: ['https://app.example/callback#top'] }, REDIRECT],
  [{ redirect_uris: [7] }, 'redirect_uris.0 Invalid input: expected string, received number'],
  [
    { grant_types: ['authorization_code'], redirect_uris: [] },
    'redirect_uris needs at least one entry for the authorization_code grant',
  ],
  [{ public: 'yes' }, 'public must be a boolean value'],
  [
    { public: true, grant_types: ['client_credentials'] },
    'grant_types cannot hold client_credentials where public is true',
  ],
];

export const valueRows: RefusedRow[] = [
  ...both.flatMap(([members, ...messages]): RefusedRow[] => [
    {
      name: `POST ${JSON.stringify(members)}`.slice(0, 120),
      send: (world) => ask(world, 'POST', '', { json: { ...NEW, ...members } }),
      answer: invalid(...messages),
    },
    {
      name: `PATCH ${JSON.stringify(members)}`.slice(0, 120),
      send: (world) => ask(world, 'PATCH', '/reader', { json: members }),
      answer: invalid(...messages),
    },
  ]),
  ...(['client_name', 'scopes', 'grant_types'] as const).flatMap((name) =>
    [undefined, null].map((value): RefusedRow => ({
      name: `POST ${value === null ? 'with null for' : 'without'} ${name}`,
      send: (world) => ask(world, 'POST', '', { json: { ...NEW, [name]: value } }),
      answer: invalid(name === 'client_name' ? 'client_name must be a string' : `${name} must be an array`),
    })),
  ),
  {
    name: 'several members at once',
    send: (world) => ask(world, 'POST', '', { json: { ...NEW, client_name: 7, public: 1 } }),
    answer: invalid('client_name must be a string', 'public must be a boolean value'),
  },
  ...(
    [
      ['?limit=0', 'limit must not be less than 1'],
      ['?limit=101', 'limit must not be greater than 100'],
      ['?limit=ten', 'limit must be an integer number'],
      ['?offset=-1', 'offset must not be less than 0'],
      ['?limit=1&limit=2', 'limit is repeated'],
    ] as const
  ).map(([query, message]): RefusedRow => ({
    name: `GET ${query}`,
    send: (world) => ask(world, 'GET', query),
    answer: invalid(message),
  })),
  {
    name: 'a new secret for a public client',
    send: (world) => ask(world, 'PUT', '/asker/secret'),
    answer: invalid('The client authenticates without a secret.'),
  },
];

/** Bodies that are no JSON object. */
export const bodyRows: RefusedRow[] = (
  [
    ['POST', ''],
    ['PATCH', '/reader'],
  ] as const
).flatMap(([method, path]): RefusedRow[] => {
  const send =
    (body: string | undefined, headers: Record<string, string> = JSON_TYPE): RefusedRow['send'] =>
    (world) =>
      ask(world, method, path, { headers, ...(body !== undefined && { body }) });
  const noObject = invalid('The body must be a JSON object.');
  const otherType = invalid('The body is of another type than this resource takes.');
  return (
    [
      ['nothing', send(undefined, {}), noObject],
      ['malformed JSON', send('{"client_name":'), invalid('The request body could not be parsed.')],
      ['an array', send('[]'), noObject],
      ['null', send('null'), noObject],
      ['a form', send('client_name=a', { 'content-type': 'application/x-www-form-urlencoded' }), otherType],
      ['text', send('{}', { 'content-type': 'text/plain' }), otherType],
      [
        'too much',
        send(JSON.stringify({ client_name: 'x'.repeat(65_536) })),
        refused(413, 'The request is too large.'),
      ],
      [
        'nested deeply',
        send(`{"client_name": ${DEEP}}`),
        invalid(
          'client_name must be a string',
          ...(method === 'POST' ? ['scopes must be an array', 'grant_types must be an array'] : []),
        ),
      ],
    ] as const
  ).map(([name, sent, answer]) => ({ name: `${method}: ${name}`, send: sent, answer }));
});
