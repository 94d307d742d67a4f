import { applyDecorators, type Type } from '@nestjs/common';
import {
  ApiBasicAuth,
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiOperation,
  ApiResponse,
  ApiSecurity,
  ApiTags,
} from '@nestjs/swagger';
import { SlashidErrors } from './errors.dto.js';

const REFUSALS = {
  400: 'The request is wrong',
  403: 'The client is not who it says, or may not do this',
  413: 'The body is too large',
  500: 'Our failure',
} as const;

const retryAfter = {
  'Retry-After': { description: 'Seconds after which trying again helps', schema: { type: 'integer' as const } },
};

interface Documented {
  summary: string;
  operationId: string;
  description: string;
  body: Type;
  /** What 200 says; nothing where it is empty. */
  answer?: Type;
}

/** An operation on tokens as SlashID documents it, with everything that it can answer. */
export function TokenOperation({ summary, operationId, description, body, answer }: Documented) {
  return applyDecorators(
    ApiTags('SlashID'),
    ApiExtraModels(SlashidErrors),
    ApiOperation({ summary, operationId, description }),
    ApiBasicAuth('client'),
    // A public client has no secret, and others send theirs in the form.
    ApiSecurity({}),
    ApiConsumes('application/x-www-form-urlencoded'),
    ApiBody({ type: body }),
    ApiResponse({ status: 200, description: summary, ...(answer && { type: answer }) }),
    ...Object.entries(REFUSALS).map(([status, text]) =>
      ApiResponse({ status: Number(status), description: text, type: SlashidErrors }),
    ),
    ApiResponse({ status: 429, description: 'Too many requests', type: SlashidErrors, headers: retryAfter }),
    ApiResponse({
      status: 503,
      description: 'The database cannot be reached now',
      type: SlashidErrors,
      headers: retryAfter,
    }),
  );
}
