import { Controller, Get, Inject, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DomainError } from '../common/domain-error.js';
import { queryParameters } from '../common/http/form.js';
import { html, page, pageHeaders } from '../common/http/html.js';
import { Configuration } from '../config/index.js';
import { IdentityProvidersRepository, UpstreamClients, type IdentityProvider } from '../identity-providers/index.js';
import { ConnectTickets } from '../idp-offline-access/index.js';
import { Cookies, Sessions } from '../sessions/index.js';
import { UsersRepository } from '../users/index.js';
import { CONNECT_FORM, ConnectGuard, staleTicket } from './connect.guard.js';
import { toDomainError, UpstreamSignInGuard } from './strategies/upstream-sign-in.guard.js';

/** Connects an account at a provider to the user whom a ticket names; the vault hands out the URLs. */
@ApiExcludeController()
@Controller('connect')
export class ConnectController {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(UpstreamClients) private readonly upstreamClients: UpstreamClients,
    @Inject(ConnectTickets) private readonly tickets: ConnectTickets,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(Cookies) private readonly cookies: Cookies,
    @Inject(UsersRepository) private readonly users: UsersRepository,
  ) {}

  @Get(':idp')
  async confirm(@Param('idp') idp: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const provider = await this.providers.find(idp);
    if (!provider) throw new DomainError('provider.unknown');
    const presented = queryParameters(request.url).get('ticket') ?? '';
    const ticket = await this.tickets.find(presented);
    if (ticket?.identityProvider !== idp) throw staleTicket();
    const session = await this.sessions.current(request);
    const cookie = this.cookies.read(request, 'session');
    if (!session || !cookie) {
      const returnTo = `/connect/${encodeURIComponent(idp)}?ticket=${encodeURIComponent(presented)}`;
      response.redirect(303, `${this.configuration.issuerPath}/login?return_to=${encodeURIComponent(returnTo)}`);
      return;
    }
    const user = await this.users.find(session.userId);
    if (session.userId !== ticket.userId || !user) {
      throw new DomainError('access.forbidden', {
        publicDetail: 'This link was made for another user than the one who is signed in here.',
      });
    }
    const endpoint = await this.#authorizationEndpoint(provider);
    response.set(pageHeaders(['https:', new URL(endpoint).origin])).send(
      page(
        'Connect an account',
        html`<h1>Connect ${provider.displayName}</h1>
          <p>
            Your account at ${provider.displayName} will be connected to
            <strong>${user.fullName ?? user.username ?? user.email ?? user.id}</strong>.
          </p>
          <form
            class="actions"
            method="post"
            action="${this.configuration.issuerPath}/connect/${encodeURIComponent(idp)}"
          >
            <input type="hidden" name="ticket" value="${presented}" /><input
              type="hidden"
              name="csrf_token"
              value="${this.cookies.csrfToken(cookie, CONNECT_FORM)}"
            />
            <button class="primary" type="submit">Continue to ${provider.displayName}</button>
          </form>`,
      ),
    );
  }

  async #authorizationEndpoint(provider: IdentityProvider): Promise<string> {
    try {
      return await this.upstreamClients.for(provider).authorizationEndpoint();
    } catch (error) {
      throw toDomainError(error);
    }
  }

  /** Sends the browser to the provider; the guards do it. */
  @Post(':idp')
  @UseGuards(ConnectGuard, UpstreamSignInGuard)
  start(): void {
    // Unreachable: without a callback the strategy always redirects.
  }
}
