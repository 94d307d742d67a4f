import { Controller, Headers, HttpCode, Inject, Post, Body, Res } from '@nestjs/common';
import type { Response } from 'express';
import { formBody } from '../../../common/http/form.js';
import { TokenEngine } from '../../engine/token-engine.js';
import { presentedClient } from '../oauth/presented-client.js';
import { RaidiamTokenDocumentation } from './raidiam.openapi.js';
import { TokenForm, type TokenAnswer } from './raidiam.dto.js';

@Controller()
export class TokenController {
  constructor(@Inject(TokenEngine) private readonly engine: TokenEngine) {}

  @Post('token')
  @HttpCode(200)
  @RaidiamTokenDocumentation()
  async token(
    @Body() body: unknown,
    @Headers('authorization') authorization: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TokenAnswer> {
    const form = formBody(body, TokenForm);
    const result = await this.engine.exchange({
      client: presentedClient(authorization, form),
      grantType: form.get('grant_type'),
      parameters: form,
    });
    response.setHeader('Cache-Control', 'no-store');
    return {
      access_token: result.accessToken.reveal(),
      expires_in: result.expiresInSeconds,
      token_type: 'Bearer',
      scope: result.scope.join(' '),
      ...(result.refreshToken && { refresh_token: result.refreshToken.reveal() }),
      ...(result.idToken && { id_token: result.idToken.reveal() }),
    };
  }
}
