import { Browser } from '../../support/http-browser.js';
import { CLIENTS, tokenRequest } from '../../support/world.js';
import { INVALID_GRANT, empty, invalidRequest, refused } from './answers.js';
import { CLERK, REDIRECT_URI, SHRUNK, basicOf, parametersOf, post, redeeming, type TokenRow } from './requests.js';

/** 400 `invalid_request`, `unsupported_grant_type`, `unauthorized_client`, `invalid_scope`. */
export const requestRows: TokenRow[] = [
  {
    name: '"One method per request"',
    send: redeeming({ ...CLIENTS.reader }),
    answer: invalidRequest('The client used two authentication methods.'),
  },
  {
    name: 'a client_id that is not the one of Basic',
    send: redeeming({ client_id: 'asker' }),
    answer: invalidRequest('client_id is not the authenticated client.'),
  },
  {
    name: 'a code without grant_type',
    send: redeeming({ grant_type: undefined }),
    answer: invalidRequest('grant_type is missing'),
  },
  { name: 'no code', send: redeeming({ code: undefined }), answer: invalidRequest('code is missing') },
  {
    name: 'no redirect_uri',
    send: redeeming({ redirect_uri: undefined }),
    answer: invalidRequest('redirect_uri is missing'),
  },
  {
    name: 'no code_verifier',
    send: redeeming({ code_verifier: undefined }),
    answer: invalidRequest('code_verifier is missing'),
  },
  {
    name: '"parameters ≤ 8 KiB"',
    send: redeeming({ code: 'x'.repeat(8193) }),
    answer: invalidRequest('code is longer than 8192 bytes'),
  },
  {
    name: 'a client_id of more than 255 characters',
    send: redeeming({ client_id: 'x'.repeat(256) }),
    answer: invalidRequest('client_id must be shorter than or equal to 255 characters'),
  },
  {
    name: '"repeated ones refused"',
    send: (exchange) => {
      const { form, headers } = tokenRequest(exchange.client, exchange.code, exchange.verifier);
      const twice: [string, string][] = [...Object.entries(parametersOf({ form })), ['code', 'x']];
      return post(exchange, { form: twice, headers });
    },
    answer: invalidRequest('code is repeated'),
  },
  {
    name: 'JSON',
    send: (exchange) => {
      const { form, headers } = tokenRequest(exchange.client, exchange.code, exchange.verifier);
      return post(exchange, { json: form, headers });
    },
    answer: invalidRequest('The body must be application/x-www-form-urlencoded.'),
  },
  {
    name: 'malformed JSON',
    send: (exchange) => post(exchange, { body: '{', headers: { 'content-type': 'application/json' } }),
    answer: invalidRequest('The request body could not be parsed.'),
  },
  {
    name: 'a grant type that nobody serves',
    send: redeeming({ grant_type: 'password' }),
    answer: refused('unsupported_grant_type', 'The grant type is not supported.'),
  },
  {
    name: 'a grant type that the client has not got',
    send: redeeming({}, basicOf(CLERK.client_id, CLERK.client_secret)),
    answer: refused('unauthorized_client', 'The client is not registered for this grant type.'),
  },
  {
    name: 'a scope that the client may no longer have',
    client: SHRUNK,
    given: ({ world }) =>
      world.database.query(`UPDATE clients SET scope = 'openid', version = 'shrunk' WHERE client_id = 'shrunk'`),
    send: redeeming(),
    answer: refused('invalid_scope', 'The client may no longer have this scope.'),
  },
];

/** 400 `invalid_grant`; a refused attempt does not spend the code. */
export const grantRows: TokenRow[] = [
  {
    name: 'an unknown code',
    send: redeeming({ code: 'a-code-that-nobody-issued-0123456789abcdef' }),
    answer: INVALID_GRANT,
  },
  { name: 'a wrong verifier', send: redeeming({ code_verifier: 'x'.repeat(43) }), answer: INVALID_GRANT },
  {
    name: 'a verifier that is too short',
    send: redeeming(({ verifier }) => ({ code_verifier: verifier.slice(1) })),
    answer: INVALID_GRANT,
  },
  {
    name: 'the challenge in place of the verifier',
    // A browser with a ledger of its own: under the verifier's name stands a value that is public and stored as it is.
    send: ({ world, client, code, challenge }) =>
      new Browser().request(`${world.service.url}/token`, tokenRequest(client, code, challenge)),
    answer: INVALID_GRANT,
  },
  { name: 'another redirect_uri', send: redeeming({ redirect_uri: `${REDIRECT_URI}/` }), answer: INVALID_GRANT },
  {
    name: '"code … bound to client": that of another',
    send: redeeming({}, basicOf('trusted', CLIENTS.trusted.client_secret)),
    answer: INVALID_GRANT,
  },
  {
    name: 'an expired code',
    given: ({ world }) =>
      world.database.query('UPDATE authorization_codes SET expires_at = 1 WHERE consumed_at IS NULL'),
    send: redeeming(),
    answer: INVALID_GRANT,
  },
  {
    name: 'a user who was blocked meanwhile',
    login: 'blocked',
    given: ({ world }) =>
      world.database.query(
        `UPDATE users SET blocked_at = 1 WHERE id = (SELECT user_id FROM linked_accounts WHERE subject = 'blocked')`,
      ),
    send: redeeming(),
    answer: INVALID_GRANT,
  },
  {
    name: 'a grant that was revoked meanwhile',
    login: 'revoked',
    given: ({ world }) =>
      world.database.query(
        `UPDATE grants SET revoked_at = 1 WHERE user_id = (SELECT user_id FROM linked_accounts WHERE subject = 'revoked')`,
      ),
    send: redeeming(),
    answer: INVALID_GRANT,
  },
];

/** Routes, methods and sizes. */
export const routeRows: TokenRow[] = [
  ...['GET', 'PUT', 'PATCH', 'DELETE'].map((method): TokenRow => ({
    name: `"Wrong method: 405 with \`Allow\`": ${method}`,
    send: ({ world }) => world.request('/token', { method }),
    answer: empty(405, { allow: 'POST' }),
  })),
  { name: '"Bodies ≤ 64 KiB … beyond that 413"', send: redeeming({ padding: 'x'.repeat(65_536) }), answer: empty(413) },
  {
    name: '"unknown route 404 `{"errors":[…]}`"',
    send: ({ world }) => world.request('/nowhere', { method: 'POST' }),
    answer: {
      status: 404,
      headers: {
        'cache-control': 'no-store',
        'content-type': 'application/json; charset=utf-8',
        'x-fapi-interaction-id': '<uuid>',
      },
      body: { errors: ['Not Found'] },
    },
  },
];
