import { Controller, Header, HttpCode, Inject, Post, Req, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { DomainError } from '../../../common/domain-error.js';
import { requestForm } from '../../../common/http/form.js';
import { TokenEngine, type TokenRequest } from '../../engine/token-engine.js';
import { presentedClient } from '../oauth/presented-client.js';
import { AcceptsJsonGuard } from './accepts-json.guard.js';
import { TokenForm, type TokenAnswer } from './raidiam.dto.js';
import { RaidiamTokenDocumentation } from './raidiam.openapi.js';

@Controller()
export class TokenController {
  constructor(@Inject(TokenEngine) private readonly engine: TokenEngine) {}

  @Post('token')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @UseGuards(AcceptsJsonGuard)
  @RaidiamTokenDocumentation()
  async token(@Req() request: Request): Promise<TokenAnswer> {
    const form = requestForm(request, TokenForm);
    const result = await this.engine.exchange({
      client: presentedClient(request.headers.authorization, form, { documentsAssertion: true }),
      parameters: form,
      ...grantOf(form),
    });
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

/** Whoever sends one of these has another grant in mind than the documented default. */
const OTHER_GRANTS = ['code', 'refresh_token', 'device_code', 'subject_token'];

/**
 * The vendor takes the names of two methods of client authentication for grant types: client credentials, by this very
 * method. Client credentials are its default, too.
 */
function grantOf(form: ReadonlyMap<string, string>): Pick<TokenRequest, 'grantType' | 'requiredMethod'> {
  const grantType = form.get('grant_type');
  switch (grantType) {
    case undefined:
      return { grantType: OTHER_GRANTS.some((name) => form.has(name)) ? undefined : 'client_credentials' };
    case 'private_key_jwt':
      return { grantType: 'client_credentials', requiredMethod: grantType };
    case 'tls_client_auth':
      throw new DomainError('client.unauthenticated', {
        publicDetail: 'Client authentication failed.',
        privateDetail: 'tls_client_auth is not available',
      });
    default:
      return { grantType };
  }
}
