import { Controller, Delete, Header, HttpCode, Inject, Param, Post, Put, UseGuards } from '@nestjs/common';
import { UpstreamAccess } from '../../../idp-offline-access/index.js';
import { CurrentCaller, type Caller } from '../../../tokens/index.js';
import { IdentityLinking } from '../../identity-linking.js';
import type { FederatedIdentityToken } from './pace.dto.js';
import { PaceGuard } from './pace.guard.js';
import {
  DefineFederatedIdentityDocumentation,
  DeleteFederatedIdentityDocumentation,
  FederatedIdentityTokenDocumentation,
} from './pace.openapi.js';
import { PaceVersionGuard } from './pace-version.guard.js';

@Controller(['user/:version/federated-identities', 'federated-identities'])
@UseGuards(PaceVersionGuard, PaceGuard)
export class FederatedIdentitiesController {
  constructor(
    @Inject(UpstreamAccess) private readonly upstreamAccess: UpstreamAccess,
    @Inject(IdentityLinking) private readonly linking: IdentityLinking,
  ) {}

  @Post(':identityProvider/token')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
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

  @Put(':identityProvider')
  @HttpCode(204)
  @DefineFederatedIdentityDocumentation()
  async define(@CurrentCaller() caller: Caller, @Param('identityProvider') identityProvider: string): Promise<void> {
    await this.linking.link(caller, identityProvider);
  }

  @Delete(':identityProvider')
  @HttpCode(204)
  @DeleteFederatedIdentityDocumentation()
  async delete(@CurrentCaller() caller: Caller, @Param('identityProvider') identityProvider: string): Promise<void> {
    await this.linking.unlink(caller, identityProvider);
  }
}
