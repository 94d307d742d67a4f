import { blocked, clientDisabled, grantRevoked, type Row } from '../../support/contract-row.js';
import { FORGED_TOKENS } from '../../support/forged-tokens.js';
import { CLIENTS } from '../../support/world.js';
import { FORBIDDEN, INVALID_TOKEN, NOBODY } from './answers.js';
import { asking, authorization, tokenPath, withHeaders } from './requests.js';

/** 401 `unauthorized`. */
export const unauthorizedRows: Row[] = [
  { name: 'no token', send: withHeaders(() => ({})), answer: NOBODY },
  { name: 'bearer in small letters', send: authorization(({ token }) => `bearer ${token}`), answer: NOBODY },
  { name: 'BEARER', send: authorization(({ token }) => `BEARER ${token}`), answer: NOBODY },
  { name: 'two spaces', send: authorization(({ token }) => `Bearer  ${token}`), answer: NOBODY },
  { name: 'a tab', send: authorization(({ token }) => `Bearer\t${token}`), answer: NOBODY },
  { name: 'no space', send: authorization(({ token }) => `Bearer${token}`), answer: NOBODY },
  { name: 'something after the token', send: authorization(({ token }) => `Bearer ${token} x`), answer: NOBODY },
  { name: 'the prefix alone', send: authorization(() => 'Bearer'), answer: NOBODY },
  { name: 'no prefix', send: authorization(({ token }) => token), answer: NOBODY },
  {
    name: 'the header of another face',
    send: withHeaders(({ token }) => ({ 'x-auth-token': token, macaroon: token })),
    answer: NOBODY,
  },
  {
    name: 'the password that another face takes',
    send: authorization(() => `Basic ${Buffer.from('ada:correct horse battery staple').toString('base64')}`),
    answer: NOBODY,
  },
  {
    name: 'the token in the query',
    send: ({ world, token }) => world.request(`${tokenPath()}?access_token=${token}`, { method: 'POST' }),
    answer: NOBODY,
  },
  {
    name: 'the token in a form',
    send: ({ world, token }) => world.request(tokenPath(), { form: { access_token: token } }),
    answer: NOBODY,
  },
  { name: 'something that is no token', send: authorization(() => 'Bearer x'), answer: INVALID_TOKEN },
  ...Object.entries(FORGED_TOKENS).map(([name, forge]): Row => ({
    name: `a forged token: ${name}`,
    send: async ({ world, ...actor }) =>
      world.request(tokenPath(), {
        method: 'POST',
        headers: { authorization: `Bearer ${await forge({ world, ...actor })}` },
      }),
    answer: INVALID_TOKEN,
  })),
  { name: 'an id_token', send: authorization(({ idToken }) => `Bearer ${idToken}`), answer: INVALID_TOKEN },
  { name: 'a revoked token', as: { login: 'revoked' }, given: grantRevoked, send: asking(), answer: INVALID_TOKEN },
  {
    name: 'a token whose client was disabled',
    as: { login: 'orphan', client: CLIENTS.asker },
    given: clientDisabled('asker'),
    send: asking(),
    answer: INVALID_TOKEN,
  },
  { name: 'the token of a blocked user', as: { login: 'blocked' }, given: blocked, send: asking(), answer: NOBODY },
  {
    name: 'a token without the scope',
    as: { login: 'narrow', scope: 'openid profile' },
    send: asking(),
    answer: FORBIDDEN,
  },
  {
    name: 'a client that may read no upstream token',
    as: { login: 'stranger', client: CLIENTS.stranger },
    send: asking(),
    answer: FORBIDDEN,
  },
  { name: 'a client that may not read this provider', send: asking('members-only'), answer: FORBIDDEN },
  {
    name: 'nobody, at an unknown provider',
    send: ({ world }) => world.request(tokenPath('nowhere'), { method: 'POST' }),
    answer: NOBODY,
  },
];
