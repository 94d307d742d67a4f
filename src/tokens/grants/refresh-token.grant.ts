import { Inject, Injectable } from '@nestjs/common';
import type { Client } from '../../clients/index.js';
import { Clock } from '../../common/clock.js';
import { DomainError, invalidParameter } from '../../common/domain-error.js';
import { Secret } from '../../common/secret.js';
import { UsersRepository } from '../../users/index.js';
import {
  GrantHandlers,
  type Claim,
  type GrantHandler,
  type Issue,
  type TokenCommand,
} from '../engine/grant-handler.js';
import { isWithin } from '../engine/scope-policy.js';
import type { TokenResult } from '../engine/token-result.js';
import { RefreshTokens } from '../refresh-tokens/refresh-tokens.js';
import { GrantsRepository } from './grants.repository.js';

/** The refresh token grant. @see RFC 6749 section 6, RFC 9700 section 4.14 */
@Injectable()
export class RefreshTokenGrant implements GrantHandler {
  readonly grantType = 'refresh_token';
  readonly parameters = ['refresh_token', 'scope'];

  constructor(
    @Inject(GrantHandlers) handlers: GrantHandlers,
    @Inject(RefreshTokens) private readonly refreshTokens: RefreshTokens,
    @Inject(GrantsRepository) private readonly grants: GrantsRepository,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    handlers.register(this);
  }

  async authorize({ client, scope, parameters }: TokenCommand): Promise<Issue> {
    const presented = parameters.get('refresh_token');
    if (presented === undefined) throw invalidParameter('refresh_token', 'is missing');
    const token = new Secret(presented);
    const stored = await this.refreshTokens.find(token);
    if (!stored) throw invalid('unknown refresh token, or its family has expired');
    if (stored.clientId !== client.clientId) throw invalid('refresh token of another client');
    const grant = await this.grants.find(stored.grantId);
    if (!grant || grant.revoked) throw invalid('grant revoked or gone');
    if (grant.createdAt < client.createdAt) throw invalid('refresh token of a former client of that id');
    const user = await this.users.find(grant.userId);
    const barred = !user || user.blocked;
    // Reuse is judged before the rest of the request: whoever presents a spent token shows that it has leaked.
    if (!stored.consumed) {
      if (stored.idleExpiresAt <= this.clock.now()) throw invalid('refresh token was unused for too long');
      if (barred) throw invalid('user blocked or gone');
      if (scope && !isWithin(scope, stored.scope)) {
        throw new DomainError('scope.invalid', { publicDetail: 'scope is more than the user allowed.' });
      }
    }
    return {
      kind: 'issue',
      subject: grant.userId,
      userId: grant.userId,
      grantId: grant.id,
      sessionId: grant.sessionId,
      authTime: grant.authTime,
      scope: scope ?? stored.scope,
      // OpenID Connect Core 1.0 section 12.2: the nonce belongs to the first id_token.
      nonce: undefined,
      claims: grant.claims,
      family: { scope: stored.scope, expiresAt: stored.expiresAt },
      claim: () => this.#claim(token, grant.id, { grace: !barred && hasGrace(client), scope }),
      ...(hasGrace(client) && { issued: (answer: TokenResult) => this.refreshTokens.keepAnswer(token, answer) }),
    };
  }

  async #claim(
    token: Secret,
    grantId: string,
    { grace, scope }: { grace: boolean; scope: readonly string[] | undefined },
  ): Promise<Claim> {
    const rotation = await this.refreshTokens.rotate(token, { grace });
    switch (rotation.outcome) {
      case 'rotated':
        return { outcome: 'claimed' };
      case 'repeated':
        return scope && !isSame(scope, rotation.answer.scope)
          ? { outcome: 'refused', error: anotherScope() }
          : rotation;
      case 'expired':
        return { outcome: 'refused', error: invalid('refresh token expired meanwhile') };
      default:
        // RFC 9700 section 4.14.2: nobody can tell the thief from the client, so the family ends for both.
        await this.grants.revoke(grantId, 'refresh token reused');
        return {
          outcome: 'refused',
          error: new DomainError('grant.reused', {
            publicDetail: PUBLIC_TEXT,
            privateDetail: 'refresh token used again',
          }),
        };
    }
  }
}

/** Nothing but the token itself shows who a public client is: a thief would be told the answer just as well. */
function hasGrace(client: Client): boolean {
  return client.tokenEndpointAuthMethod !== 'none';
}

/** The answer that was lost is not the one to another request. */
function anotherScope(): DomainError {
  return new DomainError('scope.invalid', { publicDetail: 'scope is not that of the answer that was given.' });
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return isWithin(one, other) && isWithin(other, one);
}

const PUBLIC_TEXT = 'The refresh token is invalid, expired, revoked, used, or was issued to another client.';

function invalid(privateDetail: string): DomainError {
  return new DomainError('grant.invalid', { publicDetail: PUBLIC_TEXT, privateDetail });
}
