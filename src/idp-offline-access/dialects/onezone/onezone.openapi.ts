import { applyDecorators } from '@nestjs/common';
import {
  ApiBasicAuth,
  ApiBearerAuth,
  ApiBody,
  ApiOAuth2,
  ApiOperation,
  ApiParam,
  ApiResponse,
  ApiSecurity,
  ApiTags,
} from '@nestjs/swagger';
import { IdpAccessToken, OnezoneErrorAnswer } from './onezone.dto.js';

const retryAfter = {
  'Retry-After': { description: 'Seconds after which trying again helps', schema: { type: 'integer' as const } },
};
const challenge = { 'WWW-Authenticate': { description: 'How to authenticate', schema: { type: 'string' as const } } };

const error = (status: number, description: string, headers = {}) =>
  ApiResponse({ status, description, type: OnezoneErrorAnswer, headers });

/** `POST /user/idp_access_token/{idp}` as Onezone documents it. */
export const AcquireDocumentation = () =>
  applyDecorators(
    ApiTags('Onezone'),
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
    ApiParam({ name: 'idp', description: 'IdP identifier.', schema: { type: 'string' }, example: 'mobypay' }),
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
