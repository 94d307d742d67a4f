import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { DomainError } from '../../../common/domain-error.js';

/** Refuses who would not take the answer, before anything is spent on it. @see RFC 9110 section 12.5.1 */
@Injectable()
export class AcceptsJsonGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const acceptable = context.switchToHttp().getRequest<Request>().accepts('application/json');
    if (acceptable === false) throw new DomainError('request.not-acceptable');
    return true;
  }
}
