import { applyDecorators, type Type } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiExtraModels,
  ApiHeader,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiResponse,
  ApiSecurity,
  ApiTags,
} from '@nestjs/swagger';
import { SlashidErrors } from './errors.dto.js';

const REFUSALS = {
  400: 'The request is not valid',
  403: 'The credential does not allow it',
  404: 'There is no such client',
  413: 'The body is too large',
  500: 'Our failure',
} as const;

type Refusal = keyof typeof REFUSALS;

const retryAfter = (description: string) => ({
  'Retry-After': { description, schema: { type: 'integer' as const } },
});

interface Documented {
  summary: string;
  operationId: string;
  description?: string;
  one?: boolean;
  list?: boolean;
  body?: Type;
  status?: 200 | 201 | 204;
  answer?: Type;
}

/** An operation on clients as SlashID documents it, with everything that it can answer. */
export function ClientOperation(documented: Documented) {
  const { summary, operationId, description, one, list, body, status = 200, answer } = documented;
  const refusals: Refusal[] = [
    ...(body || list || one ? [400 as const] : []),
    403,
    ...(one ? [404 as const] : []),
    ...(body ? [413 as const] : []),
    500,
  ];
  return applyDecorators(
    ApiTags('SlashID'),
    ApiExtraModels(SlashidErrors),
    ApiOperation({ summary, operationId, ...(description !== undefined && { description }) }),
    ApiSecurity('SlashID-API-Key'),
    ApiBearerAuth('admin-key'),
    ApiHeader({
      name: 'SlashID-OrgID',
      required: false,
      description: 'The organization; there is one here, so it changes nothing',
      schema: { type: 'string' },
    }),
    ...(one ? [ApiParam({ name: 'id', description: 'The client', schema: { type: 'string' } })] : []),
    ...(list ? PAGE : []),
    ...(body ? [ApiBody({ type: body })] : []),
    ApiResponse({ status, description: summary, ...(answer && { type: answer }) }),
    ...refusals.map((each) => ApiResponse({ status: each, description: REFUSALS[each], type: SlashidErrors })),
    ApiResponse({
      status: 401,
      description: 'A wrong API key, or none',
      headers: {
        'WWW-Authenticate': { description: 'How to authenticate', schema: { type: 'string' } },
        ...retryAfter('Seconds, after too many refusals'),
      },
    }),
    ApiResponse({
      status: 503,
      description: 'The database cannot be reached now',
      type: SlashidErrors,
      headers: retryAfter('Seconds after which trying again helps'),
    }),
  );
}

const PAGE = [
  ApiQuery({
    name: 'limit',
    required: false,
    description: 'How many at most',
    schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
  }),
  ApiQuery({
    name: 'offset',
    required: false,
    description: 'How many to pass over',
    schema: { type: 'integer', minimum: 0, default: 0 },
  }),
];
