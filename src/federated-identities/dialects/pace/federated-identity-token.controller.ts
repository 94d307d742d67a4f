import { Controller, Header, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import { UpstreamAccess } from '../../../idp-offline-access/index.js';
import { CurrentCaller, type Caller } from '../../../tokens/index.js';
import type { FederatedIdentityToken } from './pace.dto.js';
import { PaceGuard } from './pace.guard.js';
import { FederatedIdentityTokenDocumentation } from './pace.openapi.js';
import { PaceVersionGuard } from './pace-version.guard.js';

@Controller(['user/:version/federated-identities', 'federated-identities'])
export class FederatedIdentityTokenController {
  constructor(@Inject(UpstreamAccess) private readonly upstreamAccess: UpstreamAccess) {}

  @Post(':identityProvider/token')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @UseGuards(PaceVersionGuard, PaceGuard)
  @FederatedIdentityTokenDocumentation()
  async token(
    @CurrentCaller() caller: Caller,
    @Param('identityProvider') identityProvider: string,
  ): Promise<FederatedIdentityToken> {
    const token = await this.upstreamAccess.read(caller, identityProvider, { offlineOnly: false, connectUrl: true });
    return {
      access_token: token.accessToken.reveal(),
      token_type: token.tokenType,
      ...(token.refreshToken && { refresh_token: token.refreshToken.reveal() }),
      expires_in: token.expiresInSeconds,
      scope: token.scope.join(' '),
    };
  }
}
