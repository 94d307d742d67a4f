import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { DomainError } from '../common/domain-error.js';
import { formBody } from '../common/http/form.js';
import { ConnectTickets } from '../idp-offline-access/index.js';
import { Cookies, Sessions } from '../sessions/index.js';
import type { ConnectingRequest } from './strategies/upstream-sign-in.guard.js';

export const CONNECT_FORM = 'connect';

/** Admits the signed-in user whom the ticket names, spends the ticket, and says to whom the account is to be linked. */
@Injectable()
export class ConnectGuard implements CanActivate {
  constructor(
    @Inject(ConnectTickets) private readonly tickets: ConnectTickets,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(Cookies) private readonly cookies: Cookies,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ConnectingRequest>();
    const form = formBody(request.body);
    const presented = form.get('ticket') ?? '';
    const cookie = this.cookies.read(request, 'session');
    const session = await this.sessions.current(request);
    if (!cookie || !session || !this.cookies.isCsrfToken(form.get('csrf_token'), cookie, CONNECT_FORM)) {
      throw new DomainError('access.forbidden', {
        publicDetail: 'This form was not opened in this browser. Please go back and try again.',
      });
    }
    const ticket = await this.tickets.find(presented);
    const matches = ticket?.userId === session.userId && ticket.identityProvider === request.params['idp'];
    if (!matches || !(await this.tickets.consume(presented))) throw staleTicket();
    request.connectUserId = session.userId;
    return true;
  }
}

export function staleTicket(): DomainError {
  return new DomainError('request.parameter-invalid', {
    publicDetail: 'This link has expired or was used already. Please ask the application for a new one.',
  });
}
