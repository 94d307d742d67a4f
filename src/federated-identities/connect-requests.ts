import { Inject, Injectable } from '@nestjs/common';
import { DomainError, invalidParameter } from '../common/domain-error.js';
import { SCOPE } from '../config/index.js';
import { IdentityProvidersRepository, UpstreamClients, type IdentityProvider } from '../identity-providers/index.js';
import { ConnectTickets, LinkedAccounts } from '../idp-offline-access/index.js';
import { localPath } from './local-path.js';
import { toDomainError } from './upstream-refusal.js';

const MAX_SCOPE_LENGTH = 1024;

/** What a connect link, or the form behind it, asks for. */
export interface ConnectRequest {
  provider: IdentityProvider;
  /** With a ticket, the user it names; whoever is signed in without. */
  ticket: { value: string; userId: string } | undefined;
  /** Scopes that are wanted beside those that the provider is always asked for. */
  scope: readonly string[];
  /** A local path. */
  returnTo: string;
}

/** What the provider is asked for on behalf of a user. */
export interface WantedScope {
  /** Space-separated; with everything that was granted before, so that asking for more gives nothing up. */
  whole: string;
  /** What is new in it. */
  additional: readonly string[];
}

/** Reads what connect links ask for. */
@Injectable()
export class ConnectRequests {
  constructor(
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(UpstreamClients) private readonly upstreamClients: UpstreamClients,
    @Inject(ConnectTickets) private readonly tickets: ConnectTickets,
    @Inject(LinkedAccounts) private readonly accounts: LinkedAccounts,
  ) {}

  /**
   * @throws DomainError `provider.unknown`; `request.parameter-invalid` for a ticket that is unknown, spent, expired, or
   * for another provider, and for a scope that is none
   */
  async read(idp: string, parameters: ReadonlyMap<string, string>): Promise<ConnectRequest> {
    const provider = await this.providers.find(idp);
    if (!provider) throw new DomainError('provider.unknown');
    const value = parameters.get('ticket');
    const ticket = value === undefined ? undefined : await this.tickets.find(value);
    if (value !== undefined && ticket?.identityProvider !== idp) throw staleTicket();
    return {
      provider,
      ticket: ticket && { value: value!, userId: ticket.userId },
      scope: scopeTokens(parameters.get('scope')),
      returnTo: localPath(parameters.get('return_to')),
    };
  }

  async wantedScope({ provider, scope }: ConnectRequest, userId: string): Promise<WantedScope> {
    const accounts = await this.accounts.ofUser(userId);
    const granted = accounts.find(({ identityProvider }) => identityProvider === provider.id)?.scope ?? [];
    const usual = new Set([...provider.scope.split(' '), ...granted].filter((name) => name !== ''));
    return {
      whole: [...new Set([...usual, ...scope])].join(' '),
      additional: scope.filter((name) => !usual.has(name)),
    };
  }

  /**
   * Where the browser is to go. Asked for before a ticket is spent: a provider that is down does not cost the link.
   * @throws DomainError `upstream.*`
   */
  async authorizationEndpoint({ provider }: ConnectRequest): Promise<string> {
    try {
      return await this.upstreamClients.for(provider).authorizationEndpoint();
    } catch (error) {
      throw toDomainError(error);
    }
  }

  /** @throws DomainError when the ticket was spent a moment ago */
  async spend({ ticket }: ConnectRequest): Promise<void> {
    if (ticket && !(await this.tickets.consume(ticket.value))) throw staleTicket();
  }
}

export function staleTicket(): DomainError {
  return new DomainError('request.parameter-invalid', {
    publicDetail: 'This link has expired or was used already. Please ask the application for a new one.',
  });
}

function scopeTokens(scope = ''): string[] {
  const tokens = [...new Set(scope.split(' ').filter((token) => token !== ''))];
  if (scope.length > MAX_SCOPE_LENGTH || tokens.some((token) => !SCOPE.test(token)))
    throw invalidParameter('scope', `must be scope names separated by spaces, at most ${MAX_SCOPE_LENGTH} characters`);
  return tokens;
}
