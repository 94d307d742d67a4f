import { account, all, expiresIn, type Row } from '../../support/contract-row.js';
import { CLIENTS, PROVIDER } from '../../support/world.js';
import { granted } from './answers.js';
import { JSON_TYPE, asking, to, tokenPath, withBody } from './requests.js';

export const answers: Row[] = [
  { name: 'the bare path', send: asking(), answer: granted() },
  {
    name: "the documentation's curl line, as it is sent",
    send: ({ world, token }) =>
      world.request('/user/2024-3/federated-identities/mobypay/token', {
        method: 'POST',
        body: '',
        headers: {
          accept: 'application/json, application/vnd.api+json',
          'user-agent': 'curl/8.5.0',
          'content-type': 'application/json',
          'content-length': '0',
          authorization: `Bearer ${token}`,
        },
      }),
    answer: granted(),
  },
  { name: 'the version of the documentation', send: to(tokenPath(PROVIDER, '2024-3')), answer: granted() },
  { name: 'any other version', send: to(tokenPath(PROVIDER, '2031-9')), answer: granted() },
  { name: 'an empty body of JSON, as clients send it', send: withBody('', JSON_TYPE), answer: granted() },
  { name: 'a body that nobody asked for', send: withBody('{"provider":"other"}', JSON_TYPE), answer: granted() },
  {
    name: 'a form',
    send: withBody('a=1&a=2', { 'content-type': 'application/x-www-form-urlencoded' }),
    answer: granted(),
  },
  { name: 'a text', send: withBody('hello', { 'content-type': 'text/plain' }), answer: granted() },
  { name: 'a query that nobody asked for', send: to(`${tokenPath()}?provider=other`), answer: granted() },
  {
    name: 'the refresh token, to the client that may have it',
    as: { login: 'generous', client: CLIENTS.trusted },
    send: asking(),
    answer: granted({ access_token: '<token>', refresh_token: '<token>' }),
  },
  {
    name: 'a provider without offline access',
    as: { login: 'online', provider: 'online-only' },
    send: asking('online-only'),
    answer: granted({ access_token: '<token>' }),
  },
  {
    name: 'the scope that the provider granted',
    as: { login: 'scoped' },
    given: all(expiresIn(-1), ({ world }) =>
      world.upstream.alterNext(1, (body) => ({ ...body, scope: 'openid groups' })),
    ),
    send: asking(),
    asks: 1,
    stores: true,
    answer: granted({ access_token: '<token>', scope: 'openid groups' }),
  },
  {
    name: 'an expired token, refreshed',
    as: { login: 'expired' },
    given: expiresIn(-1),
    send: asking(),
    asks: 1,
    stores: true,
    answer: granted({ access_token: '<token>' }),
  },
  {
    name: 'the last seconds of a token that cannot be refreshed',
    as: { login: 'last' },
    given: all(account('refresh_token', null), expiresIn(50)),
    send: asking(),
    answer: granted({ access_token: '<token>', expires_in: '<up to 60 s>' }),
  },
];
