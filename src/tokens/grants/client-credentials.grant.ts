import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { ADMIN_SCOPE, STANDARD_SCOPES } from '../../config/index.js';
import { GrantHandlers, type GrantHandler, type Issue, type TokenCommand } from '../engine/grant-handler.js';

/** The client credentials grant: a client acts for itself, so there is nothing to spend. @see RFC 6749 section 4.4 */
@Injectable()
export class ClientCredentialsGrant implements GrantHandler {
  readonly grantType = 'client_credentials';
  readonly parameters = ['scope'];

  constructor(@Inject(GrantHandlers) handlers: GrantHandlers) {
    handlers.register(this);
  }

  async authorize({ client, scope }: TokenCommand): Promise<Issue> {
    if (scope?.some(isOfUsers)) {
      throw new DomainError('scope.invalid', { publicDetail: 'Some of this scope only a user can allow.' });
    }
    // The administration has to be asked for: no token can do more than was meant because nothing was said.
    const granted = scope ?? client.scope.filter((name) => !isOfUsers(name) && name !== ADMIN_SCOPE);
    if (granted.length === 0) {
      throw new DomainError('scope.invalid', { publicDetail: 'The client is registered for no scope of its own.' });
    }
    return {
      kind: 'issue',
      subject: client.clientId,
      userId: undefined,
      grantId: undefined,
      sessionId: undefined,
      authTime: undefined,
      scope: granted,
      nonce: undefined,
      claims: {},
    };
  }
}

function isOfUsers(scope: string): boolean {
  return Object.hasOwn(STANDARD_SCOPES, scope);
}
