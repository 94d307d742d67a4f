import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { ClientsRepository, type Client } from '../clients/index.js';
import { Clock } from '../common/clock.js';
import { DomainError } from '../common/domain-error.js';
import type { Secret } from '../common/secret.js';
import { Configuration, STANDARD_SCOPES } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import type { Session } from '../sessions/index.js';
import { AuthorizationCodes } from '../tokens/index.js';
import { UsersRepository, type User } from '../users/index.js';
import { AuthorizationError, type AuthorizationRequest } from './authorization-request.js';
import { Consents } from './consents.js';
import { PendingRequests, type PendingRequest } from './pending-requests.js';

const AUTH_TIME_TOLERANCE_MS = 10_000;

/** What has to happen next to a pending request. */
export type NextStep =
  | { kind: 'sign-in'; parameters: Record<string, string>; identityProvider: string | undefined }
  | {
      kind: 'consent';
      client: Client;
      user: User;
      scope: readonly { name: string; description: string }[];
      redirectUri: string;
    }
  | { kind: 'redirect'; url: string };

/** Takes an authorization request from sign-in over consent to its code. */
@Injectable()
export class AuthorizationService {
  constructor(
    @Inject(PendingRequests) private readonly pending: PendingRequests,
    @Inject(Consents) private readonly consents: Consents,
    @Inject(ClientsRepository) private readonly clients: ClientsRepository,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(AuthorizationCodes) private readonly codes: AuthorizationCodes,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  async next(handle: string, browser: Secret, session: Session | undefined): Promise<NextStep> {
    const found = await this.#find(handle, browser);
    const { request } = found;
    const client = await this.#client(request);
    const user = session && (await this.users.find(session.userId));
    if (!session || !user || user.blocked || !this.#recentEnough(found, session)) {
      if (request.prompt.includes('none') || (session && session.createdAt >= found.createdAt)) {
        // The user has just signed in and it still is not recent enough: the provider cannot prove it.
        return this.#refuse(
          handle,
          browser,
          request,
          new AuthorizationError('login_required', 'The user has to sign in.'),
        );
      }
      return this.#signIn(request);
    }
    const covered = client.consent === 'implicit' || (await this.consents.covers(user.id, client, request.scope));
    if (covered && !request.prompt.includes('consent')) return this.#issue(handle, browser, request, session, user);
    if (request.prompt.includes('none')) {
      return this.#refuse(
        handle,
        browser,
        request,
        new AuthorizationError('consent_required', 'The user has to consent.'),
      );
    }
    return {
      kind: 'consent',
      client,
      user,
      scope: request.scope.map((name) => this.#describe(name)),
      redirectUri: request.redirectUri,
    };
  }

  async decide(handle: string, browser: Secret, session: Session, allowed: boolean): Promise<string> {
    const found = await this.#find(handle, browser);
    const { request } = found;
    const client = await this.#client(request);
    const user = await this.users.find(session.userId);
    if (!user || user.blocked || !this.#recentEnough(found, session)) throw new DomainError('access.forbidden');
    if (!allowed) {
      return (
        await this.#refuse(handle, browser, request, new AuthorizationError('access_denied', 'The user said no.'))
      ).url;
    }
    const { url } = await this.unitOfWork.run(async () => {
      await this.consents.add(user.id, client, request.scope);
      return this.#issue(handle, browser, request, session, user);
    });
    return url;
  }

  /** The redirect that tells the client of an error. @see RFC 9207 for `iss` */
  errorUrl({ redirectUri, state }: { redirectUri: string; state?: string }, error: AuthorizationError): string {
    return this.#answerUrl(
      { redirectUri, ...(state !== undefined && { state }) },
      { error: error.code, error_description: error.description },
    );
  }

  async #find(handle: string, browser: Secret): Promise<PendingRequest> {
    const found = await this.pending.find(handle, browser);
    if (found) return found;
    throw new DomainError('request.parameter-invalid', {
      publicDetail:
        'This request was not started in this browser, was finished already, or took too long. Please go back to the application and start again.',
    });
  }

  async #client({ clientId }: AuthorizationRequest): Promise<Client> {
    const client = await this.clients.find(clientId);
    if (client?.enabled) return client;
    throw new DomainError('request.parameter-invalid', {
      publicDetail: 'The application that sent you here is no longer registered.',
    });
  }

  #recentEnough({ request, createdAt }: PendingRequest, session: Session): boolean {
    if (request.prompt.includes('login') || request.prompt.includes('select_account')) {
      if (session.createdAt < createdAt) return false;
    }
    if (request.prompt.includes('login'))
      return session.authTimeProven && session.authTime >= createdAt - AUTH_TIME_TOLERANCE_MS;
    if (request.maxAge === undefined) return true;
    return (
      session.authTimeProven && this.clock.now() - session.authTime <= request.maxAge * 1000 + AUTH_TIME_TOLERANCE_MS
    );
  }

  #signIn(request: AuthorizationRequest): NextStep {
    const prompt = request.prompt.find((name) => name === 'login' || name === 'select_account');
    // max_age makes the provider say when the user signed in; with prompt=login it has to be now.
    const maxAge = request.prompt.includes('login') ? 0 : request.maxAge;
    return {
      kind: 'sign-in',
      identityProvider: request.identityProvider,
      parameters: {
        ...(request.loginHint !== undefined && { login_hint: request.loginHint }),
        ...(prompt !== undefined && { prompt }),
        ...(maxAge !== undefined && { max_age: String(maxAge) }),
      },
    };
  }

  async #issue(
    handle: string,
    browser: Secret,
    request: AuthorizationRequest,
    session: Session,
    user: User,
  ): Promise<NextStep & { kind: 'redirect' }> {
    const code = await this.unitOfWork.run(async () => {
      if (!(await this.pending.consume(handle, browser)))
        throw new DomainError('request.parameter-invalid', { publicDetail: 'This request was finished already.' });
      await this.audit.record({
        event: 'client.authorized',
        outcome: 'success',
        userId: user.id,
        clientId: request.clientId,
      });
      return this.codes.issue({
        redirectUri: request.redirectUri,
        codeChallenge: request.codeChallenge,
        nonce: request.nonce,
        grant: {
          userId: user.id,
          clientId: request.clientId,
          scope: request.scope,
          sessionId: session.id,
          authTime: session.authTime,
          claims: claimsFor(user, request.scope),
        },
      });
    });
    return { kind: 'redirect', url: this.#answerUrl(request, { code: code.reveal() }) };
  }

  async #refuse(
    handle: string,
    browser: Secret,
    request: AuthorizationRequest,
    error: AuthorizationError,
  ): Promise<NextStep & { kind: 'redirect' }> {
    await this.pending.consume(handle, browser);
    return { kind: 'redirect', url: this.errorUrl(request, error) };
  }

  #answerUrl(
    { redirectUri, state }: { redirectUri: string; state?: string },
    parameters: Record<string, string>,
  ): string {
    const answer = new URLSearchParams({
      ...parameters,
      ...(state !== undefined && { state }),
      iss: this.configuration.issuer,
    });
    // RFC 6749 section 3.1.2: the client's own query is retained as it is.
    return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${answer.toString()}`;
  }

  #describe(name: string): { name: string; description: string } {
    const declared = this.configuration.declared.scopes.find((scope) => scope.name === name);
    return { name, description: declared?.description ?? STANDARD_SCOPES[name] ?? name };
  }
}

/** @see OpenID Connect Core 1.0 section 5.4 */
function claimsFor(user: User, scope: readonly string[]): Record<string, unknown> {
  const profile = { name: user.fullName, preferred_username: user.username };
  const email = { email: user.email, email_verified: user.email === undefined ? undefined : user.emailVerified };
  return { ...(scope.includes('profile') && profile), ...(scope.includes('email') && email) };
}
