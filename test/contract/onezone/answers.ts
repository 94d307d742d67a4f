import type { Wire } from '../../support/wire.js';

export const COMMON = {
  'access-control-allow-origin': '*',
  'cache-control': 'no-store',
  'content-type': 'application/json; charset=utf-8',
};
export const CHALLENGE = { 'www-authenticate': 'Bearer realm="onezone", Basic realm="onezone", charset="UTF-8"' };

export interface Problem {
  id: string;
  details?: Record<string, unknown>;
  description: string;
}

export const granted = (token = '<token of alice>', ttl = '<up to 3600 s>'): Wire => ({
  status: 200,
  headers: COMMON,
  body: { token, ttl },
});
export const refused = (status: number, error: Problem, headers: Record<string, string> = {}): Wire => ({
  status,
  headers: { ...COMMON, ...headers },
  body: { error },
});
export const unauthenticated = (authError: Problem): Wire =>
  refused(
    401,
    {
      id: 'unauthorized',
      details: { authError },
      description: 'Provided authentication is not valid (see details).',
    },
    CHALLENGE,
  );

export const NOBODY = refused(
  401,
  { id: 'unauthorized', description: 'You must authenticate yourself to perform this operation.' },
  CHALLENGE,
);
export const BAD_TOKEN = unauthenticated({
  id: 'badToken',
  description: 'Provided token could not be understood by the server.',
});
export const TOKEN_INVALID = unauthenticated({ id: 'tokenInvalid', description: 'Provided token is not valid.' });
export const BAD_BASIC = unauthenticated({ id: 'badBasicCredentials', description: 'Invalid username or password.' });
export const USER_BLOCKED: Problem = {
  id: 'userBlocked',
  description:
    'This user account has been blocked by the administrator and cannot be used unless it is unblocked again.',
};
export const FORBIDDEN = refused(403, {
  id: 'forbidden',
  description: 'You are not authorized to perform this operation.',
});
export const NOT_FOUND = refused(404, { id: 'notFound', description: 'The resource could not be found.' });
export const MALFORMED: Problem = {
  id: 'malformedData',
  description: 'Provided data could not be understood by the server.',
};
export const BAD_IDP = refused(400, {
  id: 'badValueNotAllowed',
  details: { key: 'idp', allowed: ['members-only', 'mobypay'] },
  description: 'Bad value: provided "idp" must be one of: members-only, mobypay.',
});
export const INTERNAL = refused(500, {
  id: 'internalServerError',
  description: 'The server has encountered an error while processing this request.',
});
export const notNow = (retryAfter: string): Wire =>
  refused(
    503,
    {
      id: 'externalServiceOperationFailed',
      details: { serviceName: 'identity provider' },
      description: 'Operation on the external service "identity provider" failed. Try again later.',
    },
    { 'retry-after': retryAfter },
  );
export const TOKEN_REVOKED: Problem = { id: 'tokenRevoked', description: 'Provided token has been revoked.' };
export const invalid = (error: Problem): Wire => refused(400, error);
export const about = (id: string, key: string, description: string): Wire =>
  invalid({ id, details: { key }, description });
export const badName = about(
  'badValueName',
  'name',
  'Bad value provided for "name": Name must be 2-128 characters long and composed only of UTF-8 letters, digits, brackets and underscores. Dashes, spaces and dots are allowed (but not at the beginning or the end).',
);
export const badCaveat = (caveat: unknown): Wire =>
  invalid({
    id: 'badValueCaveat',
    details: { caveat },
    description: `Provided caveat is invalid: '${JSON.stringify(caveat)}'.`,
  });
export const NO_TIME_CAVEAT = invalid({
  id: 'tokenTimeCaveatRequired',
  details: { maxTtl: 604_800 },
  description: 'You must specify a time caveat with maximum TTL of 604800 seconds.',
});
export const OCCUPIED = about(
  'badValueIdentifierOccupied',
  'name',
  'Bad value: provided identifier ("name") is already occupied.',
);
