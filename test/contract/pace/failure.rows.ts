import { account, all, expiresIn, type Actor, type Row } from '../../support/contract-row.js';
import { SOON } from '../../support/wire.js';
import { PROVIDER } from '../../support/world.js';
import { INTERNAL, NOT_FOUND, missingLinkedIdentity, notNow, refused, unreadable } from './answers.js';
import { JSON_TYPE, asking, to, tokenPath, withBody } from './requests.js';

/** 401 `missing-linked-identity`. A connect URL carries a ticket, which is stored. */
export const missing: Row[] = [
  { name: 'never linked', send: asking('online-only'), stores: true, answer: missingLinkedIdentity('online-only') },
  {
    name: 'unlinked',
    as: { login: 'unlinked' },
    given: account('unlinked_at', 1),
    send: asking(),
    stores: true,
    answer: missingLinkedIdentity(),
  },
  {
    name: 'expired, without a refresh token',
    as: { login: 'late' },
    given: all(account('refresh_token', null), expiresIn(-1)),
    send: asking(),
    stores: true,
    answer: missingLinkedIdentity(),
  },
  {
    name: 'expired, and the provider refuses the refresh token',
    as: { login: 'dead' },
    given: all(expiresIn(-1), ({ world }) =>
      world.upstream.failNext(1, { status: 400, body: { error: 'invalid_grant' } }),
    ),
    send: asking(),
    asks: 1,
    stores: true,
    answer: missingLinkedIdentity(),
  },
  { name: 'refused before', as: { login: 'dead' }, send: asking(), stores: true, answer: missingLinkedIdentity() },
];

/** 404. */
export const unknown: Row[] = [
  { name: 'a provider', send: asking('nowhere'), answer: NOT_FOUND },
  { name: 'a provider that is no text', send: asking('%E0%A4%A'), answer: NOT_FOUND },
  { name: 'a provider, with a version', send: to(tokenPath('nowhere', '2024-3')), answer: NOT_FOUND },
  ...['v1', '2024', '2024-', '2024-33', '24-3', 'latest', '2024-3x'].map((version): Row => ({
    name: `the version ${version}`,
    send: to(tokenPath(PROVIDER, version)),
    answer: NOT_FOUND,
  })),
  { name: 'a path below the prefix', send: to(`/federated-identities/${PROVIDER}/tokens`), answer: NOT_FOUND },
  { name: 'a path below the prefix with a version', send: to('/user/2024-3/identities'), answer: NOT_FOUND },
  { name: 'the prefix itself', send: ({ world }) => world.request('/federated-identities'), answer: NOT_FOUND },
];

const fails =
  (failure: Parameters<Actor['world']['upstream']['failNext']>[1]) =>
  ({ world }: Actor): void =>
    world.upstream.failNext(1, failure);

/** 500. */
export const failures: Row[] = [
  {
    name: 'the provider fails',
    as: { login: 'failing' },
    given: all(expiresIn(-1), fails({ status: 502 })),
    send: asking(),
    asks: 1,
    answer: notNow(SOON),
  },
  {
    name: 'the provider says when',
    as: { login: 'busy' },
    given: all(expiresIn(-1), fails({ status: 429, headers: { 'retry-after': '7' } })),
    send: asking(),
    asks: 1,
    answer: notNow(7),
  },
  {
    name: 'the provider hangs up',
    as: { login: 'cut' },
    given: all(expiresIn(-1), fails({ reset: true })),
    send: asking(),
    asks: 1,
    answer: notNow(SOON),
  },
  {
    name: 'the provider does not know us',
    as: { login: 'misconfigured' },
    given: all(expiresIn(-1), fails({ status: 401, body: { error: 'invalid_client' } })),
    send: asking(),
    asks: 1,
    answer: INTERNAL,
  },
  {
    name: 'malformed JSON',
    send: withBody('{"a":', JSON_TYPE),
    answer: unreadable('malformed-request', 'The request body could not be parsed; this operation takes none.'),
  },
  {
    name: 'a body of more than 64 KiB',
    send: withBody(JSON.stringify('x'.repeat(65_536)), JSON_TYPE),
    answer: unreadable('request-too-large', 'The request body is too large; this operation takes none.'),
  },
  {
    name: 'a body in an unknown encoding',
    send: withBody('{}', { ...JSON_TYPE, 'content-encoding': 'compress' }),
    answer: unreadable(
      'unsupported-media-type',
      'The request body has an unsupported encoding; this operation takes none.',
    ),
  },
];

/** The one status beside the documented ones: its client never sends these. */
export const methods: Row[] = ['GET', 'PUT', 'PATCH', 'DELETE'].flatMap((method) =>
  [undefined, '2024-3'].map((version): Row => ({
    name: `${method} ${version ?? 'without a version'}`,
    send: to(tokenPath(PROVIDER, version), { method }),
    answer: refused(405, { code: 'method-not-allowed', title: 'Method not allowed' }, { allow: 'POST' }),
  })),
);
