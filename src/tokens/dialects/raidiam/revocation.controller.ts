import { Controller, Header, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { requestForm } from '../../../common/http/form.js';
import { Revocation } from '../../revocation/revocation.js';
import { presentedClient } from '../oauth/presented-client.js';
import { presentedToken } from '../oauth/presented-token.js';
import { PresentedTokenForm } from './raidiam.dto.js';
import { RaidiamRevocationDocumentation } from './raidiam.openapi.js';

@Controller()
export class RevocationController {
  constructor(@Inject(Revocation) private readonly revocation: Revocation) {}

  /** The documented address, and the documented status. */
  @Post('token/revocation')
  @HttpCode(204)
  @Header('Cache-Control', 'no-store')
  @RaidiamRevocationDocumentation('postTokenRevocation', 204)
  async revokeAsDocumented(@Req() request: Request): Promise<void> {
    await this.#revoke(request);
  }

  /** The one of discovery: libraries take nothing but 200 for success, as RFC 7009 section 2.2 says. */
  @Post('revoke')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @RaidiamRevocationDocumentation('postRevoke', 200)
  async revoke(@Req() request: Request): Promise<void> {
    await this.#revoke(request);
  }

  async #revoke(request: Request): Promise<void> {
    const form = requestForm(request, PresentedTokenForm);
    await this.revocation.revoke({
      token: presentedToken(form),
      client: presentedClient(request.headers.authorization, form),
    });
  }
}
