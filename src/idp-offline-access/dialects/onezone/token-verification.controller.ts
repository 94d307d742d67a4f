import { Controller, Header, HttpCode, Inject, Post } from '@nestjs/common';
import { Clock } from '../../../common/clock.js';
import { DomainError } from '../../../common/domain-error.js';
import { Secret } from '../../../common/secret.js';
import type { Caller } from '../../../tokens/index.js';
import { JsonBody } from './json-body.js';
import { badValueToken, OnezoneProblem } from './onezone-problem.js';
import { OnezoneTokens } from './onezone-tokens.js';
import { ONEZONE_PREFIX, reasonOf } from './onezone.face.js';
import { VerifyAccessTokenRequest, type TokenVerified } from './tokens.dto.js';
import { VerifyDocumentation } from './onezone.openapi.js';

/** Says whose a token is to whoever has it; nobody finds one by trying, they have 256 random bits. */
@Controller(`${ONEZONE_PREFIX}/tokens`)
export class TokenVerificationController {
  constructor(
    @Inject(OnezoneTokens) private readonly tokens: OnezoneTokens,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  @Post('verify_access_token')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @VerifyDocumentation()
  async verify(@JsonBody(VerifyAccessTokenRequest) { token }: VerifyAccessTokenRequest): Promise<TokenVerified> {
    const { user, expiresAt } = await this.#callerOf(new Secret(token));
    if (user.blocked) throw new DomainError('user.blocked');
    return {
      subject: { type: 'user', id: user.id },
      ttl: expiresAt === undefined ? null : Math.floor((expiresAt - this.clock.now()) / 1000),
    };
  }

  /** What is wrong with the token is the answer here, not a refusal of who asks. */
  async #callerOf(token: Secret): Promise<Caller> {
    try {
      return await this.tokens.authenticate(token);
    } catch (error) {
      const reason = error instanceof DomainError ? reasonOf(error) : undefined;
      if (!reason) throw error;
      const unreadable = reason.id === 'badToken' || reason.id === 'tokenTooLarge';
      throw unreadable ? badValueToken('token', reason) : new OnezoneProblem(reason);
    }
  }
}
