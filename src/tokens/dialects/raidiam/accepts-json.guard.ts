import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { DomainError } from '../../../common/domain-error.js';

const JSON_TYPE = 'application/json';

/** Refuses who would not take the answer, before anything is spent on it. @see RFC 9110 section 12.5.1 */
@Injectable()
export class AcceptsJsonGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (request.accepts(JSON_TYPE) === false && !namesJson(request)) throw new DomainError('request.not-acceptable');
    return true;
  }
}

/** With whatever parameters: JSON has none, and clients send `charset=utf-8`. @see RFC 8259 section 11 */
function namesJson(request: Request): boolean {
  return request.accepts().some((type) => type.toLowerCase() === JSON_TYPE);
}
