import { Controller, Header, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import type { PresentedClient } from '../../../clients/index.js';
import { DomainError, invalidParameter } from '../../../common/domain-error.js';
import { requestForm } from '../../../common/http/form.js';
import { TokenEngine } from '../../engine/token-engine.js';
import { Introspection } from '../../introspection/introspection.js';
import { Revocation } from '../../revocation/revocation.js';
import { presentedClient } from '../oauth/presented-client.js';
import { presentedToken } from '../oauth/presented-token.js';
import { revokeUntil } from './revoke-until.js';
import {
  SlashidIntrospection,
  SlashidIntrospectionForm,
  SlashidRevocationForm,
  SlashidRevokeAllForm,
  SlashidTokenForm,
  SlashidTokens,
} from './slashid.dto.js';
import { TokenOperation } from './tokens.openapi.js';

const NO_STORE = ['Cache-Control', 'no-store'] as const;
/** What the vendor documents, whatever else the engine can grant. */
const GRANT_TYPES = new Set(['client_credentials', 'authorization_code', 'refresh_token']);
const AUTHORIZATION_CODE = 'authorization_code';

@Controller('oauth2/tokens')
export class OAuthTokensController {
  constructor(
    @Inject(TokenEngine) private readonly engine: TokenEngine,
    @Inject(Introspection) private readonly introspection: Introspection,
    @Inject(Revocation) private readonly revocation: Revocation,
  ) {}

  @Post()
  @HttpCode(200)
  @Header(...NO_STORE)
  @TokenOperation({
    summary: 'Retrieve tokens',
    operationId: 'postOAuthTokens',
    description:
      'Exchanges client credentials, an authorization code or a refresh token for tokens (RFC 6749 sections 4.4, 4.1.3 and 6).',
    body: SlashidTokenForm,
    answer: SlashidTokens,
  })
  async token(@Req() request: Request): Promise<SlashidTokens> {
    const form = requestForm(request, SlashidTokenForm);
    const grantType = form.get('grant_type');
    if (grantType === undefined) throw invalidParameter('grant_type', 'is missing');
    if (!GRANT_TYPES.has(grantType)) throw new DomainError('grant.unsupported');
    const withCode = grantType === AUTHORIZATION_CODE;
    const presented = presentedClient(request.headers.authorization, form);
    const result = await this.engine.exchange({
      client: withCode ? bySecret(presented) : presented,
      grantType,
      parameters: withCode ? withVerifier(form) : form,
    });
    return {
      access_token: result.accessToken.reveal(),
      expires_in: result.expiresInSeconds,
      scope: result.scope.join(' '),
      token_type: 'bearer',
      ...(result.refreshToken && { refresh_token: result.refreshToken.reveal() }),
      ...(result.idToken && { id_token: result.idToken.reveal() }),
    };
  }

  @Post('introspect')
  @HttpCode(200)
  @Header(...NO_STORE)
  @TokenOperation({
    summary: 'Introspect a token',
    operationId: 'postOAuthTokensIntrospect',
    description:
      'Whether a token is active (RFC 7662) and allows what is asked for: said to its own client, to those of its audience, and to clients with `introspection: any`.',
    body: SlashidIntrospectionForm,
    answer: SlashidIntrospection,
  })
  async introspect(@Req() request: Request): Promise<SlashidIntrospection> {
    const form = requestForm(request, SlashidIntrospectionForm);
    const found = await this.introspection.introspect({
      token: presentedToken(form),
      client: presentedClient(request.headers.authorization, form),
    });
    if (!found || !allows(found.claims.scope, form.get('scope'))) return { active: false };
    const { client_id, exp, iat, scope } = found.claims;
    return { active: true, client_id, exp, iat, scope };
  }

  @Post('revoke')
  @HttpCode(200)
  @Header(...NO_STORE)
  @TokenOperation({
    summary: 'Revoke a token',
    operationId: 'postOAuthTokensRevoke',
    description:
      'Ends a token (RFC 7009). A refresh token takes along all that was issued from the same grant; an access token goes alone.',
    body: SlashidRevocationForm,
  })
  async revoke(@Req() request: Request): Promise<void> {
    const form = requestForm(request, SlashidRevocationForm);
    await this.revocation.revoke({
      token: presentedToken(form),
      client: presentedClient(request.headers.authorization, form),
    });
  }

  @Post('revoke-all')
  @HttpCode(200)
  @Header(...NO_STORE)
  @TokenOperation({
    summary: 'Revoke all tokens of a person',
    operationId: 'postOAuthTokensRevokeAll',
    description: 'Ends all that a person allowed this client, with every token that was issued from it.',
    body: SlashidRevokeAllForm,
  })
  async revokeAll(@Req() request: Request): Promise<void> {
    const form = requestForm(request, SlashidRevokeAllForm);
    const userId = form.get('person_id');
    if (userId === undefined) throw invalidParameter('person_id', 'is missing');
    const until = form.get('until');
    await this.revocation.revokeAll({
      client: presentedClient(request.headers.authorization, form),
      userId,
      until: until === undefined ? undefined : revokeUntil(until),
    });
  }
}

/** The vendor documents the secret in the form beside a code, for the same clients that use Basic elsewhere. */
function bySecret(presented: PresentedClient | undefined): PresentedClient | undefined {
  return presented?.method === 'client_secret_post' ? { ...presented, orBasic: true } : presented;
}

/**
 * The vendor calls the verifier `code_challenge`. Its hash is compared as ever, so that the challenge itself, which was
 * in a browser's address bar, is worth nothing here.
 */
function withVerifier(form: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const documented = form.get('code_challenge');
  const verifier = form.get('code_verifier') ?? documented;
  if (verifier === undefined) return form;
  if (documented !== undefined && documented !== verifier)
    throw invalidParameter('code_challenge', 'is another value than code_verifier');
  return new Map([...form, ['code_verifier', verifier]]);
}

/** Whether a token holds all of the scope that is asked for. */
function allows(scope: string, asked = ''): boolean {
  const held = scope.split(' ');
  return asked.split(' ').every((name) => name === '' || held.includes(name));
}
