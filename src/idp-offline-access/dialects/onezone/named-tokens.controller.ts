import { Controller, Delete, Get, Header, HttpCode, Inject, Param, Patch, UseGuards } from '@nestjs/common';
import { epochSeconds } from '../../../common/clock.js';
import { CurrentCaller, UserTokens, type Caller } from '../../../tokens/index.js';
import { JsonBody } from './json-body.js';
import { badValueIdentifierOccupied, missingAtLeastOneValue } from './onezone-problem.js';
import { ONEZONE_PREFIX } from './onezone.face.js';
import { OnezoneGuard } from './onezone.guard.js';
import { NamedTokenUpdateRequest, type NamedTokenDetails } from './tokens.dto.js';
import { ChangeNamedDocumentation, DeleteNamedDocumentation, GetNamedDocumentation } from './onezone.openapi.js';
import { UserTokensGuard } from './user-tokens.guard.js';

/** One named token, by its id. */
@Controller(`${ONEZONE_PREFIX}/tokens/named`)
@UseGuards(OnezoneGuard, UserTokensGuard)
export class NamedTokensController {
  constructor(@Inject(UserTokens) private readonly tokens: UserTokens) {}

  @Get(':id')
  @Header('Cache-Control', 'no-store')
  @GetNamedDocumentation()
  async get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<NamedTokenDetails> {
    const token = await this.tokens.getNamed(caller, id);
    return {
      id: token.id,
      name: token.name,
      subject: { type: 'user', id: token.userId },
      type: { accessToken: {} },
      caveats: token.expiresAt === undefined ? [] : [{ type: 'time', validUntil: epochSeconds(token.expiresAt) }],
      metadata: { creationTime: epochSeconds(token.createdAt), custom: { ...token.metadata } },
      revoked: token.revoked,
    };
  }

  @Patch(':id')
  @HttpCode(204)
  @Header('Cache-Control', 'no-store')
  @ChangeNamedDocumentation()
  async change(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @JsonBody(NamedTokenUpdateRequest) { name, customMetadata, revoked }: NamedTokenUpdateRequest,
  ): Promise<void> {
    if (name === undefined && customMetadata === undefined && revoked === undefined) {
      throw missingAtLeastOneValue(['customMetadata', 'name', 'revoked']);
    }
    const changes = {
      ...(name !== undefined && { name }),
      ...(customMetadata !== undefined && { metadata: customMetadata }),
      ...(revoked !== undefined && { revoked }),
    };
    if (!(await this.tokens.changeNamed(caller, id, changes))) throw badValueIdentifierOccupied('name');
  }

  @Delete(':id')
  @HttpCode(204)
  @Header('Cache-Control', 'no-store')
  @DeleteNamedDocumentation()
  async delete(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    await this.tokens.deleteNamed(caller, id);
  }
}
