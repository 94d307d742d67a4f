import { createParamDecorator, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { DomainError } from '../../common/domain-error.js';
import { Secret } from '../../common/secret.js';
import type { AuthenticatedRequest, Caller } from './caller.js';

/** Something that knows whose a token is. */
export interface TokenAuthentication {
  /** @throws DomainError `credentials.*` */
  authenticate(token: Secret): Promise<Caller>;
}

/** The guard of all faces. A face says only which tokens it takes and where its credentials stand in the request. */
export abstract class CallerGuard implements CanActivate {
  constructor(private readonly tokens: TokenAuthentication) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    request.caller = await this.authenticate(request);
    return true;
  }

  /** @throws DomainError `credentials.*` */
  protected authenticate(request: Request): Promise<Caller> {
    const token = this.presentedToken(request);
    if (!token) throw new DomainError('credentials.missing');
    return this.tokens.authenticate(token);
  }

  protected abstract presentedToken(request: Request): Secret | undefined;
}

/** The token of `Authorization: Bearer …`. @see RFC 6750 section 2.1 */
export function bearerToken(request: Request): Secret | undefined {
  const match = /^Bearer +([^\s]+)$/i.exec(request.headers.authorization ?? '');
  return match?.[1] === undefined ? undefined : new Secret(match[1]);
}

/** The caller whom the guard found. */
export const CurrentCaller = createParamDecorator(
  (_: unknown, context: ExecutionContext): Caller => context.switchToHttp().getRequest<AuthenticatedRequest>().caller,
);
