import { Inject, Injectable } from '@nestjs/common';
import type { Secret } from '../../../common/secret.js';
import { AccessTokens, UserTokens, type Caller } from '../../../tokens/index.js';

/** The two kinds of token that are taken here alike: access tokens of clients, and those that users make. */
@Injectable()
export class OnezoneTokens {
  constructor(
    @Inject(AccessTokens) private readonly accessTokens: AccessTokens,
    @Inject(UserTokens) private readonly userTokens: UserTokens,
  ) {}

  /** @throws DomainError `credentials.*` */
  authenticate(token: Secret): Promise<Caller> {
    return this.userTokens.recognises(token)
      ? this.userTokens.authenticate(token)
      : this.accessTokens.authenticate(token);
  }
}
