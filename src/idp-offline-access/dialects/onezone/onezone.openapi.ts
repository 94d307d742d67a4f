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
import { IdpAccessToken, OnezoneErrorAnswer, type OnezoneErrorDescription } from './onezone.dto.js';

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

const error = (status: keyof typeof EXAMPLES, description: string, headers?: typeof retryAfter | typeof challenge) =>
  ApiResponse({
    status,
    description,
    ...(headers && { headers }),
    content: {
      'application/json': {
        schema: { $ref: getSchemaPath(OnezoneErrorAnswer) },
        examples: Object.fromEntries(
          Object.entries(EXAMPLES[status]).map(([name, example]) => [name, { value: { error: example } }]),
        ),
      },
    },
  });

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
    ApiOAuth2(['federated-identity:token'], 'oauth2'),
    ApiBearerAuth('bearer'),
    ApiSecurity('x-auth-token'),
    ApiSecurity('macaroon'),
    ApiBasicAuth('user'),
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
