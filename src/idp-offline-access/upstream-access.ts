import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { DomainError } from '../common/domain-error.js';
import { UPSTREAM_TOKEN_SCOPE } from '../config/index.js';
import { IdentityProvidersRepository, type IdentityProvider } from '../identity-providers/index.js';
import type { Caller } from '../tokens/index.js';
import { ConnectTickets } from './connect-tickets.js';
import { UpstreamTokens, type UpstreamToken, type UpstreamTokenAnswer } from './upstream-tokens.js';

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
    @Inject(Audit) private readonly audit: Audit,
  ) {}

  /**
   * The upstream access token of the caller's own user. A client needs the scope and the provider in its
   * registration; the user's own credentials need neither.
   * @throws DomainError in the order `access.forbidden`, `provider.*`, `user.blocked`, `identity.*`, `upstream.*`
   */
  async read(caller: Caller, providerId: string, wishes: Wishes): Promise<UpstreamToken> {
    const { user, client } = caller;
    const found = await this.providers.find(providerId);
    const permitted = await this.#permit(caller, found, wishes);
    if (permitted instanceof DomainError) {
      await this.#recordRefusal(caller, found, permitted);
      throw permitted;
    }
    const answer = await this.tokens.acquire({
      userId: user.id,
      provider: permitted,
      ...(client && { clientId: client.clientId }),
    });
    if (answer.kind !== 'token') throw await this.#toError(answer, caller, permitted, wishes);
    return { ...answer, refreshToken: client?.upstreamRefreshToken ? answer.refreshToken : undefined };
  }

  async #permit(
    { user, client, scope }: Caller,
    provider: IdentityProvider | undefined,
    { offlineOnly }: Wishes,
  ): Promise<IdentityProvider | DomainError> {
    if (client && !scope.has(UPSTREAM_TOKEN_SCOPE))
      return forbidden(`the token lacks the scope ${UPSTREAM_TOKEN_SCOPE}`);
    if (!provider) return this.#unavailableProvider('provider.unknown');
    if (client && !client.upstreamProviders.includes(provider.id)) return forbidden("the provider is not the client's");
    if (offlineOnly && !provider.offlineAccess) return this.#unavailableProvider('provider.offline-access-off');
    return user.blocked ? new DomainError('user.blocked') : provider;
  }

  #recordRefusal(
    { user, client }: Caller,
    provider: IdentityProvider | undefined,
    { code }: DomainError,
  ): Promise<void> {
    return this.audit.record({
      event: 'upstream-token.read',
      outcome: 'failure',
      userId: user.id,
      clientId: client?.clientId,
      identityProvider: provider?.id,
      reason: code,
    });
  }

  async #toError(
    answer: Exclude<UpstreamTokenAnswer, UpstreamToken>,
    { user }: Caller,
    { id: identityProvider }: IdentityProvider,
    { connectUrl }: Wishes,
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
    const offline = (await this.providers.names()).filter(({ offlineAccess }) => offlineAccess);
    return new DomainError(code, { meta: { allowed: offline.map(({ id }) => id) } });
  }
}

function forbidden(privateDetail: string): DomainError {
  return new DomainError('access.forbidden', { privateDetail });
}
