import type { Row } from '../../support/contract-row.js';
import { BAD_TOKEN, granted } from './answers.js';
import { basic, bearer, byToken, send } from './requests.js';

/** Of several credentials the first counts, whatever the others are worth. */
export const credentials: Row[] = [
  { name: 'X-Auth-Token', send: byToken, answer: granted() },
  { name: 'Bearer', send: send(({ token }) => bearer(token)), answer: granted() },
  {
    name: 'bearer, the scheme in small letters',
    send: send(({ token }) => ({ authorization: `bearer ${token}` })),
    answer: granted(),
  },
  { name: 'Macaroon', send: send(({ token }) => ({ macaroon: token })), answer: granted() },
  { name: 'Basic', send: send(() => basic('ada')), answer: granted('<token of ada>') },
  {
    name: 'X-Auth-Token before the Basic that the client sends with it',
    send: send(({ token }) => ({ 'x-auth-token': token, ...basic('ada') })),
    answer: granted(),
  },
  {
    name: 'X-Auth-Token before a wrong password',
    send: send(({ token }) => ({ 'x-auth-token': token, ...basic('ada', 'wrong-password') })),
    answer: granted(),
  },
  {
    name: 'X-Auth-Token before Bearer',
    send: send(({ token }) => ({ 'x-auth-token': token, ...bearer('x') })),
    answer: granted(),
  },
  {
    name: 'a bad X-Auth-Token before a good Bearer',
    send: send(({ token }) => ({ 'x-auth-token': 'x', ...bearer(token) })),
    answer: BAD_TOKEN,
  },
  {
    name: 'X-Auth-Token before Macaroon',
    send: send(({ token }) => ({ 'x-auth-token': token, macaroon: 'x' })),
    answer: granted(),
  },
  {
    name: 'a bad X-Auth-Token before a good Macaroon',
    send: send(({ token }) => ({ 'x-auth-token': 'x', macaroon: token })),
    answer: BAD_TOKEN,
  },
  {
    name: 'a bad X-Auth-Token before a right password',
    send: send(() => ({ 'x-auth-token': 'x', ...basic('ada') })),
    answer: BAD_TOKEN,
  },
  {
    name: 'Bearer before Macaroon',
    send: send(({ token }) => ({ ...bearer(token), macaroon: 'x' })),
    answer: granted(),
  },
  {
    name: 'a bad Bearer before a good Macaroon',
    send: send(({ token }) => ({ ...bearer('x'), macaroon: token })),
    answer: BAD_TOKEN,
  },
  {
    name: 'Macaroon before Basic',
    send: send(({ token }) => ({ macaroon: token, ...basic('ada') })),
    answer: granted(),
  },
  {
    name: 'a bad Macaroon before a right password',
    send: send(() => ({ macaroon: 'x', ...basic('ada') })),
    answer: BAD_TOKEN,
  },
  {
    name: 'an empty X-Auth-Token is none',
    send: send(({ token }) => ({ 'x-auth-token': '', macaroon: token })),
    answer: granted(),
  },
];
