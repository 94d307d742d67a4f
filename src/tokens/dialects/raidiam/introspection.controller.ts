import { Controller, Header, HttpCode, Inject, Post, Req, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { DomainError, invalidParameter } from '../../../common/domain-error.js';
import { documentedMembers } from '../../../common/http/documented-members.js';
import { FormBody, formBody, requestForm } from '../../../common/http/form.js';
import { Introspection, type IntrospectedToken } from '../../introspection/introspection.js';
import { presentedClient } from '../oauth/presented-client.js';
import { AcceptsJsonGuard } from './accepts-json.guard.js';
import { presentedToken } from '../oauth/presented-token.js';
import { PresentedTokenForm, type IntrospectionAnswer } from './raidiam.dto.js';
import { RaidiamIntrospectionDocumentation } from './raidiam.openapi.js';

@Controller()
export class IntrospectionController {
  constructor(@Inject(Introspection) private readonly introspection: Introspection) {}

  @Post('token/introspection')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @UseGuards(AcceptsJsonGuard)
  @RaidiamIntrospectionDocumentation()
  async introspect(@Req() request: Request): Promise<IntrospectionAnswer> {
    const parameters = request.is('json') ? jsonParameters(request.body) : requestForm(request, PresentedTokenForm);
    const found = await this.introspection.introspect({
      token: presentedToken(parameters),
      client: presentedClient(request.headers.authorization, parameters),
    });
    return found ? toAnswer(found) : { active: false };
  }
}

/** The parameters of the form as members of a JSON object, under the same rules. */
function jsonParameters(body: unknown): ReadonlyMap<string, string> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new DomainError('request.malformed', { publicDetail: 'The body must be a JSON object.' });
  }
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(documentedMembers(PresentedTokenForm, body).value)) {
    if (typeof value !== 'string') throw invalidParameter(name, 'must be a string');
    form.set(name, value);
  }
  return formBody(new FormBody(form.toString()), PresentedTokenForm);
}

function toAnswer({ kind, claims }: IntrospectedToken): IntrospectionAnswer {
  return {
    active: true,
    client_id: claims.client_id,
    exp: claims.exp,
    iat: claims.iat,
    iss: claims.iss,
    ...(claims.jti !== undefined && { jti: claims.jti }),
    scope: claims.scope,
    // It says how a token is used at a resource, where a refresh token never goes. @see RFC 6749 section 7.1
    ...(kind === 'access_token' && { token_type: 'Bearer' }),
    sub: claims.sub,
    ...(claims.aud !== undefined && { aud: claims.aud }),
    ...(claims.cnf !== undefined && { cnf: claims.cnf }),
  };
}
