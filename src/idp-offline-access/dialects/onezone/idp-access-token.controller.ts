import { Controller, Header, HttpCode, Inject, Param, Post, Req, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { CurrentCaller, type Caller } from '../../../tokens/index.js';
import { UpstreamAccess } from '../../upstream-access.js';
import { requireJson } from './json-body.js';
import type { IdpAccessToken } from './onezone.dto.js';
import { ONEZONE_PREFIX } from './onezone.face.js';
import { OnezoneGuard } from './onezone.guard.js';
import { AcquireDocumentation } from './onezone.openapi.js';

@Controller(`${ONEZONE_PREFIX}/user/idp_access_token`)
export class IdpAccessTokenController {
  constructor(@Inject(UpstreamAccess) private readonly upstreamAccess: UpstreamAccess) {}

  @Post(':idp')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @UseGuards(OnezoneGuard)
  @AcquireDocumentation()
  async acquire(
    @CurrentCaller() caller: Caller,
    @Param('idp') idp: string,
    @Req() request: Request,
  ): Promise<IdpAccessToken> {
    // A body means nothing here, yet a client that sends one has to send JSON.
    requireJson(request);
    const token = await this.upstreamAccess.read(caller, idp, { offlineOnly: true, connectUrl: false });
    return { token: token.accessToken.reveal(), ttl: token.expiresInSeconds };
  }
}
