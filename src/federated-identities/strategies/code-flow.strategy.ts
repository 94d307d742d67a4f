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
  type PostedProfile,
} from '../../identity-providers/index.js';
import type { Destination, LoginAttempt, LoginAttempts } from '../login-attempts.js';

/** What a sign-in at a provider proved. */
export interface UpstreamSignIn {
  provider: IdentityProvider;
  identity: ProvenIdentity;
  tokens: TokenResponse;
  attempt: LoginAttempt;
}

export interface CodeFlowStrategyOptions {
  provider: IdentityProvider;
  upstream: UpstreamClient;
  attempts: LoginAttempts;
  authorizationEndpoint: string;
  issParameterSupported: boolean;
  callbackUrl: string;
  destination: Destination;
  /** What the provider answered; nothing where a sign-in starts. */
  answer: ReadonlyMap<string, string> | undefined;
  /** Sent with the authorization request, beside what the protocol demands. */
  parameters: Readonly<Record<string, string>>;
  nonce: string;
}

/** The user said no: the word of RFC 6749 section 4.1.2.1, and Apple's. */
const DECLINED = new Set(['access_denied', 'user_cancelled_authorize']);
const MAX_NAME_LENGTH = 200;

type Done = (error: unknown, signIn?: UpstreamSignIn) => void;

/**
 * Signs in at one provider, of OpenID or of plain OAuth 2. Made anew for every request, so that nothing of one sign-in
 * can reach another. passport-oauth2 runs the code flow; what it leaves out is added here: the attempt bound to the
 * browser, `iss`, who signed in (for OpenID with `nonce`), and an HTTP client with limits.
 * @see RFC 6749 section 4.1, OpenID Connect Core 1.0 section 3.1
 */
export class CodeFlowStrategy extends OAuth2Strategy {
  readonly #options: CodeFlowStrategyOptions;
  #attempt: LoginAttempt | undefined;

  constructor(options: CodeFlowStrategyOptions) {
    const { provider, upstream } = options;
    super(
      {
        authorizationURL: options.authorizationEndpoint,
        tokenURL: options.authorizationEndpoint,
        clientID: provider.clientId,
        clientSecret: '',
        callbackURL: options.callbackUrl,
        scope: options.destination.scope,
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

  /** The attempt that the answer turned out to belong to. */
  get accepted(): Pick<UpstreamSignIn, 'provider' | 'attempt'> | undefined {
    return this.#attempt && { provider: this.#options.provider, attempt: this.#attempt };
  }

  override authorizationParams(): object {
    const { provider, parameters, nonce } = this.#options;
    return {
      ...provider.authorizationParameters,
      ...parameters,
      ...(provider.type === 'oidc' && { nonce }),
      ...(provider.responseMode !== 'query' && { response_mode: provider.responseMode }),
    };
  }

  /** passport-oauth2 looks at `error` before `state`; a callback that did not start here must not be believed even that. */
  override authenticate(request: Request, options?: unknown): void {
    // It would take a `code` or an `error` for an answer wherever it finds one.
    const seeing = (query: object): Request =>
      Object.create(request, { query: { value: query }, body: { value: undefined } }) as Request;
    const { answer } = this.#options;
    if (!answer) {
      super.authenticate(seeing({}), options);
      return;
    }
    this.#acceptAnswer(answer).then(
      (code) => super.authenticate(seeing({ code }), options),
      (error: unknown) => this.error(error),
    );
  }

  /** Called by passport-oauth2, which would hide our error in one of its own. */
  _createOAuthError(_message: string, error: unknown): unknown {
    return error;
  }

  /** Answers the code. */
  async #acceptAnswer(answer: ReadonlyMap<string, string>): Promise<string> {
    const { provider, attempts, destination, issParameterSupported } = this.#options;
    const [state, iss, error, code] = ['state', 'iss', 'error', 'code'].map((name) => answer.get(name));
    const attempt = state === undefined ? undefined : await attempts.finish(state, provider.id, destination.browser);
    if (!attempt) throw notExpected();
    this.#attempt = attempt;
    // RFC 9207 section 2.4: the answer must come from the provider that was asked.
    if (iss === undefined ? issParameterSupported : !isIssuerOf(provider, iss)) {
      throw refused('The answer did not come from the identity provider that was asked.');
    }
    if (error !== undefined) {
      throw new DomainError('access.forbidden', {
        publicDetail: DECLINED.has(error)
          ? 'The identity provider says that the sign-in was declined.'
          : 'The identity provider could not sign you in.',
        privateDetail: `${provider.id} answered ${/^[a-z_]{1,64}$/.test(error) ? error : 'an error'}`,
      });
    }
    if (code === undefined) throw refused('The identity provider sent no authorization code.');
    return code;
  }

  #startAttempt(codeVerifier: string): Promise<string> {
    return this.#options.attempts.start(this.#options.destination, { nonce: this.#options.nonce, codeVerifier });
  }

  async #prove(tokens: TokenResponse): Promise<UpstreamSignIn> {
    const { provider, upstream, answer } = this.#options;
    const attempt = this.#attempt!;
    const expected = { nonce: attempt.nonce, profile: postedProfile(answer?.get('user')) };
    return { provider, attempt, tokens, identity: await upstream.identify(tokens, expected) };
  }
}

/** What is said of an answer that belongs to no sign-in under way. */
export function notExpected(): DomainError {
  return refused(
    'This sign-in was not started in this browser, was finished already, or took too long. Please start again.',
  );
}

function refused(publicDetail: string): DomainError {
  return new DomainError('request.parameter-invalid', { publicDetail });
}

/**
 * The name that a provider posts beside the code, only the first time that a user comes (Apple does). Nothing vouches for
 * it, and the user may have changed it: a name, but never an address or a subject.
 */
function postedProfile(user: string | undefined): PostedProfile {
  const { name } = parsed(user);
  if (typeof name !== 'object' || name === null) return {};
  const { firstName, lastName } = name as Record<string, unknown>;
  const parts = [firstName, lastName].flatMap((part) => (typeof part === 'string' && part.trim() ? [part.trim()] : []));
  const full = parts.join(' ').replaceAll(/\p{C}/gu, '').slice(0, MAX_NAME_LENGTH);
  return full === '' ? {} : { name: full };
}

function parsed(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
