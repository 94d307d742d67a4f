import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { DomainError, invalidParameter } from '../../common/domain-error.js';
import { equalInConstantTime } from '../../common/random.js';
import { Secret } from '../../common/secret.js';
import { UsersRepository } from '../../users/index.js';
import {
  GrantHandlers,
  type Claim,
  type GrantHandler,
  type Issue,
  type TokenCommand,
} from '../engine/grant-handler.js';
import { AuthorizationCodes, type AuthorizationCode } from './authorization-codes.js';
import { GrantsRepository } from './grants.repository.js';

/** RFC 7636 section 4.1. */
const CODE_VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/;

/** The authorization code grant. @see RFC 6749 section 4.1.3, RFC 7636 section 4.6 */
@Injectable()
export class AuthorizationCodeGrant implements GrantHandler {
  readonly grantType = 'authorization_code';
  readonly parameters = ['code', 'redirect_uri', 'code_verifier'];

  constructor(
    @Inject(GrantHandlers) handlers: GrantHandlers,
    @Inject(AuthorizationCodes) private readonly codes: AuthorizationCodes,
    @Inject(GrantsRepository) private readonly grants: GrantsRepository,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    handlers.register(this);
  }

  async authorize({ client, parameters }: TokenCommand): Promise<Issue> {
    const presented = parameters.get('code');
    if (presented === undefined) throw invalidParameter('code', 'is missing');
    const code = new Secret(presented);
    const stored = await this.codes.find(code);
    if (!stored) throw invalid('unknown code');
    if (stored.clientId !== client.clientId) throw invalid('code of another client');
    // Reuse is judged before the rest of the request: whoever presents a spent code shows that it has leaked.
    if (!stored.consumed) this.#proveBinding(stored, parameters);
    if (!stored.consumed && stored.expiresAt <= this.clock.now()) throw invalid('expired code');
    const grant = await this.grants.find(stored.grantId);
    if (!grant) throw invalid('grant is gone');
    if (grant.createdAt < client.createdAt) throw invalid('code of a former client of that id');
    const user = await this.users.find(grant.userId);
    if (!stored.consumed && (grant.revoked || !user || user.blocked)) throw invalid('grant revoked or user blocked');
    return {
      kind: 'issue',
      subject: grant.userId,
      userId: grant.userId,
      grantId: grant.id,
      sessionId: grant.sessionId,
      authTime: grant.authTime,
      scope: grant.scope,
      nonce: stored.nonce,
      claims: grant.claims,
      claim: () => this.#claim(code, grant.id),
      issued: (_, endsAt) => this.codes.keepUntil(code, endsAt),
    };
  }

  async #claim(code: Secret, grantId: string): Promise<Claim> {
    if (await this.codes.consume(code)) return { outcome: 'claimed' };
    const stored = await this.codes.find(code);
    if (!stored?.consumed) return { outcome: 'refused', error: invalid('code expired meanwhile') };
    // RFC 6749 section 4.1.2: a code that comes back revokes what it gave.
    await this.grants.revoke(grantId, 'code reused');
    return {
      outcome: 'refused',
      error: new DomainError('grant.reused', { publicDetail: PUBLIC_TEXT, privateDetail: 'code used again' }),
    };
  }

  #proveBinding(code: AuthorizationCode, parameters: ReadonlyMap<string, string>): void {
    const redirectUri = parameters.get('redirect_uri');
    if (redirectUri === undefined) throw invalidParameter('redirect_uri', 'is missing');
    if (redirectUri !== code.redirectUri) throw invalid('another redirect_uri');
    const verifier = parameters.get('code_verifier');
    if (code.codeChallenge === undefined) {
      // RFC 9700 section 4.8.2: a verifier without a challenge is a downgrade attempt.
      if (verifier !== undefined) throw invalid('verifier without challenge');
      return;
    }
    if (verifier === undefined) throw invalidParameter('code_verifier', 'is missing');
    if (!CODE_VERIFIER.test(verifier)) throw invalid('malformed verifier');
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    if (!equalInConstantTime(challenge, code.codeChallenge)) throw invalid('wrong verifier');
  }
}

const PUBLIC_TEXT =
  'The authorization code is invalid, expired, used, or was issued to another client or for another request.';

function invalid(privateDetail: string): DomainError {
  return new DomainError('grant.invalid', { publicDetail: PUBLIC_TEXT, privateDetail });
}
