import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { validateSync, type ValidationError } from 'class-validator';
import type { Request } from 'express';
import { DomainError, invalidParameter } from '../domain-error.js';
import { documentedMembers } from './documented-members.js';
import { FormBody, queryParameters } from './form.js';

type Shape = new () => object;

/** The JSON object of the body, without anything that its shape does not name. */
export const JsonBody = createParamDecorator((shape: Shape, context: ExecutionContext) =>
  checked(shape, jsonObject(context.switchToHttp().getRequest<Request>())),
);

/** The same where all of it may be left out, the body too. */
export const OptionalJsonBody = createParamDecorator((shape: Shape, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest<Request>();
  const nothing = request.body === undefined && request.headers['content-type'] === undefined;
  return checked(shape, nothing ? {} : jsonObject(request));
});

/** The parameters of the query, likewise; what looks like a number is one. */
export const QueryOf = createParamDecorator((shape: Shape, context: ExecutionContext) =>
  checked(shape, queryObject(context.switchToHttp().getRequest<Request>())),
);

/** The JSON object of the body where members that nobody knows are ignored, and null says nothing. */
export const TolerantJsonBody = createParamDecorator((shape: Shape, context: ExecutionContext) =>
  tolerated(shape, jsonObject(context.switchToHttp().getRequest<Request>())),
);

/** The parameters of the query, likewise. */
export const TolerantQueryOf = createParamDecorator((shape: Shape, context: ExecutionContext) =>
  tolerated(shape, queryObject(context.switchToHttp().getRequest<Request>())),
);

function queryObject({ originalUrl }: Request): object {
  return Object.fromEntries(
    [...queryParameters(originalUrl)].map(([name, text]) => [name, NUMBERS.has(name) ? integer(text) : text]),
  );
}

const integer = (text: string): number | string => (/^-?\d{1,9}$/.test(text) ? Number(text) : text);
const NUMBERS = new Set(['limit', 'offset']);

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
export function checked<Value extends object>(shape: new () => Value, given: object): Value {
  const { value, others } = documentedMembers(shape, given);
  return valid(
    value as Value,
    others.map((name) => ({ parameter: publicName(name), detail: 'is unknown' })),
  );
}

function tolerated<Value extends object>(shape: new () => Value, given: object): Value {
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  return valid(documentedMembers(shape, said).value as Value);
}

function valid<Value extends object>(value: Value, others: ParameterError[] = []): Value {
  const errors = [...validateSync(value).map(toError), ...others];
  if (errors.length > 0) throw new DomainError('request.parameter-invalid', { meta: { errors } });
  return value;
}

interface ParameterError {
  parameter: string;
  detail: string;
}

function toError({ property, constraints = {} }: ValidationError): ParameterError {
  // The last is the decorator that stands first: what kind of value it has to be, before how large it may be.
  const detail = Object.values(constraints).at(-1) ?? 'is not valid';
  return { parameter: property, detail: detail.replace(`${property} `, '') };
}

/** Only a name of the expected form is repeated to the caller. */
export function publicName(parameter: string): string {
  return invalidParameter(parameter, '').meta.parameter ?? '';
}
