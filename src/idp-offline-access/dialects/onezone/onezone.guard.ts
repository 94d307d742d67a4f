import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { DomainError } from '../../../common/domain-error.js';
import { Secret } from '../../../common/secret.js';
import { USER_TOKENS_SCOPE } from '../../../config/index.js';
import { bearerToken, CallerGuard, type Caller } from '../../../tokens/index.js';
import { PasswordAuthentication } from '../../../users/index.js';
import { OnezoneTokens } from './onezone-tokens.js';

/** Onezone's credentials; of several the first counts: X-Auth-Token, Bearer, Macaroon, Basic. */
@Injectable()
export class OnezoneGuard extends CallerGuard {
  constructor(
    @Inject(OnezoneTokens) tokens: OnezoneTokens,
    @Inject(PasswordAuthentication) private readonly passwords: PasswordAuthentication,
  ) {
    super(tokens);
  }

  protected override async authenticate(request: Request): Promise<Caller> {
    const basic = /^Basic +(.*)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (this.presentedToken(request) || basic === undefined) return super.authenticate(request);
    const credentials = decode(basic);
    if (!credentials)
      throw new DomainError('credentials.password-wrong', { privateDetail: 'unreadable Basic credentials' });
    // A password makes tokens; what it made does not.
    return {
      user: await this.passwords.authenticate(credentials.username, credentials.password),
      scope: new Set([USER_TOKENS_SCOPE]),
    };
  }

  protected presentedToken(request: Request): Secret | undefined {
    return header(request, 'x-auth-token') ?? bearerToken(request) ?? header(request, 'macaroon');
  }
}

function header(request: Request, name: string): Secret | undefined {
  const value = request.header(name)?.trim();
  return value === undefined || value === '' ? undefined : new Secret(value);
}

/** @see RFC 7617 section 2; the user name ends at the first colon, and both are UTF-8 */
function decode(encoded: string): { username: string; password: Secret } | undefined {
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: new Secret(text.slice(colon + 1)) };
}
