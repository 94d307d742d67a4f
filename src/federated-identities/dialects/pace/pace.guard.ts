import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { Secret } from '../../../common/secret.js';
import { AccessTokens, CallerGuard } from '../../../tokens/index.js';

/** PACE reads `Authorization: Bearer` to the letter. */
@Injectable()
export class PaceGuard extends CallerGuard {
  constructor(@Inject(AccessTokens) accessTokens: AccessTokens) {
    super(accessTokens);
  }

  protected presentedToken(request: Request): Secret | undefined {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    return token === undefined ? undefined : new Secret(token);
  }
}
