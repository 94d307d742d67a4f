import type { Client } from '../clients/index.js';
import { DomainError } from '../common/domain-error.js';
import { ADMIN_SCOPE } from '../config/index.js';

/** A validated authorization request. @see RFC 6749 section 4.1.1, OpenID Connect Core 1.0 section 3.1.2.1 */
export interface AuthorizationRequest {
  clientId: string;
  redirectUri: string;
  scope: string[];
  state?: string;
  nonce?: string;
  codeChallenge?: string;
  prompt: string[];
  /** Seconds. */
  maxAge?: number;
  loginHint?: string;
  /** Goes straight to this provider. */
  identityProvider?: string;
}

/** An error that the client is told by a redirect. @see RFC 6749 section 4.1.2.1 */
export class AuthorizationError extends Error {
  constructor(
    readonly code:
      | 'invalid_request'
      | 'unauthorized_client'
      | 'unsupported_response_type'
      | 'invalid_scope'
      | 'login_required'
      | 'consent_required'
      | 'access_denied'
      | 'request_not_supported'
      | 'request_uri_not_supported',
    readonly description: string,
  ) {
    super(description);
    this.name = 'AuthorizationError';
  }
}

/** All that is read of an authorization request; what only leads to an error is not among them. */
const PARAMETERS = new Set([
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'prompt',
  'max_age',
  'login_hint',
  'identity_provider',
]);

const S256_CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
const PROMPTS = new Set(['none', 'login', 'consent', 'select_account']);
const LOOPBACK = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?(?=[/?]|$)/;

/**
 * Where the answer goes. Errors before this is known are shown to the user, never redirected: an unknown client or
 * redirect URI would make an open redirector of us. @see RFC 9700 section 4.11
 */
export function redirectTarget(
  parameters: ReadonlyMap<string, string>,
  client: Client | undefined,
): { redirectUri: string; state?: string } {
  if (!client?.enabled) {
    throw new DomainError('request.parameter-invalid', {
      publicDetail: 'The application that sent you here is not registered (client_id).',
    });
  }
  const redirectUri = parameters.get('redirect_uri');
  if (
    redirectUri === undefined ||
    !client.redirectUris.some((registered) => sameRedirectUri(registered, redirectUri))
  ) {
    throw new DomainError('request.parameter-invalid', {
      publicDetail:
        'The application that sent you here asked for an address that is not registered for it (redirect_uri).',
    });
  }
  const state = parameters.get('state');
  return { redirectUri, ...(state !== undefined && { state }) };
}

/** Exact strings; only the port of a loopback address may vary. @see RFC 8252 section 7.3, RFC 9700 section 2.1 */
function sameRedirectUri(registered: string, presented: string): boolean {
  if (registered === presented) return true;
  const withoutPort = (uri: string) => uri.replace(LOOPBACK, 'http://$1');
  // A port above 65535 has the form of one, but makes no URL.
  const isLoopback = LOOPBACK.test(registered) && LOOPBACK.test(presented) && URL.canParse(presented);
  return isLoopback && withoutPort(registered) === withoutPort(presented);
}

/** The request without what nobody asked for. */
export function knownParameters(parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...parameters].filter(([name]) => PARAMETERS.has(name)));
}

/** @throws AuthorizationError */
export function validate(
  parameters: ReadonlyMap<string, string>,
  client: Client,
  target: { redirectUri: string; state?: string },
): AuthorizationRequest {
  refuseUnsupported(parameters, client);
  const scope = [...new Set((parameters.get('scope') ?? '').split(' ').filter((name) => name !== ''))];
  if (scope.length === 0) throw new AuthorizationError('invalid_scope', 'scope is missing');
  const excess = scope.filter((name) => !client.scope.includes(name));
  if (excess.length > 0)
    throw new AuthorizationError('invalid_scope', 'The client is not registered for all of this scope.');
  if (scope.includes(ADMIN_SCOPE)) throw new AuthorizationError('invalid_scope', 'No user can allow this scope.');
  const prompt = (parameters.get('prompt') ?? '').split(' ').filter((name) => name !== '');
  if (prompt.some((name) => !PROMPTS.has(name)) || (prompt.includes('none') && prompt.length > 1)) {
    throw new AuthorizationError('invalid_request', 'prompt is not valid');
  }
  const maxAge = parameters.get('max_age');
  if (maxAge !== undefined && !/^\d{1,9}$/.test(maxAge))
    throw new AuthorizationError('invalid_request', 'max_age is not valid');
  const optional = {
    nonce: parameters.get('nonce'),
    codeChallenge: challenge(parameters, client),
    loginHint: parameters.get('login_hint'),
    identityProvider: parameters.get('identity_provider'),
    maxAge: maxAge === undefined ? undefined : Number(maxAge),
  };
  return {
    clientId: client.clientId,
    ...target,
    scope,
    prompt,
    ...(Object.fromEntries(
      Object.entries(optional).filter(([, value]) => value !== undefined),
    ) as Partial<AuthorizationRequest>),
  };
}

function refuseUnsupported(parameters: ReadonlyMap<string, string>, client: Client): void {
  if (parameters.has('request'))
    throw new AuthorizationError('request_not_supported', 'Request objects are not supported.');
  if (parameters.has('request_uri'))
    throw new AuthorizationError('request_uri_not_supported', 'request_uri is not supported.');
  const responseType = parameters.get('response_type');
  if (responseType === undefined) throw new AuthorizationError('invalid_request', 'response_type is missing');
  if (responseType !== 'code')
    throw new AuthorizationError('unsupported_response_type', 'Only the code flow is supported.');
  if ((parameters.get('response_mode') ?? 'query') !== 'query') {
    throw new AuthorizationError('invalid_request', 'Only the response mode query is supported.');
  }
  if (!client.grantTypes.includes('authorization_code')) {
    throw new AuthorizationError('unauthorized_client', 'The client is not registered for this grant.');
  }
}

/** @see RFC 7636 section 4.3, RFC 9700 section 2.1.1 */
function challenge(parameters: ReadonlyMap<string, string>, client: Client): string | undefined {
  const codeChallenge = parameters.get('code_challenge');
  const method = parameters.get('code_challenge_method');
  if (codeChallenge === undefined) {
    if (method !== undefined) throw new AuthorizationError('invalid_request', 'code_challenge is missing');
    if (client.requirePkce)
      throw new AuthorizationError('invalid_request', 'code_challenge is missing: PKCE with S256 is required.');
    return undefined;
  }
  // Without a method the RFC means "plain", which shows the verifier to everybody who sees the request.
  if (method !== 'S256') throw new AuthorizationError('invalid_request', 'code_challenge_method must be S256.');
  if (!S256_CHALLENGE.test(codeChallenge))
    throw new AuthorizationError('invalid_request', 'code_challenge is not valid');
  return codeChallenge;
}
