import { blocked, type Actor, type Row } from '../../support/contract-row.js';
import type { RequestOptions } from '../../support/http-browser.js';
import type { Wire } from '../../support/wire.js';
import { CLIENTS, PROVIDER, READ_SCOPE, type AuthorizeOptions } from '../../support/world.js';
import { FORBIDDEN, INVALID_TOKEN, NOBODY, NOT_FOUND, missingLinkedIdentity, refused } from './answers.js';
import { JSON_TYPE, to } from './requests.js';

export const LINKING_SCOPE = `${READ_SCOPE} user:federated-identity:set user:federated-identity:delete`;

const identityPath = (provider: string = PROVIDER, version?: string): string =>
  `${version === undefined ? '' : `/user/${version}`}/federated-identities/${provider}`;

const as = (login: string, options: AuthorizeOptions = {}): AuthorizeOptions => ({
  login,
  scope: LINKING_SCOPE,
  ...options,
});
const DONE: Wire = { status: 204, headers: {}, body: '' };

const UNLINK = `UPDATE linked_accounts SET status = 'sign-in-only', access_token = NULL, refresh_token = NULL, id_token = NULL,
  data_key = NULL, encryption_key_id = NULL WHERE subject = ?`;
const unlinked = ({ world, login }: Actor): Promise<unknown> => world.database.query(UNLINK, [login]);
const sessionEnded = ({ world, login }: Actor): Promise<unknown> =>
  world.database.query(
    'UPDATE sessions SET ended_at = 1 WHERE user_id = (SELECT user_id FROM linked_accounts WHERE subject = ?)',
    [login],
  );
const withoutSession = ({ world, login }: Actor): Promise<unknown> =>
  world.database.query(
    'UPDATE grants SET session_id = NULL WHERE user_id = (SELECT user_id FROM linked_accounts WHERE subject = ?)',
    [login],
  );

/** Without a live session there is nothing that connecting an account could add to: no connect URL. */
const NO_SESSION: Wire = (() => {
  const { status, headers, body } = missingLinkedIdentity();
  const [{ meta: _, ...error }] = (body as { errors: [Record<string, unknown>] }).errors;
  return { status, headers, body: { errors: [error] } };
})();

const both = (row: (method: 'PUT' | 'DELETE', options: RequestOptions) => Row): Row[] =>
  (['PUT', 'DELETE'] as const).map((method) => row(method, { method }));

/** 204. */
export const linking: Row[] = [
  ...['PUT', 'PUT', 'DELETE', 'DELETE'].map((method, index): Row => ({
    name: `${method} at the bare path${index % 2 === 1 ? ', again' : ''}`,
    as: as('linker'),
    send: to(identityPath(), { method }),
    ...(method === 'DELETE' && index === 2 && { stores: true }),
    answer: DONE,
  })),
  {
    name: 'PUT with a version and an empty body of JSON',
    as: as('versioned'),
    send: to(identityPath(PROVIDER, '2024-3'), { method: 'PUT', body: '', headers: JSON_TYPE }),
    answer: DONE,
  },
  {
    name: 'PUT with a body that nobody asked for',
    as: as('versioned'),
    send: to(identityPath(), { method: 'PUT', json: { subject: 'another' } }),
    answer: DONE,
  },
  {
    name: 'DELETE with a version and an empty body of JSON',
    as: as('versioned'),
    send: to(identityPath(PROVIDER, '2031-9'), { method: 'DELETE', body: '', headers: JSON_TYPE }),
    stores: true,
    answer: DONE,
  },
  {
    name: 'DELETE where nothing was ever linked',
    as: as('linker'),
    send: to(identityPath('online-only'), { method: 'DELETE' }),
    answer: DONE,
  },
];

/** 401 `missing-linked-identity`. */
export const nothingToLink: Row[] = [
  {
    name: 'PUT where the session began elsewhere',
    as: as('elsewhere'),
    send: to(identityPath('online-only'), { method: 'PUT' }),
    stores: true,
    answer: missingLinkedIdentity('online-only'),
  },
  {
    name: 'PUT after the tokens were deleted: they never come back',
    as: as('forgotten'),
    given: unlinked,
    send: to(identityPath(), { method: 'PUT' }),
    stores: true,
    answer: missingLinkedIdentity(),
  },
  {
    name: 'PUT after the session has ended',
    as: as('logged-out'),
    given: sessionEnded,
    send: to(identityPath(), { method: 'PUT' }),
    answer: NO_SESSION,
  },
  {
    name: 'PUT with a token without a session',
    as: as('sessionless'),
    given: withoutSession,
    send: to(identityPath(), { method: 'PUT' }),
    answer: NO_SESSION,
  },
];

/** Who may not. */
export const linkingRefused: Row[] = [
  ...both((method) => ({
    name: `${method} without a token`,
    send: ({ world }) => world.request(identityPath(), { method }),
    answer: NOBODY,
  })),
  ...both((method) => ({
    name: `${method} with something that is no token`,
    send: ({ world }) => world.request(identityPath(), { method, headers: { authorization: 'Bearer x' } }),
    answer: INVALID_TOKEN,
  })),
  ...both((method, options) => ({
    name: `${method} without the scope, though with the others`,
    as: as('narrow-linker', { scope: LINKING_SCOPE.replace(/ \S*:(set|delete)/g, '') }),
    send: to(identityPath(), options),
    answer: FORBIDDEN,
  })),
  {
    name: 'PUT with the scope of DELETE',
    as: as('only-delete', { scope: LINKING_SCOPE.replace(' user:federated-identity:set', '') }),
    send: to(identityPath(), { method: 'PUT' }),
    answer: FORBIDDEN,
  },
  {
    name: 'DELETE with the scope of PUT',
    as: as('only-set', { scope: LINKING_SCOPE.replace(' user:federated-identity:delete', '') }),
    send: to(identityPath(), { method: 'DELETE' }),
    answer: FORBIDDEN,
  },
  ...both((method, options) => ({
    name: `${method} through a client that has no provider`,
    as: as('stranger-linker', { client: CLIENTS.stranger }),
    send: to(identityPath(), options),
    answer: FORBIDDEN,
  })),
  ...both((method, options) => ({
    name: `${method} at a provider that is not the client's`,
    as: as('linker'),
    send: to(identityPath('members-only'), options),
    answer: FORBIDDEN,
  })),
  ...both((method, options) => ({
    name: `${method} for a blocked user`,
    as: as(`blocked-${method}`),
    given: blocked,
    send: to(identityPath(), options),
    answer: NOBODY,
  })),
];

/** 404, and the one status beside the documented ones. */
export const linkingUnknown: Row[] = [
  ...both((method, options) => ({
    name: `${method} at a provider`,
    as: as('linker'),
    send: to(identityPath('nowhere'), options),
    answer: NOT_FOUND,
  })),
  ...both((method, options) => ({
    name: `${method} with a version that is none`,
    as: as('linker'),
    send: to(identityPath(PROVIDER, 'v1'), options),
    answer: NOT_FOUND,
  })),
  ...['GET', 'POST', 'PATCH'].map((method): Row => ({
    name: `${method} is no method of the identity`,
    as: as('linker'),
    send: to(identityPath(), { method }),
    answer: refused(405, { code: 'method-not-allowed', title: 'Method not allowed' }, { allow: 'DELETE, PUT' }),
  })),
];
