import { applyDecorators } from '@nestjs/common';
import {
  ApiBasicAuth,
  ApiBearerAuth,
  ApiBody,
  ApiExtraModels,
  ApiOAuth2,
  ApiOperation,
  ApiParam,
  ApiResponse,
  ApiSecurity,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { UPSTREAM_TOKEN_SCOPE, USER_TOKENS_SCOPE } from '../../../config/index.js';
import { OnezoneConfiguration } from './configuration.dto.js';
import { CurrentUser } from './current-user.dto.js';
import { IdpAccessToken, OnezoneErrorAnswer, type OnezoneErrorDescription } from './onezone.dto.js';
import {
  NamedTokenCreated,
  NamedTokenCreateRequest,
  NamedTokenDetails,
  NamedTokenUpdateRequest,
  TemporaryTokenCreated,
  TemporaryTokenCreateRequest,
  TokenIds,
  TokenVerified,
  VerifyAccessTokenRequest,
} from './tokens.dto.js';

const retryAfter = {
  'Retry-After': { description: 'Seconds after which trying again helps', schema: { type: 'integer' as const } },
};
const challenge = { 'WWW-Authenticate': { description: 'How to authenticate', schema: { type: 'string' as const } } };

const BLOCKED =
  'This user account has been blocked by the administrator and cannot be used unless it is unblocked again.';

const EXAMPLES = {
  400: {
    badValueNotAllowed: {
      id: 'badValueNotAllowed',
      details: { key: 'idp', allowed: ['mobypay'] },
      description: 'Bad value: provided "idp" must be one of: mobypay.',
    },
    userBlocked: { id: 'userBlocked', description: BLOCKED },
    malformedData: { id: 'malformedData', description: 'Provided data could not be understood by the server.' },
  },
  401: {
    noCredentials: {
      id: 'unauthorized',
      description: 'You must authenticate yourself to perform this operation.',
    },
    tokenInvalid: {
      id: 'unauthorized',
      details: { authError: { id: 'tokenInvalid', description: 'Provided token is not valid.' } },
      description: 'Provided authentication is not valid (see details).',
    },
  },
  403: { forbidden: { id: 'forbidden', description: 'You are not authorized to perform this operation.' } },
  404: { notFound: { id: 'notFound', description: 'The resource could not be found.' } },
  415: { malformedData: { id: 'malformedData', description: 'Provided data could not be understood by the server.' } },
  500: {
    internalServerError: {
      id: 'internalServerError',
      description: 'The server has encountered an error while processing this request.',
    },
  },
  503: {
    externalServiceOperationFailed: {
      id: 'externalServiceOperationFailed',
      details: { serviceName: 'identity provider' },
      description: 'Operation on the external service "identity provider" failed. Try again later.',
    },
    serviceUnavailable: {
      id: 'serviceUnavailable',
      description: 'The service is temporarily unavailable. Try again later.',
    },
  },
} satisfies Record<number, Record<string, OnezoneErrorDescription>>;

type Examples = Record<string, OnezoneErrorDescription>;

/** An error, with the examples of its status unless the operation has its own. */
const error = (
  status: keyof typeof EXAMPLES,
  description: string,
  headers?: typeof retryAfter | typeof challenge,
  examples: Examples = EXAMPLES[status],
) =>
  ApiResponse({
    status,
    description,
    ...(headers && { headers }),
    content: {
      'application/json': {
        schema: { $ref: getSchemaPath(OnezoneErrorAnswer) },
        examples: Object.fromEntries(
          Object.entries(examples).map(([name, example]) => [name, { value: { error: example } }]),
        ),
      },
    },
  });

/** The credentials of a user, and the scopes of our own OAuth that a client needs. */
const asUser = (...scopes: string[]) =>
  applyDecorators(
    ApiOAuth2(scopes, 'oauth2'),
    ApiBearerAuth('bearer'),
    ApiSecurity('x-auth-token'),
    ApiSecurity('macaroon'),
    ApiBasicAuth('user'),
  );

/** `POST /user/idp_access_token/{idp}` as Onezone documents it. */
export const AcquireDocumentation = () =>
  applyDecorators(
    ApiTags('Onezone'),
    ApiExtraModels(OnezoneErrorAnswer),
    ApiOperation({
      summary: 'Acquire IdP access token',
      operationId: 'acquireIdpAccessToken',
      description:
        "Acquires an access token issued by given IdP for the current user. This operation requires that the IdP is configured to support offline access - issues refresh tokens upon user's login, which are later used to acquire new access tokens when they expire. The user must first log in using given IdP, otherwise the operation will return a 404 error. This operation can be invoked on behalf of current user only.",
    }),
    asUser(UPSTREAM_TOKEN_SCOPE),
    ApiParam({ name: 'idp', description: 'IdP identifier.', schema: { type: 'string', example: 'mobypay' } }),
    ApiBody({
      required: false,
      description: 'Nothing needs to be sent; a body has to be JSON.',
      schema: { type: 'object' },
      examples: { empty: { value: {} } },
    }),
    ApiResponse({ status: 200, description: 'The access token issued by the given IdP.', type: IdpAccessToken }),
    error(400, 'Invalid request.'),
    error(401, 'Authentication error.', challenge),
    error(403, 'Authorization error.'),
    error(404, 'Resource not found: no linked account, or no token that can be refreshed.'),
    error(415, 'The body is not JSON.'),
    error(500, 'Internal server error.'),
    error(503, 'The provider cannot be asked now.', retryAfter),
  );

const operation = (operationId: string, summary: string, description: string) =>
  applyDecorators(
    ApiTags('Onezone'),
    ApiExtraModels(OnezoneErrorAnswer),
    ApiOperation({ summary, operationId, description }),
    error(500, 'Internal server error.'),
  );

/** `GET /user`. */
export const CurrentUserDocumentation = () =>
  applyDecorators(
    operation(
      'getCurrentUser',
      'Get current user details',
      'Details about the current user. The own credentials of the user show everything; a client sees the names with the scope `profile`, e-mail addresses with `email`, and with `federated-identity:token` the linked accounts at the IdPs whose tokens it may read.',
    ),
    asUser(),
    ApiResponse({ status: 200, description: 'The information about the user.', type: CurrentUser }),
    error(400, 'Invalid request.', undefined, { userBlocked: EXAMPLES[400].userBlocked }),
    error(401, 'Authentication error.', challenge),
  );

/** `GET /configuration`. */
export const ConfigurationDocumentation = () =>
  applyDecorators(
    operation(
      'getConfiguration',
      'Get public configuration',
      'Public information about the service. This operation does not require authentication.',
    ),
    ApiResponse({ status: 200, description: 'The configuration.', type: OnezoneConfiguration }),
  );

const MISSING_NAME = {
  missingRequiredValue: {
    id: 'missingRequiredValue',
    details: { key: 'name' },
    description: 'Missing required value: name.',
  },
};
const OCCUPIED_NAME = {
  badValueIdentifierOccupied: {
    id: 'badValueIdentifierOccupied',
    details: { key: 'name' },
    description: 'Bad value: provided identifier ("name") is already occupied.',
  },
};
const NO_TIME_CAVEAT = {
  tokenTimeCaveatRequired: {
    id: 'tokenTimeCaveatRequired',
    details: { maxTtl: 604_800 },
    description: 'You must specify a time caveat with maximum TTL of 604800 seconds.',
  },
};
const NOTHING_TO_CHANGE = {
  missingAtLeastOneValue: {
    id: 'missingAtLeastOneValue',
    details: { keys: ['customMetadata', 'name', 'revoked'] },
    description: 'Missing data, you must provide at least one of: customMetadata, name, revoked.',
  },
};
const TOKEN_INVALID = { tokenInvalid: { id: 'tokenInvalid', description: 'Provided token is not valid.' } };

const { userBlocked, malformedData } = EXAMPLES[400];

/** An operation on tokens of the current user, and how its request can be wrong. */
const onTokens = (operationId: string, summary: string, description: string, wrong: Examples = {}) =>
  applyDecorators(
    operation(
      operationId,
      summary,
      `${description} A client needs the scope \`onezone:tokens\` and reaches the tokens that were made through it; tokens that users made cannot do this.`,
    ),
    asUser(USER_TOKENS_SCOPE),
    error(400, 'Invalid request.', undefined, { ...wrong, userBlocked }),
    error(401, 'Authentication error.', challenge),
    error(403, 'Authorization error.'),
  );

const tokenId = () =>
  ApiParam({
    name: 'id',
    description: 'Token id.',
    schema: { type: 'string', example: '2b5d0dd5-aa64-43a6-9277-b5ce0544fec2' },
  });
const json = (type: new () => object, required: boolean) =>
  applyDecorators(ApiBody({ type, required }), error(415, 'The body is not JSON.'));
const notFound = () => error(404, 'Resource not found.');

/** `POST /user/tokens/named`. */
export const CreateNamedDocumentation = () =>
  applyDecorators(
    onTokens(
      'createNamedTokenForCurrentUser',
      'Create named token for current user',
      'Creates a named access token, which lasts until it is deleted unless a time caveat ends it, and can do what its creator can.',
      { ...MISSING_NAME, ...OCCUPIED_NAME, malformedData },
    ),
    json(NamedTokenCreateRequest, true),
    ApiResponse({
      status: 201,
      description: 'The id of the named token, and the token.',
      type: NamedTokenCreated,
      headers: { Location: { description: 'Where its details are', schema: { type: 'string' } } },
    }),
  );

/** `GET /user/tokens/named`. */
export const ListNamedDocumentation = () =>
  applyDecorators(
    onTokens(
      'listNamedTokensOfCurrentUser',
      'List named tokens of current user',
      'Returns the ids of the named tokens, in the order of their names.',
    ),
    ApiResponse({ status: 200, description: 'The ids of the named tokens.', type: TokenIds }),
  );

/** `DELETE /user/tokens/named`. */
export const DeleteAllNamedDocumentation = () =>
  applyDecorators(
    onTokens('deleteNamedTokensOfCurrentUser', 'Delete named tokens of current user', 'Deletes all named tokens.'),
    ApiResponse({ status: 204, description: 'All named tokens have been deleted.' }),
  );

/** `POST /user/tokens/temporary`. */
export const CreateTemporaryDocumentation = () =>
  applyDecorators(
    onTokens(
      'createTemporaryTokenForCurrentUser',
      'Create temporary token for current user',
      'Creates a temporary access token. It has to have a time caveat that ends it within a week, and cannot be listed, revoked or deleted.',
      { ...NO_TIME_CAVEAT, malformedData },
    ),
    json(TemporaryTokenCreateRequest, true),
    ApiResponse({ status: 201, description: 'The temporary token.', type: TemporaryTokenCreated }),
  );

/** `GET /tokens/named/{id}`. */
export const GetNamedDocumentation = () =>
  applyDecorators(
    onTokens('getNamedToken', 'Get named token', 'Returns the information about a named token.'),
    tokenId(),
    ApiResponse({ status: 200, description: 'The details of the named token.', type: NamedTokenDetails }),
    notFound(),
  );

/** `PATCH /tokens/named/{id}`. */
export const ChangeNamedDocumentation = () =>
  applyDecorators(
    onTokens(
      'modifyNamedToken',
      'Modify named token',
      'Renames a named token, replaces its metadata, revokes it or makes it valid again.',
      { ...NOTHING_TO_CHANGE, ...OCCUPIED_NAME, malformedData },
    ),
    tokenId(),
    json(NamedTokenUpdateRequest, true),
    ApiResponse({ status: 204, description: 'The named token has been updated.' }),
    notFound(),
  );

/** `DELETE /tokens/named/{id}`. */
export const DeleteNamedDocumentation = () =>
  applyDecorators(
    onTokens('deleteNamedToken', 'Delete named token', 'Deletes a named token: nobody can use it any more.'),
    tokenId(),
    ApiResponse({ status: 204, description: 'The named token was deleted.' }),
    notFound(),
  );

/** `POST /tokens/verify_access_token`. */
export const VerifyDocumentation = () =>
  applyDecorators(
    operation(
      'verifyAccessToken',
      'Verify an access token',
      'Verifies an access token, and says whose it is and how long it lives. This operation does not require authentication.',
    ),
    json(VerifyAccessTokenRequest, true),
    ApiResponse({ status: 200, description: 'Whose token it is.', type: TokenVerified }),
    error(400, 'The token is not valid, or the request is not.', undefined, {
      ...TOKEN_INVALID,
      badValueToken: {
        id: 'badValueToken',
        details: {
          key: 'token',
          tokenError: { id: 'badToken', description: 'Provided token could not be understood by the server.' },
        },
        description: 'Bad value: provided "token" is not a valid token (see details).',
      },
      userBlocked,
      malformedData,
    }),
  );
