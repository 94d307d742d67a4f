import { Body, Controller, Get, Inject, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DomainError } from '../common/domain-error.js';
import { formBody, queryParameters } from '../common/http/form.js';
import { html, page, pageHeaders, type Html } from '../common/http/html.js';
import { Secret } from '../common/secret.js';
import { Configuration } from '../config/index.js';
import { IdentityProvidersRepository } from '../identity-providers/index.js';
import { Cookies, PostedParameters, Sessions } from '../sessions/index.js';
import { UsersRepository } from '../users/index.js';
import { LoginAttempts } from './login-attempts.js';
import { localPath } from './local-path.js';
import { SignIn } from './sign-in.js';
import { notExpected, type UpstreamSignIn } from './strategies/code-flow.strategy.js';
import { callbackOf, PASSED_ON, UpstreamSignInGuard } from './strategies/upstream-sign-in.guard.js';

const PASSWORD_FORM = 'password';
/** What goes on to the provider that is chosen, and comes back with a wrong password. */
const KEPT = ['return_to', ...Object.keys(PASSED_ON)];
/** What is read of an answer that a provider posts. */
const ANSWER = ['state', 'code', 'iss', 'error', 'user'];

/** The pages on which a person signs in. */
@ApiExcludeController()
@Controller('login')
export class LoginController {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(Cookies) private readonly cookies: Cookies,
    @Inject(PostedParameters) private readonly posted: PostedParameters,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(SignIn) private readonly signIn: SignIn,
    @Inject(LoginAttempts) private readonly attempts: LoginAttempts,
  ) {}

  @Get()
  async choose(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.#show(request, response, queryParameters(request.url));
  }

  /** Signs in with a password. */
  @Post()
  async withPassword(@Req() request: Request, @Res() response: Response, @Body() body: unknown): Promise<void> {
    if (!this.#takesPasswords)
      throw new DomainError('request.method-not-allowed', { meta: { allow: ['GET', 'HEAD'] } });
    const form = formBody(body);
    const browser = this.cookies.read(request, 'browser');
    if (!browser || !this.cookies.isCsrfToken(form.get('csrf_token'), browser, PASSWORD_FORM)) {
      throw new DomainError('access.forbidden', {
        publicDetail: 'This form was not opened in this browser. Please go back and try again.',
      });
    }
    try {
      const [username, password] = [form.get('username') ?? '', new Secret(form.get('password') ?? '')];
      await this.signIn.withPassword(request, response, username, password);
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'credentials.password-wrong') throw error;
      await this.#show(request, response, form, error);
      return;
    }
    this.#showTheWayOn(response, localPath(form.get('return_to')));
  }

  /** Sends the browser to the provider; the guard does it. */
  @Get(':idp')
  @UseGuards(UpstreamSignInGuard)
  start(): void {
    // Unreachable: without a callback the strategy always redirects.
  }

  /** The one redirect URI to register at the provider. */
  @Get(':idp/callback')
  @UseGuards(UpstreamSignInGuard)
  async callback(@Req() request: Request, @Res() response: Response): Promise<void> {
    const signIn = request.user as UpstreamSignIn;
    await this.signIn.complete(request, response, signIn);
    this.#leave(response, localPath(signIn.attempt.returnTo));
  }

  /** The same for a provider that posts its answer: no cookie comes along, so it waits until the browser has come back. */
  @Post(':idp/callback')
  async postedCallback(@Param('idp') idp: string, @Res() response: Response, @Body() body: unknown): Promise<void> {
    const provider = await this.providers.find(idp);
    if (!provider) throw new DomainError('provider.unknown');
    const answer = new Map([...formBody(body)].filter(([name]) => ANSWER.includes(name)));
    // Anybody may post here, too: only what somebody waits for is kept.
    if (!(await this.attempts.isExpected(answer.get('state') ?? '', idp))) throw notExpected();
    const handle = await this.posted.keep(callbackOf(idp), answer);
    this.#leave(response, `/login/${encodeURIComponent(idp)}/callback?handle=${handle}`);
  }

  get #takesPasswords(): boolean {
    return this.configuration.environment.PASSWORD_SIGN_IN;
  }

  async #show(
    request: Request,
    response: Response,
    parameters: ReadonlyMap<string, string>,
    refused?: DomainError,
  ): Promise<void> {
    // From here on the browser has its binding: providers opened in several tabs at once find the same one.
    const browser = this.cookies.browser(request, response);
    const session = await this.sessions.current(request);
    const user = session && (await this.users.find(session.userId));
    const passedOn = KEPT.flatMap((name): [string, string][] => {
      const value = parameters.get(name);
      return value === undefined ? [] : [[name, value]];
    });
    const search = passedOn.length === 0 ? '' : `?${new URLSearchParams(passedOn).toString()}`;
    const buttons = (await this.providers.names()).map(
      ({ id, displayName }) =>
        html`<a class="button" href="${this.configuration.issuerPath}/login/${encodeURIComponent(id)}${search}"
          >Continue with ${displayName}</a
        >`,
    );
    const signedIn =
      user &&
      html`<p>You are signed in as <strong>${user.fullName ?? user.username ?? user.email ?? user.id}</strong>.</p>`;
    const choices =
      buttons.length > 0
        ? html`<p class="muted">Choose where you have an account.</p>
            <nav class="actions" aria-label="Identity providers">${buttons}</nav>`
        : !this.#takesPasswords &&
          html`<p>No identity provider is configured. The operator declares them in CONFIG_FILE.</p>`;
    const { retryAfterSeconds } = refused?.meta ?? {};
    response
      .status(refused ? 401 : 200)
      .set({
        ...pageHeaders(),
        ...(refused && { 'WWW-Authenticate': 'Cookie realm="symbolon"' }),
        ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
      })
      .send(
        page(
          'Sign in',
          html`<h1>Sign in</h1>
            ${signedIn} ${choices}
            ${this.#takesPasswords && this.#passwordForm(browser, parameters, passedOn, refused !== undefined)}`,
        ),
      );
  }

  #passwordForm(
    browser: Secret,
    parameters: ReadonlyMap<string, string>,
    passedOn: readonly [string, string][],
    refused: boolean,
  ): Html {
    return html`<form class="actions" method="post" action="${this.configuration.issuerPath}/login">
      ${refused && html`<p role="alert">The user name or the password is wrong, or there were too many attempts.</p>`}
      <label
        >User name
        <input
          name="username"
          value="${parameters.get('username') ?? parameters.get('login_hint') ?? ''}"
          autocomplete="username"
          autocapitalize="none"
          required
      /></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
      ${passedOn.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
      <input type="hidden" name="csrf_token" value="${this.cookies.csrfToken(browser, PASSWORD_FORM)}" />
      <button class="primary" type="submit">Sign in</button>
    </form>`;
  }

  /**
   * Ends the form's navigation here: `form-action` counts for every redirect after a form, up to the client's, and must
   * not be opened to wherever a client may be.
   */
  #showTheWayOn(response: Response, path: string): void {
    const leadsTo = this.configuration.issuerPath + path;
    response
      .status(200)
      .set(pageHeaders())
      .send(
        page(
          'Signed in',
          html`<h1>You are signed in</h1>
            <p><a href="${leadsTo}">Continue</a></p>`,
          { leadsTo },
        ),
      );
  }

  #leave(response: Response, path: string): void {
    response
      .set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' })
      .redirect(303, this.configuration.issuerPath + path);
  }
}
