import { CLIENTS } from '../../support/world.js';
import { INVALID_BASIC, INVALID_CLIENT, granted } from './answers.js';
import { POSTER, basic, basicOf, encodedToTheLast, post, redeeming, type TokenRow } from './requests.js';

/** 200. */
export const grantedRows: TokenRow[] = [
  { name: 'client_secret_basic', send: redeeming(), answer: granted() },
  {
    name: '"Basic credentials are form-decoded (RFC 6749 §2.3.1 …)": all of it percent-encoded',
    send: redeeming({}, ({ client }) =>
      basic(encodedToTheLast(client.client_id), encodedToTheLast(client.client_secret ?? '')),
    ),
    answer: granted(),
  },
  {
    name: 'client_secret_post',
    client: POSTER,
    send: ({ client, ...rest }) => redeeming({ ...client })({ ...rest, client: { client_id: client.client_id } }),
    answer: granted(),
  },
  { name: 'a public client', client: CLIENTS.asker, send: redeeming(), answer: granted() },
  { name: 'client_id beside Basic', send: redeeming({ client_id: 'reader' }), answer: granted() },
  { name: 'parameters nobody knows', send: redeeming({ resource_owner: 'x', audience: 'y' }), answer: granted() },
  { name: 'an empty parameter, which counts as absent', send: redeeming({ client_secret: '' }), answer: granted() },
  {
    name: 'a charset of the form',
    send: redeeming({}, () => ({ 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' })),
    answer: granted(),
  },
  {
    name: 'without openid no id_token',
    scope: 'federated-identity:token',
    send: redeeming(),
    answer: granted('federated-identity:token'),
  },
];

/** 401, where the header was used, and 400 `invalid_client`. */
export const clientRows: TokenRow[] = [
  {
    name: 'a wrong secret',
    send: redeeming({}, basicOf('reader', 'wrong-secret-of-the-reader')),
    answer: INVALID_BASIC,
  },
  {
    name: 'an unknown client',
    send: redeeming({}, basicOf('nobody', 'wrong-secret-of-nobody')),
    answer: INVALID_BASIC,
  },
  { name: 'an empty secret', send: redeeming({}, basicOf('reader', '')), answer: INVALID_BASIC },
  {
    name: 'Basic that is no base64',
    send: redeeming({}, () => ({ authorization: 'Basic ?!' })),
    answer: INVALID_BASIC,
  },
  { name: 'another scheme', send: redeeming({}, () => ({ authorization: 'Bearer x' })), answer: INVALID_BASIC },
  {
    name: 'Basic, where another method is registered',
    client: POSTER,
    send: redeeming(),
    answer: INVALID_BASIC,
  },
  {
    name: 'the body, where Basic is registered',
    send: (exchange) => redeeming({ ...CLIENTS.reader })({ ...exchange, client: { client_id: 'reader' } }),
    answer: INVALID_CLIENT,
  },
  {
    name: 'a confidential client without its secret',
    send: (exchange) => redeeming()({ ...exchange, client: { client_id: 'reader' } }),
    answer: INVALID_CLIENT,
  },
  {
    name: 'a wrong secret in the body',
    client: POSTER,
    send: (exchange) =>
      redeeming({ client_secret: 'wrong-secret-of-the-poster' })({ ...exchange, client: { client_id: 'poster' } }),
    answer: INVALID_CLIENT,
  },
  {
    name: 'a secret of a client that has none',
    client: CLIENTS.asker,
    send: redeeming({ client_secret: 'wrong-secret-of-the-asker' }),
    answer: INVALID_CLIENT,
  },
  {
    name: 'no client at all',
    send: (exchange) => redeeming({ client_id: undefined })({ ...exchange, client: { client_id: 'reader' } }),
    answer: INVALID_CLIENT,
  },
  { name: 'nothing at all', send: (exchange) => post(exchange, {}), answer: INVALID_CLIENT },
];
