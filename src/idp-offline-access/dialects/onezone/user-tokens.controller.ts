import { Controller, Delete, Get, Header, HttpCode, Inject, Post, Res, UseGuards } from '@nestjs/common';
import type { Response } from 'express';
import { Configuration } from '../../../config/index.js';
import { CurrentCaller, UserTokens, type Caller, type Creation } from '../../../tokens/index.js';
import { JsonBody } from './json-body.js';
import { badValueIdentifierOccupied, limitReached, tokenTimeCaveatRequired } from './onezone-problem.js';
import { ONEZONE_PREFIX } from './onezone.face.js';
import { OnezoneGuard } from './onezone.guard.js';
import {
  NamedTokenCreateRequest,
  TemporaryTokenCreateRequest,
  type NamedTokenCreated,
  type TemporaryTokenCreated,
  type TimeCaveat,
  type TokenIds,
} from './tokens.dto.js';
import {
  CreateNamedDocumentation,
  CreateTemporaryDocumentation,
  DeleteAllNamedDocumentation,
  ListNamedDocumentation,
} from './onezone.openapi.js';
import { UserTokensGuard } from './user-tokens.guard.js';

/** The tokens of the current user. */
@Controller(`${ONEZONE_PREFIX}/user/tokens`)
@UseGuards(OnezoneGuard, UserTokensGuard)
export class UserTokensController {
  constructor(
    @Inject(UserTokens) private readonly tokens: UserTokens,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  @Post('named')
  @HttpCode(201)
  @Header('Cache-Control', 'no-store')
  @CreateNamedDocumentation()
  async createNamed(
    @CurrentCaller() caller: Caller,
    @JsonBody(NamedTokenCreateRequest) request: NamedTokenCreateRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<NamedTokenCreated> {
    const { name, customMetadata = {}, revoked = false, caveats = [] } = request;
    const { id, token } = created(
      await this.tokens.createNamed(caller, { name, metadata: customMetadata, revoked, expiresAt: expiryOf(caveats) }),
      'named tokens',
    );
    response.setHeader('Location', this.configuration.url(`${ONEZONE_PREFIX}/tokens/named/${id}`));
    return { tokenId: id, token: token.reveal() };
  }

  @Get('named')
  @Header('Cache-Control', 'no-store')
  @ListNamedDocumentation()
  async listNamed(@CurrentCaller() caller: Caller): Promise<TokenIds> {
    return { tokens: await this.tokens.listNamed(caller) };
  }

  @Delete('named')
  @HttpCode(204)
  @Header('Cache-Control', 'no-store')
  @DeleteAllNamedDocumentation()
  async deleteAllNamed(@CurrentCaller() caller: Caller): Promise<void> {
    await this.tokens.deleteAllNamed(caller);
  }

  @Post('temporary')
  @HttpCode(201)
  @Header('Cache-Control', 'no-store')
  @CreateTemporaryDocumentation()
  async createTemporary(
    @CurrentCaller() caller: Caller,
    @JsonBody(TemporaryTokenCreateRequest) { caveats = [] }: TemporaryTokenCreateRequest,
  ): Promise<TemporaryTokenCreated> {
    const creation = await this.tokens.createTemporary(caller, { expiresAt: expiryOf(caveats) });
    return { token: created(creation, 'temporary tokens').token.reveal() };
  }
}

/** Of several time caveats the earliest ends the token. */
function expiryOf(caveats: readonly TimeCaveat[]): number | undefined {
  return caveats.length === 0 ? undefined : Math.min(...caveats.map(({ validUntil }) => validUntil)) * 1000;
}

/** @throws OnezoneProblem where there is no token */
function created(creation: Creation, kind: string): Extract<Creation, { kind: 'created' }> {
  switch (creation.kind) {
    case 'created':
      return creation;
    case 'name-occupied':
      throw badValueIdentifierOccupied('name');
    case 'limit-reached':
      throw limitReached(creation.limit, kind);
    default:
      throw tokenTimeCaveatRequired(creation.maxSeconds);
  }
}
