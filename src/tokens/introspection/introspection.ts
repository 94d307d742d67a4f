import { Inject, Injectable } from '@nestjs/common';
import { ClientAuthentication, type Client, type PresentedClient } from '../../clients/index.js';
import { Clock, epochSeconds } from '../../common/clock.js';
import { DomainError } from '../../common/domain-error.js';
import type { Secret } from '../../common/secret.js';
import { Configuration } from '../../config/index.js';
import type { AccessTokenClaims } from '../access-tokens/access-token-claims.js';
import { AccessTokens } from '../access-tokens/access-tokens.js';
import { Callers } from '../access-tokens/callers.js';
import { GrantsRepository } from '../grants/grants.repository.js';
import { RefreshTokens } from '../refresh-tokens/refresh-tokens.js';
import { ifStanding } from './standing.js';

/** What is known of an active token, by the names of RFC 7662 section 2.2: of a refresh token neither `aud` nor `jti`. */
export interface IntrospectedToken {
  kind: 'access_token' | 'refresh_token';
  claims: Omit<AccessTokenClaims, 'aud' | 'jti'> & Partial<Pick<AccessTokenClaims, 'aud' | 'jti'>>;
}

/** Tells a client what a token is worth. Its text says what kind of token it is, so that no hint is needed. @see RFC 7662 */
@Injectable()
export class Introspection {
  constructor(
    @Inject(ClientAuthentication) private readonly clients: ClientAuthentication,
    @Inject(AccessTokens) private readonly accessTokens: AccessTokens,
    @Inject(RefreshTokens) private readonly refreshTokens: RefreshTokens,
    @Inject(GrantsRepository) private readonly grants: GrantsRepository,
    @Inject(Callers) private readonly callers: Callers,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * The token while it is active; nothing where it is not, or is none of the client's business: whoever could tell
   * these apart could try tokens out. Public clients are refused, for anybody can be one (RFC 7662 section 4).
   * @throws DomainError `client.unauthenticated`
   */
  async introspect(request: {
    client: PresentedClient | undefined;
    token: Secret;
  }): Promise<IntrospectedToken | undefined> {
    const client = await this.clients.authenticate(request.client);
    if (client.tokenEndpointAuthMethod === 'none') {
      throw new DomainError('client.unauthenticated', {
        publicDetail: 'Client authentication failed.',
        privateDetail: 'public client at introspection',
      });
    }
    const found = this.refreshTokens.recognises(request.token)
      ? await this.#refreshToken(request.token)
      : await this.#accessToken(request.token);
    return found && mayKnow(client, found) ? found : undefined;
  }

  async #accessToken(token: Secret): Promise<IntrospectedToken | undefined> {
    const found = await ifStanding(this.accessTokens.find(token));
    return found && found.caller?.user.blocked !== true ? { kind: 'access_token', claims: found.claims } : undefined;
  }

  async #refreshToken(token: Secret): Promise<IntrospectedToken | undefined> {
    const found = await this.refreshTokens.find(token);
    const grant = found && !found.consumed ? await this.grants.find(found.grantId) : undefined;
    if (!found || !grant || found.idleExpiresAt <= this.clock.now()) return undefined;
    const { clientId, grantId } = found;
    const behind = await ifStanding(this.callers.find({ userId: grant.userId, through: { grantId, clientId } }));
    if (!behind || behind.user.blocked) return undefined;
    const claims = {
      iss: this.configuration.issuer,
      sub: grant.userId,
      client_id: clientId,
      scope: found.scope.join(' '),
      iat: epochSeconds(found.createdAt),
      exp: epochSeconds(found.idleExpiresAt),
    };
    return { kind: 'refresh_token', claims };
  }
}

function mayKnow(client: Client, { claims }: IntrospectedToken): boolean {
  const audience = [claims.aud].flat();
  return client.introspection === 'any' || claims.client_id === client.clientId || audience.includes(client.clientId);
}
