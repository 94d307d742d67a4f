import type { Row } from '../../support/contract-row.js';
import { BAD_IDP, MALFORMED, NOT_FOUND, granted, refused } from './answers.js';
import { acquire, basic, bearer, send, withBody, withToken } from './requests.js';

/** What is asked for, and how. */
export const requests: Row[] = [
  { name: 'the body {} of the client', send: withBody('{}', 'application/json'), answer: granted() },
  { name: 'an empty body of JSON', send: withBody('', 'application/json'), answer: granted() },
  {
    name: 'any JSON',
    send: withBody('[null, 1, {"idp": "other"}]', 'application/json; charset=utf-8'),
    answer: granted(),
  },
  { name: 'a JSON text that looks like a form', send: withBody('"a=1&a=2"', 'application/json'), answer: granted() },
  { name: 'another kind of JSON', send: withBody('{}', 'application/vnd.client+json'), answer: granted() },
  { name: 'unparsable JSON', send: withBody('{"a":', 'application/json'), answer: refused(400, MALFORMED) },
  { name: 'a body that is not JSON', send: withBody('hello', 'text/plain'), answer: refused(415, MALFORMED) },
  { name: 'a body without a type', send: withBody('{}'), answer: refused(415, MALFORMED) },
  { name: 'a form', send: withBody('a=1', 'application/x-www-form-urlencoded'), answer: refused(415, MALFORMED) },
  {
    name: 'a form that no other face would take',
    send: withBody('a=1&a=2', 'application/x-www-form-urlencoded'),
    answer: refused(415, MALFORMED),
  },
  {
    name: 'JSON in an unknown encoding',
    send: (actor) =>
      acquire(actor, {
        ...withToken(actor, { 'content-type': 'application/json', 'content-encoding': 'compress' }),
        body: '{}',
      }),
    answer: refused(415, MALFORMED),
  },
  {
    name: 'a body of more than 64 KiB',
    send: withBody(JSON.stringify('x'.repeat(65_536)), 'application/json'),
    answer: refused(400, {
      id: 'badValueTextTooLarge',
      details: { key: 'body', limit: 65_536 },
      description: 'Bad value: the text provided in "body" cannot be larger than 65536 characters.',
    }),
  },
  ...['GET', 'PUT', 'PATCH', 'DELETE'].map((method): Row => ({
    name: `the method ${method}`,
    send: (actor) => acquire(actor, { ...withToken(actor), method }),
    answer: refused(405, { id: 'notSupported', description: 'This operation is not supported.' }, { allow: 'POST' }),
  })),
  {
    name: 'an unknown route',
    send: (actor) =>
      actor.world.request('/api/v3/onezone/user/idp_access_token', { method: 'POST', ...withToken(actor) }),
    answer: NOT_FOUND,
  },
  { name: 'the prefix itself', send: ({ world }) => world.request('/api/v3/onezone'), answer: NOT_FOUND },
  {
    name: 'an IdP that is no text',
    send: send(({ token }) => bearer(token), '%E0%A4%A'),
    answer: refused(400, {
      id: 'badData',
      details: { key: 'path' },
      description:
        'Bad value: provided "path" has an invalid format or is incomprehensible in the context of this operation.',
    }),
  },
  { name: 'an unknown IdP', send: send(({ token }) => bearer(token), 'nowhere'), answer: BAD_IDP },
  { name: 'an unknown IdP, by password', send: send(() => basic('ada'), 'nowhere'), answer: BAD_IDP },
  { name: 'an IdP without offline access', send: send(({ token }) => bearer(token), 'online-only'), answer: BAD_IDP },
  {
    name: 'an IdP without offline access, by password',
    send: send(() => basic('ada'), 'online-only'),
    answer: BAD_IDP,
  },
];
