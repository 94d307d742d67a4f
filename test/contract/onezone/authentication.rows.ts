import { blocked, clientDisabled, grantRevoked, type Row } from '../../support/contract-row.js';
import { FORGED_TOKENS } from '../../support/forged-tokens.js';
import { CLIENTS } from '../../support/world.js';
import {
  BAD_BASIC,
  BAD_TOKEN,
  FORBIDDEN,
  NOBODY,
  TOKEN_INVALID,
  USER_BLOCKED,
  refused,
  unauthenticated,
} from './answers.js';
import { acquire, acquiring, basic, bearer, byToken, send, withToken } from './requests.js';

/** 401, and the two answers to a blocked user. */
export const authentication: Row[] = [
  { name: 'none', send: (actor) => acquire(actor), answer: NOBODY },
  { name: 'of an unknown scheme', send: send(() => ({ authorization: 'Digest username="ada"' })), answer: NOBODY },
  { name: 'Basic without anything', send: send(() => ({ authorization: 'Basic' })), answer: NOBODY },
  {
    name: 'in the query',
    send: ({ world, token }) => world.request(`${acquiring()}?access_token=${token}`, { method: 'POST' }),
    answer: NOBODY,
  },
  { name: 'a wrong password', send: send(() => basic('ada', 'wrong-password')), answer: BAD_BASIC },
  { name: 'an unknown user name', send: send(() => basic('nobody-of-that-name')), answer: BAD_BASIC },
  { name: 'Basic that is no base64', send: send(() => ({ authorization: 'Basic ?!' })), answer: BAD_BASIC },
  { name: 'a password that the user has not got', send: send(() => basic('alice')), answer: BAD_BASIC },
  {
    name: 'the right password of a user without Basic',
    send: send(() => basic('no-basic', 'another fine passphrase')),
    answer: unauthenticated({ id: 'basicAuthDisabled', description: 'Basic auth is disabled for this user.' }),
  },
  {
    name: 'a wrong password of a user without Basic',
    send: send(() => basic('no-basic', 'wrong-password')),
    answer: BAD_BASIC,
  },
  {
    name: 'the right password of a blocked user',
    send: send(() => basic('barred')),
    answer: unauthenticated(USER_BLOCKED),
  },
  {
    name: 'a wrong password of a blocked user',
    send: send(() => basic('barred', 'wrong-password')),
    answer: BAD_BASIC,
  },
  {
    name: 'the valid token of a blocked user',
    as: { login: 'blocked' },
    given: blocked,
    send: byToken,
    answer: refused(400, USER_BLOCKED),
  },
  {
    name: 'something that is no token',
    send: send(() => ({ 'x-auth-token': 'MDAxNWxvY2F0aW9uIG9uZXpvbmUK' })),
    answer: BAD_TOKEN,
  },
  { name: 'three parts that are no token', send: send(() => ({ macaroon: 'a.b.c' })), answer: BAD_TOKEN },
  ...Object.entries(FORGED_TOKENS).map(([name, forge]): Row => ({
    name: `a forged token: ${name}`,
    send: async (actor) => acquire(actor, withToken({ token: await forge(actor) })),
    answer: TOKEN_INVALID,
  })),
  {
    name: 'a token whose client was disabled',
    as: { login: 'orphan', client: CLIENTS.asker },
    given: clientDisabled('asker'),
    send: byToken,
    answer: TOKEN_INVALID,
  },
  {
    name: 'a revoked token',
    as: { login: 'revoked' },
    given: grantRevoked,
    send: byToken,
    answer: unauthenticated({ id: 'tokenRevoked', description: 'Provided token has been revoked.' }),
  },
  {
    name: 'a token that is too large',
    send: send(() => ({ 'x-auth-token': 'x'.repeat(16_385) })),
    answer: unauthenticated({
      id: 'tokenTooLarge',
      details: { limit: 16_384 },
      description: 'Provided token exceeds the allowed size (16384 characters).',
    }),
  },
  {
    name: 'an id_token',
    send: send(({ idToken }) => ({ 'x-auth-token': idToken })),
    answer: unauthenticated({
      id: 'notAnAccessToken',
      details: { received: 'idToken' },
      description: 'Expected an access token.',
    }),
  },
  {
    name: 'a token without the scope',
    as: { login: 'narrow', scope: 'openid profile' },
    send: byToken,
    answer: FORBIDDEN,
  },
  {
    name: 'a client that may read no upstream token',
    as: { login: 'stranger', client: CLIENTS.stranger },
    send: byToken,
    answer: FORBIDDEN,
  },
  {
    name: 'a client that may not read this provider',
    send: send(({ token }) => bearer(token), 'members-only'),
    answer: FORBIDDEN,
  },
];
