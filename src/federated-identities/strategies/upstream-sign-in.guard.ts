import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { Request, Response } from 'express';
import { DomainError } from '../../common/domain-error.js';
import { queryParameters } from '../../common/http/form.js';
import { Randomness } from '../../common/random.js';
import { Configuration } from '../../config/index.js';
import { IdentityProvidersRepository, UpstreamClients } from '../../identity-providers/index.js';
import { Cookies, PostedParameters } from '../../sessions/index.js';
import { LoginAttempts } from '../login-attempts.js';
import { localPath } from '../local-path.js';
import { SignIn } from '../sign-in.js';
import { toDomainError } from '../upstream-refusal.js';
import { CodeFlowStrategy } from './code-flow.strategy.js';
import { prepare, UPSTREAM_STRATEGY } from './upstream.strategy.js';

/** What the caller of `/login/{idp}` may ask of the provider. */
export const PASSED_ON: Readonly<Record<string, RegExp>> = {
  login_hint: /^[^\p{C}]{1,256}$/u,
  prompt: /^(login|consent|select_account)$/,
  max_age: /^\d{1,9}$/,
};

/** As the router matches it: with a slash behind or not. */
const CALLBACK_PATH = /^\/login\/[^/]+\/callback\/?$/;

export interface ConnectingRequest extends Request {
  /** Set by the connect endpoint before this guard: link to this user instead of signing in. */
  connecting?: { userId: string; scope: string; returnTo: string };
}

/** What is posted to a provider's callback waits for. */
export const callbackOf = (identityProvider: string): string => `callback:${identityProvider}`;

/** Runs the sign-in at the provider that the path names: sends the browser there, or takes what it brings back. */
@Injectable()
export class UpstreamSignInGuard extends AuthGuard(UPSTREAM_STRATEGY) {
  constructor(
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(UpstreamClients) private readonly upstreamClients: UpstreamClients,
    @Inject(LoginAttempts) private readonly attempts: LoginAttempts,
    @Inject(Cookies) private readonly cookies: Cookies,
    @Inject(PostedParameters) private readonly posted: PostedParameters,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(SignIn) private readonly signIn: SignIn,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<ConnectingRequest>();
    let strategy: CodeFlowStrategy | undefined;
    try {
      strategy = await this.#strategy(request, http.getResponse());
      prepare(request, strategy);
      return (await super.canActivate(context)) as boolean;
    } catch (thrown) {
      const error = toDomainError(thrown);
      // What cannot be told from a stranger's request is not recorded: it has no attempt.
      if (strategy?.accepted && error instanceof DomainError) {
        await this.signIn.recordRefusal(strategy.accepted, error);
      }
      throw error;
    }
  }

  async #strategy(request: ConnectingRequest, response: Response): Promise<CodeFlowStrategy> {
    const provider = await this.providers.find(String(request.params['idp']));
    if (!provider) throw new DomainError('provider.unknown');
    const upstream = this.upstreamClients.for(provider);
    const query = queryParameters(request.url);
    const parameters = Object.entries(PASSED_ON).flatMap(([name, pattern]) => {
      const value = query.get(name);
      return value !== undefined && pattern.test(value) ? [[name, value] as const] : [];
    });
    return new CodeFlowStrategy({
      provider,
      upstream,
      attempts: this.attempts,
      authorizationEndpoint: await upstream.authorizationEndpoint(),
      issParameterSupported: await upstream.issParameterSupported(),
      callbackUrl: this.configuration.url(`/login/${encodeURIComponent(provider.id)}/callback`),
      destination: {
        identityProvider: provider.id,
        browser: this.cookies.browser(request, response),
        returnTo: request.connecting?.returnTo ?? localPath(query.get('return_to')),
        scope: request.connecting?.scope ?? provider.scope,
        ...(request.connecting && { connectUserId: request.connecting.userId }),
      },
      answer: CALLBACK_PATH.test(request.path) ? await this.#answer(provider.id, query) : undefined,
      parameters: Object.fromEntries(parameters),
      nonce: this.randomness.token(),
    });
  }

  /** A provider may have posted it: then it waits here under a handle. @see OAuth 2.0 Form Post Response Mode */
  async #answer(identityProvider: string, query: Map<string, string>): Promise<ReadonlyMap<string, string>> {
    const handle = query.get('handle');
    if (handle === undefined || query.has('state')) return query;
    const posted = await this.posted.take(callbackOf(identityProvider), handle);
    if (posted) return posted;
    throw new DomainError('request.parameter-invalid', {
      publicDetail: 'This sign-in was finished already, or took too long. Please start again.',
    });
  }
}
