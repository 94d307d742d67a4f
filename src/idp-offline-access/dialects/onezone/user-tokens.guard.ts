import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { DomainError } from '../../../common/domain-error.js';
import { USER_TOKENS_SCOPE } from '../../../config/index.js';
import type { Caller } from '../../../tokens/index.js';

/** Who may make tokens and look after them: a client that was granted that, or the user's password. */
@Injectable()
export class UserTokensGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { caller } = context.switchToHttp().getRequest<{ caller: Caller }>();
    if (caller.scope.has(USER_TOKENS_SCOPE)) return true;
    throw new DomainError('access.forbidden', { privateDetail: `the token lacks the scope ${USER_TOKENS_SCOPE}` });
  }
}
