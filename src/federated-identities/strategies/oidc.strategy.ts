import { callbackify } from 'node:util';
import type { Request } from 'express';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import { DomainError } from '../../common/domain-error.js';
import {
  isIssuerOf,
  type IdentityProvider,
  type ProvenIdentity,
  type TokenResponse,
  type UpstreamClient,
} from '../../identity-providers/index.js';
import type { Destination, LoginAttempt, LoginAttempts } from '../login-attempts.js';

/** What a sign-in at a provider proved. */
export interface UpstreamSignIn {
  provider: IdentityProvider;
  identity: ProvenIdentity;
  tokens: TokenResponse;
  attempt: LoginAttempt;
}

export interface OidcStrategyOptions {
  provider: IdentityProvider;
  upstream: UpstreamClient;
  attempts: LoginAttempts;
  authorizationEndpoint: string;
  issParameterSupported: boolean;
  callbackUrl: string;
  destination: Destination;
  /** Sent with the authorization request, beside what the protocol demands. */
  parameters: Readonly<Record<string, string>>;
  nonce: string;
}

/** As the router matches it: with a slash behind or not. */
const CALLBACK_PATH = /^\/login\/[^/]+\/callback\/?$/;

type Done = (error: unknown, signIn?: UpstreamSignIn) => void;

/**
 * Signs in at one OpenID provider. Made anew for every request, so that nothing of one sign-in can reach another.
 * passport-oauth2 runs the code flow; what it leaves out is added here: the attempt bound to the browser, `nonce`,
 * `iss`, the id_token, and an HTTP client with limits. @see OpenID Connect Core 1.0 section 3.1
 */
export class OidcStrategy extends OAuth2Strategy {
  readonly #options: OidcStrategyOptions;
  #attempt: LoginAttempt | undefined;

  constructor(options: OidcStrategyOptions) {
    const { provider, upstream } = options;
    super(
      {
        authorizationURL: options.authorizationEndpoint,
        tokenURL: options.authorizationEndpoint,
        clientID: provider.clientId,
        clientSecret: '',
        callbackURL: options.callbackUrl,
        scope: provider.scope.split(' '),
        // The types say boolean; any other truthy value would be taken for a method's name.
        pkce: true,
        store: {
          store: (
            _request: Request,
            verifier: string,
            _state: unknown,
            _meta: unknown,
            stored: (error: unknown, state?: string) => void,
          ) => {
            callbackify(() => this.#startAttempt(verifier))(stored);
          },
          verify: (_request: Request, _state: string, verified: (error: unknown, verifier: string | false) => void) =>
            verified(null, this.#attempt?.codeVerifier ?? false),
        } as never,
        skipUserProfile: true,
        passReqToCallback: true,
      },
      (
        _request: Request,
        _accessToken: string,
        _refreshToken: string,
        tokens: TokenResponse,
        _profile: unknown,
        done: Done,
      ) => {
        callbackify(() => this.#prove(tokens))(done);
      },
    );
    const redeem = (
      code: string,
      parameters: { code_verifier: string },
      callback: (...results: unknown[]) => void,
    ): void => {
      const { code_verifier: codeVerifier } = parameters;
      callbackify(() => upstream.redeemCode({ code, redirectUri: options.callbackUrl, codeVerifier }))(
        (error, tokens) => callback(error, 'in results', '', tokens),
      );
    };
    Object.assign(this._oauth2, { getOAuthAccessToken: redeem });
    this.#options = options;
  }

  override authorizationParams(): object {
    return {
      ...this.#options.provider.authorizationParameters,
      ...this.#options.parameters,
      nonce: this.#options.nonce,
    };
  }

  /** passport-oauth2 looks at `error` before `state`; a callback that did not start here must not be believed even that. */
  override authenticate(request: Request, options?: unknown): void {
    if (!CALLBACK_PATH.test(request.path)) {
      // It would take a `code` or an `error` for an answer wherever it finds one.
      const start = Object.create(request, { query: { value: {} }, body: { value: undefined } }) as Request;
      super.authenticate(start, options);
      return;
    }
    this.#acceptCallback(request.query).then(
      () => super.authenticate(request, options),
      (error: unknown) => this.error(error),
    );
  }

  /** Called by passport-oauth2, which would hide our error in one of its own. */
  _createOAuthError(_message: string, error: unknown): unknown {
    return error;
  }

  async #acceptCallback(query: Request['query']): Promise<void> {
    const { provider, attempts, destination, issParameterSupported } = this.#options;
    const { state, iss, error, code } = query;
    const attempt =
      typeof state === 'string' ? await attempts.finish(state, provider.id, destination.browser) : undefined;
    if (!attempt) {
      throw refused(
        'This sign-in was not started in this browser, was finished already, or took too long. Please start again.',
      );
    }
    this.#attempt = attempt;
    // RFC 9207 section 2.4: the answer must come from the provider that was asked.
    const answeredBy = typeof iss === 'string' && isIssuerOf(provider, iss);
    if (iss === undefined ? issParameterSupported : !answeredBy) {
      throw refused('The answer did not come from the identity provider that was asked.');
    }
    if (error !== undefined) {
      throw new DomainError('access.forbidden', {
        publicDetail:
          error === 'access_denied'
            ? 'The identity provider says that the sign-in was declined.'
            : 'The identity provider could not sign you in.',
        privateDetail: `${provider.id} answered ${typeof error === 'string' && /^[a-z_]{1,64}$/.test(error) ? error : 'an error'}`,
      });
    }
    if (typeof code !== 'string') throw refused('The identity provider sent no authorization code.');
  }

  #startAttempt(codeVerifier: string): Promise<string> {
    return this.#options.attempts.start(this.#options.destination, { nonce: this.#options.nonce, codeVerifier });
  }

  async #prove(tokens: TokenResponse): Promise<UpstreamSignIn> {
    const { provider, upstream } = this.#options;
    const attempt = this.#attempt!;
    return { provider, attempt, tokens, identity: await upstream.identify(tokens, { nonce: attempt.nonce }) };
  }
}

function refused(publicDetail: string): DomainError {
  return new DomainError('request.parameter-invalid', { publicDetail });
}
