import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { validateSync, type ValidationError } from 'class-validator';
import type { Request } from 'express';
import { DomainError } from '../../../common/domain-error.js';
import { documentedMembers } from '../../../common/http/documented-members.js';
import {
  badData,
  badValueBoolean,
  badValueCaveat,
  badValueEmpty,
  badValueJson,
  badValueName,
  badValueString,
  badValueTextTooLarge,
  badValueTokenType,
  missingRequiredValue,
  type OnezoneProblem,
} from './onezone-problem.js';
import { isSmallJson, isTimeCaveat, MAX_METADATA_CHARACTERS } from './tokens.dto.js';

/** A body, if any, has to be JSON. @throws DomainError `request.unsupported-media-type` */
export function requireJson(request: Request): void {
  if (hasBody(request) && !request.is(['json', '+json'])) throw new DomainError('request.unsupported-media-type');
}

/**
 * The body in the shape that the endpoint documents; none is `{}`, and members that are not documented mean nothing.
 * @throws OnezoneProblem
 */
export const JsonBody = createParamDecorator((Shape: new () => object, context: ExecutionContext): object => {
  const request = context.switchToHttp().getRequest<Request>();
  requireJson(request);
  const body: unknown = request.body ?? {};
  if (typeof body !== 'object' || Array.isArray(body)) throw new DomainError('request.malformed');
  const { value } = documentedMembers(Shape, body as object);
  const [invalid] = validateSync(value);
  if (invalid) throw problemOf(invalid);
  return value;
});

/** By the names of class-validator's constraints; of several that fail the first here counts. */
const PROBLEMS: [constraint: string, (key: string, value: unknown) => OnezoneProblem][] = [
  ['isDefined', missingRequiredValue],
  ['isString', badValueString],
  ['isNotEmpty', badValueEmpty],
  ['matches', badValueName],
  ['isBoolean', badValueBoolean],
  ['isObject', badValueJson],
  ['isSmallJson', (key) => badValueTextTooLarge(key, MAX_METADATA_CHARACTERS)],
  ['isAccessTokenType', badValueTokenType],
  ['isArray', badData],
  ['isTimeCaveat', (key, value) => unknownCaveat(key, value as unknown[])],
];

/** The vendor repeats the caveat; we do unless it is beyond measure. */
function unknownCaveat(key: string, caveats: unknown[]): OnezoneProblem {
  const unknown = caveats.find((caveat) => !isTimeCaveat(caveat));
  return isSmallJson(unknown) ? badValueCaveat(unknown) : badData(key);
}

function problemOf({ property, constraints = {}, value }: ValidationError): OnezoneProblem {
  const [, problem] = PROBLEMS.find(([constraint]) => constraint in constraints) ?? ['', badData];
  return problem(property, value);
}

function hasBody(request: Request): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}
