import { Inject, Injectable, Logger } from '@nestjs/common';
import { Audit } from '../../audit/index.js';
import { ClientAuthentication, type PresentedClient } from '../../clients/index.js';
import { DomainError } from '../../common/domain-error.js';
import type { Secret } from '../../common/secret.js';
import { UnitOfWork } from '../../database/index.js';
import { AccessTokens } from '../access-tokens/access-tokens.js';
import { GrantsRepository } from '../grants/grants.repository.js';
import { ifStanding } from '../introspection/standing.js';
import { RefreshTokens } from '../refresh-tokens/refresh-tokens.js';

/** A token that can be ended. */
interface Revocable {
  kind: 'access_token' | 'refresh_token';
  clientId: string;
  userId: string | undefined;
  /** False where it had ended before. */
  end: () => Promise<boolean>;
}

/** Ends tokens at the request of the client that holds them. Their text says what kind they are: no hint is needed. @see RFC 7009 */
@Injectable()
export class Revocation {
  readonly #logger = new Logger('Revocation');

  constructor(
    @Inject(ClientAuthentication) private readonly clients: ClientAuthentication,
    @Inject(AccessTokens) private readonly accessTokens: AccessTokens,
    @Inject(RefreshTokens) private readonly refreshTokens: RefreshTokens,
    @Inject(GrantsRepository) private readonly grants: GrantsRepository,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
  ) {}

  /**
   * A refresh token takes along the grant, and so all that was issued from it; an access token goes alone. A token that
   * is not the client's is answered like one that does not exist: there is nothing that the client could do about it
   * (RFC 7009 section 2.2), and nothing that it should learn.
   * @throws DomainError `client.unauthenticated`
   */
  async revoke(request: { client: PresentedClient | undefined; token: Secret }): Promise<void> {
    const { clientId } = await this.clients.authenticate(request.client);
    const found = this.refreshTokens.recognises(request.token)
      ? await this.#refreshToken(request.token)
      : await this.#accessToken(request.token);
    if (!found) return;
    if (found.clientId !== clientId) {
      this.#logger.warn({ clientId, owner: found.clientId }, 'a client asked to revoke a token of another');
      return;
    }
    const { kind, userId } = found;
    await this.unitOfWork.run(async () => {
      if (!(await found.end())) return;
      await this.audit.record({ event: 'token.revoked', outcome: 'success', userId, clientId, reason: kind });
    });
  }

  /**
   * Ends all that a user allowed the client, up to an instant where one is named. Whether there was anything, or such a
   * user, is not said. Public clients are refused, for anybody can be one.
   * @throws DomainError `client.unauthenticated`
   */
  async revokeAll(request: {
    client: PresentedClient | undefined;
    userId: string;
    /** Milliseconds since the epoch. */
    until: number | undefined;
  }): Promise<void> {
    const { clientId, tokenEndpointAuthMethod } = await this.clients.authenticate(request.client);
    if (tokenEndpointAuthMethod === 'none') {
      throw new DomainError('client.unauthenticated', {
        publicDetail: 'Client authentication failed.',
        privateDetail: 'public client at revocation of all',
      });
    }
    const { userId, until } = request;
    const reason = 'all tokens revoked';
    await this.unitOfWork.run(async () => {
      if ((await this.grants.revokeAllBetween({ userId, clientId, until }, reason)) === 0) return;
      await this.audit.record({ event: 'token.revoked', outcome: 'success', userId, clientId, reason: 'all' });
    });
  }

  async #accessToken(token: Secret): Promise<Revocable | undefined> {
    const found = await ifStanding(this.accessTokens.find(token));
    return (
      found && {
        kind: 'access_token',
        clientId: found.client.clientId,
        userId: found.caller?.user.id,
        end: () => this.accessTokens.revoke(found),
      }
    );
  }

  /** One that was exchanged counts, too: the client wants its family to end, and may have missed the last answer. */
  async #refreshToken(token: Secret): Promise<Revocable | undefined> {
    const found = await this.refreshTokens.find(token);
    const grant = found && (await this.grants.find(found.grantId));
    return (
      grant && {
        kind: 'refresh_token',
        clientId: found.clientId,
        userId: grant.userId,
        end: () => this.grants.revoke(grant.id, 'token revoked'),
      }
    );
  }
}
