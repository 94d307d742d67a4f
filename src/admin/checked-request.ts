import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import type { Request } from 'express';
import { DomainError, invalidParameter } from '../common/domain-error.js';
import { FormBody, queryParameters } from '../common/http/form.js';

type Shape = new () => object;

/** The JSON object of the body, without anything that its shape does not name. */
export const JsonBody = createParamDecorator((shape: Shape, context: ExecutionContext) =>
  checked(shape, jsonObject(context.switchToHttp().getRequest<Request>())),
);

/** The parameters of the query, likewise. */
export const QueryOf = createParamDecorator((shape: Shape, context: ExecutionContext) =>
  checked(shape, Object.fromEntries(queryParameters(context.switchToHttp().getRequest<Request>().originalUrl))),
);

/** @throws DomainError `request.malformed`, `request.unsupported-media-type` */
export function jsonObject(request: Request): object {
  const body: unknown = request.body;
  const otherType = request.headers['content-type'] !== undefined && !request.is(['json', '+json']);
  if (otherType || body instanceof FormBody) throw new DomainError('request.unsupported-media-type');
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new DomainError('request.malformed', { publicDetail: 'The body must be a JSON object.' });
  }
  return body;
}

/** @throws DomainError `request.parameter-invalid` with all that is wrong */
function checked(shape: Shape, given: object): object {
  const instance = plainToInstance(shape, given);
  const problems = validateSync(instance, { whitelist: true, forbidNonWhitelisted: true });
  if (problems.length > 0) {
    throw new DomainError('request.parameter-invalid', { meta: { errors: problems.map(toError) } });
  }
  return instance;
}

function toError({ property, constraints = {} }: ValidationError): { parameter: string; detail: string } {
  // The last is the decorator that stands first: what kind of value it has to be, before how large it may be.
  const detail = Object.values(constraints).at(-1) ?? 'is not valid';
  const { parameter = '' } = invalidParameter(property, '').meta;
  const unknown = 'whitelistValidation' in constraints;
  return { parameter, detail: unknown ? 'is unknown' : detail.replace(`${property} `, '') };
}
