import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '../common/domain-error.js';
import { IdentityProvidersRepository, type IdentityProvider } from '../identity-providers/index.js';
import type { Caller } from '../tokens/index.js';
import { ConnectTickets } from './connect-tickets.js';
import { UpstreamTokens, type UpstreamToken, type UpstreamTokenAnswer } from './upstream-tokens.js';

/** What a client needs, beside the provider in its `upstream_providers`. */
export const UPSTREAM_TOKEN_SCOPE = 'federated-identity:token';

interface Wishes {
  /** Only providers whose tokens may be refreshed offline are served. */
  offlineOnly: boolean;
  /** Whether a caller who has nothing linked is told where to link. */
  connectUrl: boolean;
}

/** Who may read whose upstream token: the rule that all faces share, around the vault's one function. */
@Injectable()
export class UpstreamAccess {
  constructor(
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(UpstreamTokens) private readonly tokens: UpstreamTokens,
    @Inject(ConnectTickets) private readonly tickets: ConnectTickets,
  ) {}

  /**
   * The upstream access token of the caller's own user. A client needs the scope and the provider in its
   * registration; the user's own credentials need neither.
   * @throws DomainError in the order `access.forbidden`, `provider.*`, `user.blocked`, `identity.*`, `upstream.*`
   */
  async read(caller: Caller, providerId: string, { offlineOnly, connectUrl }: Wishes): Promise<UpstreamToken> {
    const { user, client, scope } = caller;
    if (client && !scope.has(UPSTREAM_TOKEN_SCOPE))
      throw forbidden(`the token lacks the scope ${UPSTREAM_TOKEN_SCOPE}`);
    const provider = await this.providers.find(providerId);
    if (!provider) throw await this.#unavailableProvider('provider.unknown');
    if (client && !client.upstreamProviders.includes(provider.id))
      throw forbidden("the provider is not among the client's");
    if (offlineOnly && !provider.offlineAccess) throw await this.#unavailableProvider('provider.offline-access-off');
    if (user.blocked) throw new DomainError('user.blocked');
    const answer = await this.tokens.acquire({
      userId: user.id,
      provider,
      ...(client && { clientId: client.clientId }),
    });
    if (answer.kind !== 'token') throw await this.#toError(answer, caller, provider, connectUrl);
    return { ...answer, refreshToken: client?.upstreamRefreshToken ? answer.refreshToken : undefined };
  }

  async #toError(
    answer: Exclude<UpstreamTokenAnswer, UpstreamToken>,
    { user }: Caller,
    { id: identityProvider }: IdentityProvider,
    connectUrl: boolean,
  ): Promise<DomainError> {
    switch (answer.kind) {
      case 'unavailable':
        return new DomainError('upstream.unavailable', { meta: { retryAfterSeconds: answer.retryAfterSeconds } });
      case 'misconfigured':
        return new DomainError('upstream.misconfigured');
      default: {
        const meta = connectUrl
          ? { connectUrl: await this.tickets.connectUrl({ userId: user.id, identityProvider }) }
          : {};
        return new DomainError(`identity.${answer.kind}`, { meta });
      }
    }
  }

  async #unavailableProvider(code: 'provider.unknown' | 'provider.offline-access-off'): Promise<DomainError> {
    const offline = (await this.providers.list()).filter(({ offlineAccess }) => offlineAccess);
    return new DomainError(code, { meta: { allowed: offline.map(({ id }) => id) } });
  }
}

function forbidden(privateDetail: string): DomainError {
  return new DomainError('access.forbidden', { privateDetail });
}
