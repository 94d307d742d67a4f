import { Inject, Injectable } from '@nestjs/common';
import { Audit, type AuditRecord } from '../audit/index.js';
import { DomainError } from '../common/domain-error.js';
import { requestContext } from '../common/request-context.js';
import { LINK_SCOPE, UNLINK_SCOPE } from '../config/index.js';
import { IdentityProvidersRepository, type IdentityProvider } from '../identity-providers/index.js';
import { ConnectTickets, LinkedAccounts } from '../idp-offline-access/index.js';
import { Sessions } from '../sessions/index.js';
import type { Caller } from '../tokens/index.js';

interface Change {
  event: AuditRecord['event'];
  scope: string;
}

const LINK: Change = { event: 'identity.linked', scope: LINK_SCOPE };
const UNLINK: Change = { event: 'identity.unlinked', scope: UNLINK_SCOPE };

/** What a client may do with the linked identities of its user: with a scope, at the providers in its registration. */
@Injectable()
export class IdentityLinking {
  constructor(
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(LinkedAccounts) private readonly accounts: LinkedAccounts,
    @Inject(ConnectTickets) private readonly tickets: ConnectTickets,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(Audit) private readonly audit: Audit,
  ) {}

  /**
   * Makes the account with which the session of the caller's token began, or that was connected in it a short while ago,
   * the user's linked identity at that provider. A client cannot name another: no token opens accounts that the user did
   * not bring along.
   * @throws DomainError in the order `access.forbidden`, `provider.unknown`, `user.blocked`, `identity.not-linked`; with
   * a connect URL where connecting an account would help
   */
  async link(caller: Caller, identityProvider: string): Promise<void> {
    await this.#change(LINK, caller, identityProvider, async ({ user, sessionId }) => {
      const session = sessionId === undefined ? undefined : await this.sessions.find(sessionId);
      try {
        await this.accounts.choose(user.id, identityProvider, session);
      } catch (error) {
        if (!session || !(error instanceof DomainError)) throw error;
        const connectUrl = await this.tickets.connectUrl({ userId: user.id, identityProvider });
        throw new DomainError(error.code, { meta: { connectUrl } });
      }
    });
  }

  /**
   * Unlinks the user's accounts at that provider; where none is linked nothing is left to do.
   * @throws DomainError in the order `access.forbidden`, `provider.unknown`, `user.blocked`
   */
  async unlink(caller: Caller, identityProvider: string): Promise<void> {
    await this.#change(UNLINK, caller, identityProvider, async ({ user }) => {
      await this.accounts.unlink(user.id, identityProvider);
    });
  }

  async #change(
    { event, scope }: Change,
    caller: Caller,
    identityProvider: string,
    change: (caller: Caller) => Promise<void>,
  ): Promise<void> {
    const context = requestContext.getStore();
    if (context && caller.client) context.clientId = caller.client.clientId;
    const provider = await this.providers.find(identityProvider);
    try {
      permit(caller, provider, scope);
      await change(caller);
    } catch (error) {
      if (error instanceof DomainError) {
        await this.audit.record({
          event,
          outcome: 'failure',
          userId: caller.user.id,
          identityProvider: provider?.id,
          reason: error.code,
        });
      }
      throw error;
    }
  }
}

function permit({ user, client, scope }: Caller, provider: IdentityProvider | undefined, needed: string): void {
  if (client && !scope.has(needed)) throw forbidden(`the token lacks the scope ${needed}`);
  if (!provider) throw new DomainError('provider.unknown');
  if (client && !client.upstreamProviders.includes(provider.id)) throw forbidden("the provider is not the client's");
  if (user.blocked) throw new DomainError('user.blocked');
}

function forbidden(privateDetail: string): DomainError {
  return new DomainError('access.forbidden', { privateDetail });
}
