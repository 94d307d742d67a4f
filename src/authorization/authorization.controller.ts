import { Body, Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ClientsRepository } from '../clients/index.js';
import { DomainError } from '../common/domain-error.js';
import { formBody, queryParameters } from '../common/http/form.js';
import { html, page, pageHeaders } from '../common/http/html.js';
import type { Secret } from '../common/secret.js';
import { Configuration } from '../config/index.js';
import { Cookies, PostedParameters, Sessions } from '../sessions/index.js';
import { isRefreshable } from '../tokens/index.js';
import {
  AuthorizationError,
  knownParameters,
  redirectTarget,
  validate,
  type AuthorizationRequest,
} from './authorization-request.js';
import { AuthorizationService, type NextStep } from './authorization.service.js';
import { PendingRequests } from './pending-requests.js';

/** What is posted to the authorization endpoint waits for. */
const POSTED_REQUEST = 'auth';

const UNITS: readonly [name: string, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

const consentForm = (handle: string) => `consent:${handle}`;

/** The authorization endpoint and its consent page. @see RFC 6749 section 3.1 */
@ApiExcludeController()
@Controller('auth')
export class AuthorizationController {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(ClientsRepository) private readonly clients: ClientsRepository,
    @Inject(PendingRequests) private readonly pending: PendingRequests,
    @Inject(AuthorizationService) private readonly authorization: AuthorizationService,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(Cookies) private readonly cookies: Cookies,
    @Inject(PostedParameters) private readonly posted: PostedParameters,
  ) {}

  @Get()
  async authorize(@Req() request: Request, @Res() response: Response): Promise<void> {
    const parameters = await this.#parameters(queryParameters(request.url));
    await this.#whenValid(response, parameters, async (valid) => {
      const browser = this.cookies.browser(request, response);
      const handle = await this.pending.keep(valid, browser);
      await this.#proceed(request, response, handle, browser);
    });
  }

  /**
   * The same, posted by the client's page: no cookie comes along, so the request waits until the browser has come back.
   * @see OpenID Connect Core 1.0 section 3.1.2.1
   */
  @Post()
  async posting(@Res() response: Response, @Body() body: unknown): Promise<void> {
    const parameters = formBody(body);
    // A page of anybody's may post here: only what can lead somewhere is kept.
    await this.#whenValid(response, parameters, async () => {
      const handle = await this.posted.keep(POSTED_REQUEST, knownParameters(parameters));
      this.#redirect(response, `${this.configuration.issuerPath}/auth?handle=${handle}`);
    });
  }

  /** Where a sign-in leads back to. */
  @Get('resume')
  async resume(@Req() request: Request, @Res() response: Response): Promise<void> {
    const handle = queryParameters(request.url).get('id') ?? '';
    await this.#proceed(request, response, handle, this.cookies.browser(request, response));
  }

  @Post('consent')
  async consent(@Req() request: Request, @Res() response: Response, @Body() body: unknown): Promise<void> {
    const form = formBody(body);
    const handle = form.get('id') ?? '';
    const session = await this.sessions.current(request);
    const cookie = this.cookies.read(request, 'session');
    const browser = this.cookies.read(request, 'browser');
    const genuine = cookie && this.cookies.isCsrfToken(form.get('csrf_token'), cookie, consentForm(handle));
    if (!session || !browser || !genuine) {
      throw new DomainError('access.forbidden', {
        publicDetail: 'This form was not opened in this browser. Please go back and try again.',
      });
    }
    const decision = form.get('decision');
    if (decision !== 'allow' && decision !== 'deny') {
      throw new DomainError('request.parameter-invalid', { publicDetail: 'decision must be allow or deny.' });
    }
    this.#redirect(response, await this.authorization.decide(handle, browser, session, decision === 'allow'));
  }

  /** Goes on with a request that is valid; what is wrong with another is told its client, if that is known. */
  async #whenValid(
    response: Response,
    parameters: ReadonlyMap<string, string>,
    goOn: (valid: AuthorizationRequest) => Promise<void>,
  ): Promise<void> {
    const client = await this.clients.find(parameters.get('client_id') ?? '');
    const target = redirectTarget(parameters, client);
    try {
      await goOn(validate(parameters, client!, target));
    } catch (error) {
      if (!(error instanceof AuthorizationError)) throw error;
      this.#redirect(response, this.authorization.errorUrl(target, error));
    }
  }

  /** A request of its own may have any unknown parameter, this name too. @see RFC 6749 section 3.1 */
  async #parameters(query: Map<string, string>): Promise<ReadonlyMap<string, string>> {
    const handle = query.get('handle');
    if (handle === undefined || query.has('client_id')) return query;
    const posted = await this.posted.take(POSTED_REQUEST, handle);
    if (posted) return posted;
    throw new DomainError('request.parameter-invalid', {
      publicDetail: 'This request was started already, or took too long. Please go back to the application.',
    });
  }

  async #proceed(request: Request, response: Response, handle: string, browser: Secret): Promise<void> {
    const step = await this.authorization.next(handle, browser, await this.sessions.current(request));
    switch (step.kind) {
      case 'redirect':
        return this.#redirect(response, step.url);
      case 'sign-in':
        return this.#redirect(response, this.#signInUrl(handle, step));
      default:
        this.#showConsent(request, response, handle, step);
    }
  }

  #signInUrl(handle: string, { identityProvider, parameters }: NextStep & { kind: 'sign-in' }): string {
    const search = new URLSearchParams({ return_to: `/auth/resume?id=${handle}`, ...parameters });
    const path = identityProvider === undefined ? '/login' : `/login/${encodeURIComponent(identityProvider)}`;
    return `${this.configuration.issuerPath}${path}?${search.toString()}`;
  }

  #showConsent(request: Request, response: Response, handle: string, step: NextStep & { kind: 'consent' }): void {
    const cookie = this.cookies.read(request, 'session');
    if (!cookie) throw new DomainError('access.forbidden');
    const name = step.user.fullName ?? step.user.username ?? step.user.email ?? step.user.id;
    response.set(pageHeaders([formTarget(step.redirectUri)])).send(
      page(
        `Allow ${step.client.clientName}?`,
        html`<h1>Allow <strong>${step.client.clientName}</strong>?</h1>
          <p>Signed in as <strong>${name}</strong>.</p>
          <p>It wants to:</p>
          <ul>
            ${step.scope.map(({ name: scope, description }) => html`<li>${description} <span class="muted">(${scope})</span></li>`)}
          </ul>
          <p class="muted">
            You will be sent to <code>${new URL(step.redirectUri).host}</code>. ${this.#duration(step)}
          </p>
          <form class="actions" method="post" action="${this.configuration.issuerPath}/auth/consent">
            <input type="hidden" name="id" value="${handle}" /><input
              type="hidden"
              name="csrf_token"
              value="${this.cookies.csrfToken(cookie, consentForm(handle))}"
            />
            <button class="primary" name="decision" value="allow">Allow</button
            ><button name="decision" value="deny">Deny</button>
          </form>`,
      ),
    );
  }

  #duration({ client, scope }: NextStep & { kind: 'consent' }): string {
    const { ACCESS_TOKEN_TTL, REFRESH_TOKEN_TTL } = this.configuration.environment;
    const names = scope.map(({ name }) => name);
    return isRefreshable(client, names)
      ? `It can renew its access for ${inWords(client.refreshTokenLifetime ?? REFRESH_TOKEN_TTL)} without asking you again.`
      : `Its access lasts ${inWords(client.accessTokenLifetime ?? ACCESS_TOKEN_TTL)}.`;
  }

  #redirect(response: Response, url: string): void {
    response.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' }).redirect(303, url);
  }
}

/** What `form-action` names for a redirect URI; a private scheme has no origin. */
function formTarget(redirectUri: string): string {
  const { origin, protocol } = new URL(redirectUri);
  return origin === 'null' ? protocol : origin;
}

/** A lifetime as a person says it. */
function inWords(seconds: number): string {
  const [unit, length] = UNITS.find(([, each]) => seconds >= 2 * each) ?? ['second', 1];
  const count = Math.round(seconds / length);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
