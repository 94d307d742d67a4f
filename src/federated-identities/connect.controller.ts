import { Controller, Get, Inject, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DomainError } from '../common/domain-error.js';
import { queryParameters } from '../common/http/form.js';
import { html, page, pageHeaders, type Html } from '../common/http/html.js';
import type { Secret } from '../common/secret.js';
import { Configuration } from '../config/index.js';
import { Cookies, Sessions } from '../sessions/index.js';
import { UsersRepository, type User } from '../users/index.js';
import { ConnectRequests, type ConnectRequest, type WantedScope } from './connect-requests.js';
import { CONNECT_FORM, ConnectGuard } from './connect.guard.js';
import { HOME } from './local-path.js';
import { UpstreamSignInGuard } from './strategies/upstream-sign-in.guard.js';

/**
 * Connects an account at a provider to the user who is signed in. A link with a ticket, as the vault hands them out, is
 * for the user whom the ticket names and for nobody else.
 */
@ApiExcludeController()
@Controller('connect')
export class ConnectController {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(ConnectRequests) private readonly requests: ConnectRequests,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(Cookies) private readonly cookies: Cookies,
    @Inject(UsersRepository) private readonly users: UsersRepository,
  ) {}

  @Get(':idp')
  async confirm(@Param('idp') idp: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const connect = await this.requests.read(idp, queryParameters(request.url));
    const session = await this.sessions.current(request);
    const cookie = this.cookies.read(request, 'session');
    if (!session || !cookie) {
      const search = new URLSearchParams(fieldsOf(connect)).toString();
      const query = new URLSearchParams({ return_to: `/connect/${encodeURIComponent(idp)}?${search}` }).toString();
      response.set('Cache-Control', 'no-store').redirect(303, `${this.configuration.issuerPath}/login?${query}`);
      return;
    }
    const user = await this.users.find(session.userId);
    if (!user || (connect.ticket && connect.ticket.userId !== user.id)) {
      throw new DomainError('access.forbidden', {
        publicDetail: 'This link was made for another user than the one who is signed in here.',
      });
    }
    const endpoint = await this.requests.authorizationEndpoint(connect);
    response
      .set(pageHeaders(['https:', new URL(endpoint).origin]))
      .send(this.#page(connect, user, await this.requests.wantedScope(connect, user.id), cookie));
  }

  /** Sends the browser to the provider; the guards do it. */
  @Post(':idp')
  @UseGuards(ConnectGuard, UpstreamSignInGuard)
  start(): void {
    // Unreachable: without a callback the strategy always redirects.
  }

  #page(connect: ConnectRequest, user: User, { additional }: WantedScope, cookie: Secret): string {
    const { id, displayName } = connect.provider;
    const fields = { ...fieldsOf(connect), csrf_token: this.cookies.csrfToken(cookie, CONNECT_FORM) };
    return page(
      'Connect an account',
      html`<h1>Connect ${displayName}</h1>
        <p>
          Your account at ${displayName} will be connected to
          <strong>${user.fullName ?? user.username ?? user.email ?? user.id}</strong>.
        </p>
        ${additional.length > 0 && permissions(displayName, additional)}
        <form class="actions" method="post" action="${this.configuration.issuerPath}/connect/${encodeURIComponent(id)}">
          ${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
          <button class="primary" type="submit">Continue to ${displayName}</button>
        </form>`,
    );
  }
}

function permissions(displayName: string, additional: readonly string[]): Html {
  return html`<p>${displayName} will be asked for these further permissions:</p>
    <ul>
      ${additional.map((name) => html`<li><code>${name}</code></li>`)}
    </ul>`;
}

/** The request as it goes through a sign-in and the form. */
function fieldsOf({ ticket, scope, returnTo }: ConnectRequest): Record<string, string> {
  return {
    ...(ticket && { ticket: ticket.value }),
    ...(scope.length > 0 && { scope: scope.join(' ') }),
    ...(returnTo !== HOME && { return_to: returnTo }),
  };
}
