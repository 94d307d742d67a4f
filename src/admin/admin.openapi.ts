import { applyDecorators, type Type } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiResponse,
  ApiSecurity,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { ProblemDetails } from './admin.dto.js';

const PROBLEMS = {
  400: 'The request is not valid; `errors` names the wrong parameters',
  401: 'No credential of an administrator',
  403: 'The credential is for something else',
  404: 'There is no such resource',
  409: 'It exists already, or has been changed meanwhile',
  413: 'The body is too large',
  415: 'The body is of another type',
  500: 'Our failure',
  503: 'The database cannot be reached now',
} as const;

type Problem = keyof typeof PROBLEMS;

const HEADERS: Partial<
  Record<Problem, Record<string, { description: string; schema: { type: 'string' | 'integer' } }>>
> = {
  401: {
    'WWW-Authenticate': { description: 'How to authenticate', schema: { type: 'string' } },
    'Retry-After': { description: 'Seconds, after too many refusals', schema: { type: 'integer' } },
  },
  503: { 'Retry-After': { description: 'Seconds after which trying again helps', schema: { type: 'integer' } } },
};

const problem = (status: Problem) =>
  ApiResponse({
    status,
    description: PROBLEMS[status],
    ...(HEADERS[status] && { headers: HEADERS[status] }),
    content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDetails) } } },
  });

const linesOf = (line: Type, type: string) => ({ [type]: { schema: { $ref: getSchemaPath(line) } } });

interface Documented {
  summary: string;
  operationId: string;
  description?: string;
  /** What the path names. */
  path?: Record<string, string>;
  /** What the query may hold, beside the part of the list. */
  query?: Record<string, string>;
  /** What of it is true or false, and false where it is left out. */
  flags?: Record<string, string>;
  list?: boolean;
  body?: Type | { schema: object };
  bodyOptional?: boolean;
  /** Where it is not JSON: many of it, one a line. */
  bodyType?: string;
  answer?: Type;
  answerType?: string;
  status?: 200 | 201 | 202 | 204;
  location?: boolean;
  problems?: Problem[];
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

/** An operation of the admin API, with everything that it can answer. */
export function AdminOperation(documented: Documented) {
  const { summary, operationId, description, path = {}, query = {}, flags = {}, list, status = 200 } = documented;
  const { body, bodyType, answer, answerType } = documented;
  const required = !documented.bodyOptional;
  const problems = new Set<Problem>([401, 403, 500, 503, ...(documented.problems ?? [])]);
  if (list || Object.keys({ ...query, ...flags }).length > 0) problems.add(400);
  if (body) for (const one of [400, 413, 415] as const) problems.add(one);
  return applyDecorators(
    ApiTags('Admin'),
    ApiExtraModels(ProblemDetails),
    ApiOperation({ summary, operationId, ...(description !== undefined && { description }) }),
    ApiBearerAuth('admin-key'),
    ApiSecurity('SlashID-API-Key'),
    ...Object.entries(path).map(([name, text]) => ApiParam({ name, description: text, schema: { type: 'string' } })),
    ...Object.entries(query).map(([name, text]) =>
      ApiQuery({ name, required: false, description: text, schema: { type: 'string' } }),
    ),
    ...Object.entries(flags).map(([name, text]) =>
      ApiQuery({ name, required: false, description: text, schema: { type: 'boolean', default: false } }),
    ),
    ...(list ? PAGE : []),
    ...(body ? [ApiBody('schema' in body ? body : { type: body, required })] : []),
    ...(bodyType === undefined ? [] : [ApiConsumes(bodyType)]),
    ...(answer && answerType !== undefined ? [ApiExtraModels(answer)] : []),
    ApiResponse({
      status,
      description: summary,
      ...(answer && (answerType === undefined ? { type: answer } : { content: linesOf(answer, answerType) })),
      ...(documented.location && {
        headers: { Location: { description: 'Where it is', schema: { type: 'string' as const } } },
      }),
    }),
    ...[...problems].toSorted((one, other) => one - other).map(problem),
  );
}
