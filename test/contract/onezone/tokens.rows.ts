import { blocked, type Row } from '../../support/contract-row.js';
import {
  about,
  badCaveat,
  BAD_TOKEN,
  badName,
  FORBIDDEN,
  invalid,
  MALFORMED,
  NO_TIME_CAVEAT,
  NOBODY,
  NOT_FOUND,
  refused,
  TOKEN_INVALID,
  USER_BLOCKED,
} from './answers.js';
import { MAKER, MAKER_SCOPE, NAMED, namedToken, posting, TEMPORARY, VERIFY } from './requests.js';

export const asMaker = (login = 'alice') => ({ login, client: MAKER, scope: MAKER_SCOPE });
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
const until = (validUntil: unknown) => ({ type: 'time', validUntil });
const ABSENT = '00000000-0000-4000-8000-000000000000';

const OPERATIONS: [method: string, path: string][] = [
  ['POST', NAMED],
  ['GET', NAMED],
  ['DELETE', NAMED],
  ['POST', TEMPORARY],
  ['GET', namedToken(ABSENT)],
  ['PATCH', namedToken(ABSENT)],
  ['DELETE', namedToken(ABSENT)],
];

/** Who may not make tokens or look after them; what they send is not looked at. */
export const strangers: Row[] = OPERATIONS.flatMap(([method, path]): Row[] => {
  const send =
    (headers: (token: string) => Record<string, string>): Row['send'] =>
    ({ world, token }) =>
      world.request(path, { method, headers: headers(token) });
  return [
    { name: `${method} ${path}: nobody`, send: send(() => ({})), answer: NOBODY },
    { name: `${method} ${path}: a bad token`, send: send(() => ({ 'x-auth-token': 'x' })), answer: BAD_TOKEN },
    {
      name: `${method} ${path}: a token of nobody`,
      send: send(() => ({ 'x-auth-token': `symbolon_ut_${'x'.repeat(43)}` })),
      answer: TOKEN_INVALID,
    },
    {
      name: `${method} ${path}: a client without the scope`,
      send: send((token) => ({ 'x-auth-token': token })),
      answer: FORBIDDEN,
    },
  ];
});

const wrongNamed: [name: string, body: unknown, answer: Row['answer']][] = [
  ['no name', {}, about('missingRequiredValue', 'name', 'Missing required value: name.')],
  ['the name null', { name: null }, about('missingRequiredValue', 'name', 'Missing required value: name.')],
  [
    'a name that is no text',
    { name: 5 },
    about('badValueString', 'name', 'Bad value: provided "name" must be a string.'),
  ],
  ['an empty name', { name: '' }, badName],
  ['a name of one letter', { name: 'x' }, badName],
  ['a name that begins with a dash', { name: '-x-' }, badName],
  ['a name that ends with a space', { name: 'name ' }, badName],
  ['a name with a slash', { name: 'a/b' }, badName],
  ['a name with a NUL', { name: 'a\0b' }, badName],
  ['a name of 129 letters', { name: 'x'.repeat(129) }, badName],
  [
    'revoked that is no boolean',
    { name: 'wrong', revoked: 'yes' },
    about('badValueBoolean', 'revoked', 'Bad value: provided "revoked" must be a boolean.'),
  ],
  [
    'revoked null',
    { name: 'wrong', revoked: null },
    about('badValueBoolean', 'revoked', 'Bad value: provided "revoked" must be a boolean.'),
  ],
  [
    'metadata that is no object',
    { name: 'wrong', customMetadata: [1] },
    about('badValueJSON', 'customMetadata', 'Bad value: provided "customMetadata" must be a valid JSON.'),
  ],
  [
    'metadata beyond measure',
    { name: 'wrong', customMetadata: { note: 'x'.repeat(8192) } },
    invalid({
      id: 'badValueTextTooLarge',
      details: { key: 'customMetadata', limit: 8192 },
      description: 'Bad value: the text provided in "customMetadata" cannot be larger than 8192 characters.',
    }),
  ],
  ...[{ identityToken: {} }, { inviteToken: { inviteType: 'userJoinGroup' } }, 'accessToken', [], null].map(
    (type): (typeof wrongNamed)[number] => [
      `the type ${JSON.stringify(type)}`,
      { name: 'wrong', type },
      about('badValueTokenType', 'type', 'Bad value: provided "type" is not a valid token type.'),
    ],
  ),
  [
    'caveats that are no list',
    { name: 'wrong', caveats: until(1) },
    about(
      'badData',
      'caveats',
      'Bad value: provided "caveats" has an invalid format or is incomprehensible in the context of this operation.',
    ),
  ],
  ...[
    { type: 'ip', whitelist: ['127.0.0.0/24'] },
    { type: 'data.readonly' },
    until('tomorrow'),
    until(1.5),
    until(-1),
    until(1e15),
    until(null),
    'time',
    null,
  ].map((caveat): (typeof wrongNamed)[number] => [
    `the caveat ${JSON.stringify(caveat)}`,
    { name: 'wrong', caveats: [until(1_893_456_000), caveat] },
    badCaveat(caveat),
  ]),
  ['a list', [], invalid(MALFORMED)],
  ['a text', 'name', invalid(MALFORMED)],
];

/** What a token cannot be made of. */
export const creations: Row[] = [
  ...wrongNamed.map(([name, body, answer]): Row => ({ name, as: asMaker(), send: posting(NAMED, body), answer })),
  ...(
    [
      ['temporary, without an end', {}],
      ['temporary, beyond a week', { caveats: [until(inSeconds(604_900))] }],
      ['temporary, with an empty list', { caveats: [] }],
    ] as [string, unknown][]
  ).map(([name, body]): Row => ({
    name,
    as: asMaker(),
    send: posting(TEMPORARY, body),
    answer: NO_TIME_CAVEAT,
  })),
  {
    name: 'temporary, with an unknown caveat',
    as: asMaker(),
    send: posting(TEMPORARY, { caveats: [until(inSeconds(60)), { type: 'consumer', whitelist: [] }] }),
    answer: badCaveat({ type: 'consumer', whitelist: [] }),
  },
  ...[NAMED, TEMPORARY, VERIFY].flatMap((path): Row[] => [
    {
      name: `a body that is not JSON, to ${path}`,
      as: asMaker(),
      send: ({ world, token }) =>
        world.request(path, {
          method: 'POST',
          headers: { 'x-auth-token': token, 'content-type': 'text/plain' },
          body: 'x',
        }),
      answer: refused(415, MALFORMED),
    },
    {
      name: `unparsable JSON, to ${path}`,
      as: asMaker(),
      send: ({ world, token }) =>
        world.request(path, {
          method: 'POST',
          headers: { 'x-auth-token': token, 'content-type': 'application/json' },
          body: '{"name":',
        }),
      answer: invalid(MALFORMED),
    },
  ]),
  {
    name: 'by a user who is blocked',
    as: asMaker('blocked-maker'),
    given: blocked,
    send: posting(NAMED, { name: 'late' }),
    answer: refused(400, USER_BLOCKED),
  },
];

export const routes: Row[] = [
  ...(
    [
      ['PUT', NAMED, 'DELETE, GET, HEAD, POST'],
      ['GET', TEMPORARY, 'POST'],
      ['POST', namedToken(ABSENT), 'DELETE, GET, HEAD, PATCH'],
      ['GET', VERIFY, 'POST'],
      ['POST', '/api/v3/onezone/user', 'GET, HEAD'],
      ['DELETE', '/api/v3/onezone/configuration', 'GET, HEAD'],
    ] as [string, string, string][]
  ).map(([method, path, allow]): Row => ({
    name: `${method} ${path} is another method`,
    send: ({ world }) => world.request(path, { method }),
    answer: refused(405, { id: 'notSupported', description: 'This operation is not supported.' }, { allow }),
  })),
  ...['/user/tokens', '/tokens/named', '/tokens/examine', '/groups', '/Configuration'].map((path): Row => ({
    name: `${path} is no route`,
    send: ({ world }) => world.request(`/api/v3/onezone${path}`),
    answer: NOT_FOUND,
  })),
  {
    name: 'a named token that is not there',
    as: asMaker(),
    send: ({ world, token }) => world.request(namedToken(ABSENT), { headers: { 'x-auth-token': token } }),
    answer: NOT_FOUND,
  },
  {
    name: 'a change of nothing',
    as: asMaker(),
    send: ({ world, token }) =>
      world.request(namedToken(ABSENT), {
        method: 'PATCH',
        headers: { 'x-auth-token': token },
        json: { color: 'red' },
      }),
    answer: invalid({
      id: 'missingAtLeastOneValue',
      details: { keys: ['customMetadata', 'name', 'revoked'] },
      description: 'Missing data, you must provide at least one of: customMetadata, name, revoked.',
    }),
  },
];
