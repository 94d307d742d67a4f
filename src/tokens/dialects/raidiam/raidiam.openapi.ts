import { applyDecorators } from '@nestjs/common';
import { ApiBasicAuth, ApiBody, ApiConsumes, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { OAuthErrorAnswer, RouteErrorAnswer, TokenAnswer, TokenForm } from './raidiam.dto.js';

const interaction = {
  'x-fapi-interaction-id': {
    description: 'The one received where it is valid, a new UUID otherwise',
    schema: { type: 'string' as const },
  },
};

const empty = (status: number, description: string) => ApiResponse({ status, description, headers: interaction });

/** `POST /token` as Raidiam Connect documents it. */
export const RaidiamTokenDocumentation = () =>
  applyDecorators(
    ApiTags('Raidiam'),
    ApiOperation({
      summary: 'Token endpoint',
      operationId: 'postToken',
      description: 'Exchanges an authorization code for tokens (RFC 6749 section 4.1.3).',
    }),
    ApiBasicAuth('client'),
    ApiConsumes('application/x-www-form-urlencoded'),
    ApiBody({ type: TokenForm }),
    ApiHeader({
      name: 'x-fapi-auth-date',
      required: false,
      description: 'When the user last signed in to the client',
      schema: {
        type: 'string',
        pattern:
          '^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \\d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \\d{4} \\d{2}:\\d{2}:\\d{2} (GMT|UTC)$',
      },
    }),
    ApiHeader({
      name: 'x-fapi-customer-ip-address',
      required: false,
      description: "The user's network address",
      schema: { type: 'string' },
    }),
    ApiHeader({
      name: 'x-fapi-interaction-id',
      required: false,
      description: 'An RFC 4122 UUID that comes back in the answer',
      schema: { type: 'string' },
    }),
    ApiHeader({
      name: 'x-customer-user-agent',
      required: false,
      description: "The user's user agent",
      schema: { type: 'string' },
    }),
    ApiResponse({ status: 200, description: 'The tokens', type: TokenAnswer, headers: interaction }),
    ApiResponse({ status: 400, description: 'The request is refused', type: OAuthErrorAnswer, headers: interaction }),
    ApiResponse({
      status: 401,
      description: 'The client that used the Authorization header is not authenticated',
      type: OAuthErrorAnswer,
      headers: interaction,
    }),
    ApiResponse({ status: 404, description: 'No such route', type: RouteErrorAnswer, headers: interaction }),
    empty(413, 'The request is too large'),
    empty(500, 'Our failure'),
  );
