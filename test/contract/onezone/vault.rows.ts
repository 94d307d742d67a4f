import { account, all, expiresIn, type Actor, type Row } from '../../support/contract-row.js';
import { SOON } from '../../support/wire.js';
import { INTERNAL, NOT_FOUND, granted, notNow } from './answers.js';
import { basic, byToken, send } from './requests.js';

const fails =
  (failure: Parameters<Actor['world']['upstream']['failNext']>[1]) =>
  ({ world }: Actor): void =>
    world.upstream.failNext(1, failure);

export const vault: Row[] = [
  { name: 'a user who never linked an account', send: send(() => basic('lonely')), answer: NOT_FOUND },
  {
    name: 'a user who never linked an account of this IdP',
    send: send(() => basic('ada'), 'members-only'),
    answer: NOT_FOUND,
  },
  { name: 'a known account that never signed in', send: send(() => basic('expected')), answer: NOT_FOUND },
  {
    name: 'an account that was unlinked',
    as: { login: 'unlinked' },
    given: account('unlinked_at', 1),
    send: byToken,
    answer: NOT_FOUND,
  },
  {
    name: 'a token with more than 300 s left is reused',
    as: { login: 'young' },
    given: expiresIn(310),
    send: byToken,
    answer: granted('<token>'),
  },
  {
    name: 'a token with less is refreshed',
    as: { login: 'old' },
    given: expiresIn(290),
    send: byToken,
    asks: 1,
    stores: true,
    answer: granted('<token>'),
  },
  {
    name: 'an expired token is refreshed',
    as: { login: 'expired' },
    given: expiresIn(-1),
    send: byToken,
    asks: 1,
    stores: true,
    answer: granted('<token>'),
  },
  {
    name: 'an answer without expires_in counts as an hour',
    as: { login: 'unlimited' },
    given: all(expiresIn(-1), ({ world }) =>
      world.upstream.alterNext(1, (body) => ({ ...body, expires_in: undefined })),
    ),
    send: byToken,
    asks: 1,
    stores: true,
    answer: granted('<token>'),
  },
  {
    name: 'without a refresh token the stored one is served',
    as: { login: 'last' },
    given: all(account('refresh_token', null), expiresIn(50)),
    send: byToken,
    answer: granted('<token>', '<up to 60 s>'),
  },
  {
    name: 'until it has expired',
    as: { login: 'late' },
    given: all(account('refresh_token', null), expiresIn(-1)),
    send: byToken,
    answer: NOT_FOUND,
  },
  {
    name: 'a refresh token that the provider refuses',
    as: { login: 'dead' },
    given: all(expiresIn(-1), fails({ status: 400, body: { error: 'invalid_grant' } })),
    send: byToken,
    asks: 1,
    stores: true,
    answer: NOT_FOUND,
  },
  { name: 'and is not asked about again', as: { login: 'dead' }, send: byToken, answer: NOT_FOUND },
  {
    name: 'a provider that fails',
    as: { login: 'failing' },
    given: all(expiresIn(-1), fails({ status: 502 })),
    send: byToken,
    asks: 1,
    answer: notNow(SOON),
  },
  {
    name: 'a provider that says when',
    as: { login: 'busy' },
    given: all(expiresIn(-1), fails({ status: 429, headers: { 'retry-after': '7' } })),
    send: byToken,
    asks: 1,
    answer: notNow('7'),
  },
  {
    name: 'a provider that hangs up',
    as: { login: 'cut' },
    given: all(expiresIn(-1), fails({ reset: true })),
    send: byToken,
    asks: 1,
    answer: notNow(SOON),
  },
  {
    name: 'a provider that fails while the token still lives',
    as: { login: 'alive' },
    given: all(expiresIn(50), fails({ status: 503 })),
    send: byToken,
    asks: 1,
    answer: granted('<token>', '<up to 60 s>'),
  },
  {
    name: 'a provider that does not know us',
    as: { login: 'misconfigured' },
    given: all(expiresIn(-1), fails({ status: 401, body: { error: 'invalid_client' } })),
    send: byToken,
    asks: 1,
    answer: INTERNAL,
  },
  {
    name: 'a provider that forbids us the grant',
    as: { login: 'not-allowed' },
    given: all(expiresIn(-1), fails({ status: 400, body: { error: 'unauthorized_client' } })),
    send: byToken,
    asks: 1,
    answer: INTERNAL,
  },
];
