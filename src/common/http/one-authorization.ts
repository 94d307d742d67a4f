import type { NextFunction, Request, Response } from 'express';
import { DomainError } from '../domain-error.js';

/** Of two such headers Node keeps the first, and a gateway before us may have judged the other. @see RFC 9110 section 5.3 */
export function refuseTwoAuthorizations({ rawHeaders }: Request, _response: Response, next: NextFunction): void {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === 'authorization') count += 1;
  }
  next(count > 1 ? new DomainError('request.malformed', { publicDetail: TWO }) : undefined);
}

const TWO = 'The request has two Authorization headers.';
