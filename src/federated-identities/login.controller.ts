import { Controller, Get, Inject, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { html, page, pageHeaders } from '../common/http/html.js';
import { Configuration } from '../config/index.js';
import { IdentityProvidersRepository } from '../identity-providers/index.js';
import { Cookies, Sessions } from '../sessions/index.js';
import { UsersRepository } from '../users/index.js';
import { localPath } from './local-path.js';
import { SignIn } from './sign-in.js';
import type { UpstreamSignIn } from './strategies/oidc.strategy.js';
import { UpstreamSignInGuard } from './strategies/upstream-sign-in.guard.js';

/** The pages on which a person signs in. */
@ApiExcludeController()
@Controller('login')
export class LoginController {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(Cookies) private readonly cookies: Cookies,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(SignIn) private readonly signIn: SignIn,
  ) {}

  @Get()
  async choose(
    @Req() request: Request,
    @Res() response: Response,
    @Query() query: Record<string, unknown>,
  ): Promise<void> {
    // From here on the browser has its binding: providers opened in several tabs at once find the same one.
    this.cookies.browser(request, response);
    const session = await this.sessions.current(request);
    const user = session && (await this.users.find(session.userId));
    const passedOn = ['return_to', 'login_hint', 'prompt', 'max_age'].flatMap((name): [string, string][] => {
      const value = query[name];
      return typeof value === 'string' ? [[name, value]] : [];
    });
    const search = passedOn.length === 0 ? '' : `?${new URLSearchParams(passedOn).toString()}`;
    const buttons = (await this.providers.list()).map(
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
        ? html`<nav class="actions" aria-label="Identity providers">${buttons}</nav>`
        : html`<p>No identity provider is configured. The operator declares them in CONFIG_FILE.</p>`;
    response.set(pageHeaders()).send(
      page(
        'Sign in',
        html`<h1>Sign in</h1>
          ${signedIn}
          <p class="muted">Choose where you have an account.</p>
          ${choices}`,
      ),
    );
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
    response
      .set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' })
      .redirect(303, this.configuration.issuerPath + localPath(signIn.attempt.returnTo));
  }
}
