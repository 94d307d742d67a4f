import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { DomainError } from '../common/domain-error.js';
import { formBody } from '../common/http/form.js';
import { Cookies, Sessions } from '../sessions/index.js';
import { ConnectRequests, staleTicket } from './connect-requests.js';
import type { ConnectingRequest } from './strategies/upstream-sign-in.guard.js';

export const CONNECT_FORM = 'connect';

/** Admits the signed-in user, whom the ticket names if there is one, spends it, and says to whom what is to be linked. */
@Injectable()
export class ConnectGuard implements CanActivate {
  constructor(
    @Inject(ConnectRequests) private readonly requests: ConnectRequests,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(Cookies) private readonly cookies: Cookies,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ConnectingRequest>();
    const form = formBody(request.body);
    const cookie = this.cookies.read(request, 'session');
    const session = await this.sessions.current(request);
    if (!cookie || !session || !this.cookies.isCsrfToken(form.get('csrf_token'), cookie, CONNECT_FORM)) {
      throw new DomainError('access.forbidden', {
        publicDetail: 'This form was not opened in this browser. Please go back and try again.',
      });
    }
    const { userId } = session;
    const connect = await this.requests.read(String(request.params['idp']), form);
    if (connect.ticket && connect.ticket.userId !== userId) throw staleTicket();
    const { whole: scope } = await this.requests.wantedScope(connect, userId);
    await this.requests.authorizationEndpoint(connect);
    await this.requests.spend(connect);
    request.connecting = { userId, scope, returnTo: connect.returnTo };
    return true;
  }
}
