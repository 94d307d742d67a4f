import { applyDecorators } from '@nestjs/common';
import {
  ApiBasicAuth,
  ApiBody,
  ApiConsumes,
  ApiHeader,
  ApiOperation,
  ApiResponse,
  ApiSecurity,
  ApiTags,
} from '@nestjs/swagger';
import { OAuthErrorAnswer, RouteErrorAnswer, TokenAnswer, TokenForm } from './raidiam.dto.js';

const interaction = {
  'x-fapi-interaction-id': {
    description: 'The one received where it is valid, a new UUID otherwise',
    schema: { type: 'string' as const },
  },
};

const retryAfter = {
  'Retry-After': { description: 'Seconds after which trying again helps', schema: { type: 'integer' as const } },
};

/** Documented as header only. */
const empty = (status: number, description: string, headers = {}) =>
  ApiResponse({ status, description, headers: { ...interaction, ...headers } });

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
    // A public client has no secret, and one of client_secret_post sends it in the form.
    ApiSecurity({}),
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
    empty(406, 'No acceptable representation'),
    empty(413, 'The request is too large'),
    empty(429, 'Too many requests', retryAfter),
    empty(500, 'Our failure'),
    empty(502, 'A gateway in front of us got no usable answer'),
    ApiResponse({
      status: 503,
      description: 'The database or the provider cannot be reached now',
      type: OAuthErrorAnswer,
      headers: { ...interaction, ...retryAfter },
    }),
    empty(504, 'A gateway in front of us got no answer in time'),
  );
