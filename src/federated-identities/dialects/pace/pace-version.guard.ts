import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { DomainError } from '../../../common/domain-error.js';

/** A version is a year and a number, such as `2024-3`; all have the same shape. */
@Injectable()
export class PaceVersionGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const version = context.switchToHttp().getRequest<Request>().params['version'];
    if (version !== undefined && !/^\d{4}-\d$/.test(String(version))) throw new DomainError('request.route-unknown');
    return true;
  }
}
