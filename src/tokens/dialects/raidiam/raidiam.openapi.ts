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
import {
  IntrospectionAnswer,
  OAuthErrorAnswer,
  PresentedTokenForm,
  RouteErrorAnswer,
  TokenAnswer,
  TokenForm,
} from './raidiam.dto.js';

/** On every answer. */
export const interaction = {
  'x-fapi-interaction-id': {
    description: 'The one received where it is valid, a new UUID otherwise',
    schema: { type: 'string' as const },
  },
};

const retryAfter = {
  'Retry-After': { description: 'Seconds after which trying again helps', schema: { type: 'integer' as const } },
};

const challenge = {
  'WWW-Authenticate': { description: 'How to authenticate', schema: { type: 'string' as const } },
};

/** Documented as header only. */
const empty = (status: number, description: string, headers = {}) =>
  ApiResponse({ status, description, headers: { ...interaction, ...headers } });

const FORM = 'application/x-www-form-urlencoded';

/** What every endpoint that a client authenticates at takes and may answer. */
const ClientEndpoint = () =>
  applyDecorators(
    ApiTags('Raidiam'),
    ApiBasicAuth('client'),
    ApiHeader({
      name: 'x-fapi-interaction-id',
      required: false,
      description: 'An RFC 4122 UUID that comes back in the answer',
      schema: { type: 'string' },
    }),
    ApiResponse({ status: 400, description: 'The request is refused', type: OAuthErrorAnswer, headers: interaction }),
    ApiResponse({ status: 404, description: 'No such route', type: RouteErrorAnswer, headers: interaction }),
    empty(413, 'The request is too large'),
    empty(429, 'Too many requests', retryAfter),
    empty(500, 'Our failure'),
    empty(502, 'A gateway in front of us got no usable answer'),
    empty(503, 'The database or the provider cannot be reached now', retryAfter),
    empty(504, 'A gateway in front of us got no answer in time'),
  );

const unauthenticated = (description: string) =>
  ApiResponse({ status: 401, description, type: OAuthErrorAnswer, headers: { ...interaction, ...challenge } });

/** `POST /token` as Raidiam Connect documents it. */
export const RaidiamTokenDocumentation = () =>
  applyDecorators(
    ClientEndpoint(),
    ApiOperation({
      summary: 'Token endpoint',
      operationId: 'postToken',
      description:
        'Exchanges client credentials, an authorization code or a refresh token for tokens (RFC 6749 sections 4.4, 4.1.3 and 6).',
    }),
    // A public client has no secret, and others send theirs, or an assertion, in the form.
    ApiSecurity({}),
    ApiConsumes(FORM),
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
      name: 'x-customer-user-agent',
      required: false,
      description: "The user's user agent",
      schema: { type: 'string' },
    }),
    ApiResponse({ status: 200, description: 'The tokens', type: TokenAnswer, headers: interaction }),
    unauthenticated('The client that used the Authorization header is not authenticated'),
    empty(406, 'No acceptable representation'),
  );

/** `POST /token/introspection` as Raidiam Connect documents it. */
export const RaidiamIntrospectionDocumentation = () =>
  applyDecorators(
    ClientEndpoint(),
    ApiOperation({
      summary: 'Introspection endpoint',
      operationId: 'postTokenIntrospection',
      description:
        'Whether a token is active (RFC 7662): said to its own client, to those of its audience, and to clients with `introspection: any`.',
    }),
    ApiSecurity({}),
    ApiConsumes(FORM, 'application/json'),
    ApiBody({ type: PresentedTokenForm }),
    ApiResponse({ status: 200, description: 'What it is worth', type: IntrospectionAnswer, headers: interaction }),
    unauthenticated('The client is not authenticated, or is a public one'),
    empty(406, 'No acceptable representation'),
  );

/** `POST /token/revocation`, documented with 204, and the standard endpoint beside it, which answers 200. */
export const RaidiamRevocationDocumentation = (operationId: string, status: 200 | 204) =>
  applyDecorators(
    ClientEndpoint(),
    ApiOperation({
      summary: 'Revocation endpoint',
      operationId,
      description:
        'Ends a token (RFC 7009). A refresh token takes along all that was issued from the same grant; an access token goes alone.',
    }),
    ApiSecurity({}),
    ApiConsumes(FORM),
    ApiBody({ type: PresentedTokenForm }),
    empty(status, 'It has ended, or there is no such token of the client'),
    unauthenticated('The client that used the Authorization header is not authenticated'),
  );
