import { createHash } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, errors as jose, jwtVerify } from 'jose';
import type { CryptoKey, FlattenedJWSInput, JSONWebKeySet, JWTHeaderParameters } from 'jose';
import * as oauth from 'oauth4webapi';
import { z } from 'zod';
import type { Clock } from '../common/clock.js';
import { epochSeconds } from '../common/clock.js';
import { Secret } from '../common/secret.js';
import type { IdentityProvider } from './identity-provider.js';
import type { OutboundClient, OutboundRequest } from './outbound-client.js';
import { METADATA_MAX_BYTES, OutboundDocument, TOKEN_MAX_BYTES } from './outbound-client.js';
import { tokenEndpointError, unanswered, unusable, UpstreamError } from './upstream-error.js';

const METADATA_TIMEOUT_MS = 2500;
const METADATA_MAX_AGE_MS = 60 * 60 * 1000;
/** How long a key that the provider withdrew is still believed. */
const KEYS_MAX_AGE_MS = 10 * 60 * 1000;
/** Between two fetches that an unknown `kid` forces: a rotation is seen at once, a flood of invented ones is not passed on. */
const UNKNOWN_KEY_COOLDOWN_MS = 5000;

const CLOCK_TOLERANCE_SECONDS = 10;
const MAX_FUTURE_IAT_SECONDS = 60;

/**
 * Asymmetric only: `none` proves nothing, and an HS algorithm would let anybody who knows the public key sign
 * with it as if it were the secret.
 * @see RFC 8725 sections 2.1 and 3.1
 */
const ID_TOKEN_ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');

/** What we use of a provider's metadata. @see OpenID Connect Discovery 1.0 section 3 */
export interface ProviderMetadata {
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  jwksUri: string;
  userinfoEndpoint: string | undefined;
  revocationEndpoint: string | undefined;
  issParameterSupported: boolean;
}

/** What a token endpoint gave. What it left out is `undefined`; keeping the stored value then is the caller's part. */
export interface TokenResponse {
  accessToken: Secret;
  tokenType: string;
  /** `undefined`: the provider did not say, or said nonsense. `none`: its tokens do not expire, the operator says. */
  expiresInSeconds: number | 'none' | undefined;
  refreshToken: Secret | undefined;
  idToken: Secret | undefined;
  scope: string | undefined;
  /** Epoch ms, read before the request was sent, so that a lifetime counted from it is never too long. */
  receivedAt: number;
}

/** A claim of the wrong type counts as absent: `"email_verified": "false"` must not be truthy. */
const optionalText = z.string().optional().catch(undefined);
const optionalFlag = z.boolean().optional().catch(undefined);

const profile = {
  name: optionalText,
  given_name: optionalText,
  family_name: optionalText,
  preferred_username: optionalText,
  picture: optionalText,
  locale: optionalText,
  email: optionalText,
  email_verified: optionalFlag,
};

/** The first five are required: a token without `exp` would be good for ever. */
const idTokenClaims = z.looseObject({
  iss: z.string(),
  sub: z.string().min(1),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
  iat: z.number(),
  // Of the wrong type, these two must not count as absent: their checks would be skipped.
  azp: z.string().optional(),
  at_hash: z.string().optional(),
  nonce: optionalText,
  auth_time: z.number().optional().catch(undefined),
  acr: optionalText,
  amr: z.array(z.string()).optional().catch(undefined),
  ...profile,
});

const userinfoClaims = z.looseObject({ sub: z.string(), ...profile });

/** The claims of a verified id_token, the unlisted ones as `unknown`. @see OpenID Connect Core 1.0 sections 2 and 5.1 */
export type IdTokenClaims = z.infer<typeof idTokenClaims>;

/** The claims of the userinfo endpoint. @see OpenID Connect Core 1.0 section 5.3.2 */
export type UserinfoClaims = z.infer<typeof userinfoClaims>;

/** What came beside the code and is believed for no more than a name. */
export type PostedProfile = Pick<UserinfoClaims, 'name' | 'given_name' | 'family_name'>;

/** Who signed in at a provider, in OpenID Connect's words whatever the provider's own are. */
export interface ProvenIdentity {
  issuer: string;
  subject: string;
  claims: UserinfoClaims;
  /** Epoch seconds; when the user actively signed in there, if the provider proves it. */
  authTime: number | undefined;
}

/**
 * One upstream provider, spoken to as its client: discovery, tokens and the validation of id_tokens. It keeps
 * metadata and keys in memory, nothing else; it never retries, since only the caller knows whether a code or a
 * rotating refresh token may be sent twice. All methods throw `UpstreamError` only.
 */
export class UpstreamClient {
  readonly #metadata: OutboundDocument<ProviderMetadata>;
  readonly #keys: OutboundDocument<ReturnType<typeof createLocalJWKSet>>;
  readonly #metadataTimeoutMs: number;
  readonly #tokenTimeoutMs: number;
  #lastForcedKeyFetchAt = -Infinity;

  constructor(
    private readonly provider: IdentityProvider,
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
    options: { metadataTimeoutMs?: number; tokenTimeoutMs: number },
  ) {
    this.#metadataTimeoutMs = options.metadataTimeoutMs ?? METADATA_TIMEOUT_MS;
    this.#tokenTimeoutMs = options.tokenTimeoutMs;
    this.#metadata = new OutboundDocument(() => this.#discover(), METADATA_MAX_AGE_MS, clock);
    this.#keys = new OutboundDocument(() => this.#fetchKeys(), KEYS_MAX_AGE_MS, clock);
  }

  /**
   * The provider's metadata, at most an hour old.
   *
   * @throws UpstreamError `unavailable`; `misconfigured` when it names another issuer (a mix-up attack, or a
   *   typing mistake) or lacks an endpoint that may be used.
   * @see OpenID Connect Discovery 1.0 section 4.3
   */
  metadata(): Promise<ProviderMetadata> {
    return this.#metadata.get();
  }

  async authorizationEndpoint(): Promise<string> {
    return (await this.metadata()).authorizationEndpoint;
  }

  /** Whether an authorization response without `iss` is to be refused. @see RFC 9207 section 2.4 */
  async issParameterSupported(): Promise<boolean> {
    return (await this.metadata()).issParameterSupported;
  }

  /**
   * Redeems an authorization code. The id_token that may come along is not validated here: `verifyIdToken`.
   *
   * @throws UpstreamError `invalid_grant`, `rejected`, `misconfigured` or `unavailable`.
   * @see RFC 6749 section 4.1.3, RFC 7636 section 4.5
   */
  redeemCode(grant: { code: string; redirectUri: string; codeVerifier: string }): Promise<TokenResponse> {
    return this.#requestTokens('code', 'authorization_code', {
      code: grant.code,
      redirect_uri: grant.redirectUri,
      code_verifier: grant.codeVerifier,
    });
  }

  /**
   * Redeems a refresh token, which may be spent afterwards even if this fails.
   *
   * @throws UpstreamError `invalid_grant`, `misconfigured` or `unavailable`.
   * @see RFC 6749 section 6
   */
  refresh(grant: { refreshToken: Secret }): Promise<TokenResponse> {
    return this.#requestTokens('refresh', 'refresh_token', { refresh_token: grant.refreshToken.reveal() });
  }

  /**
   * Who signed in, as the provider proves it: by the id_token, and by userinfo for what that leaves out.
   *
   * @param expected.nonce the one sent with the authorization request
   * @param expected.profile what came beside the code: fills in a name that the provider says nowhere else
   * @throws UpstreamError as `verifyIdToken` and `userinfo`
   */
  async identify(
    tokens: TokenResponse,
    expected: { nonce: string; profile?: PostedProfile | undefined },
  ): Promise<ProvenIdentity> {
    if (!tokens.idToken) throw rejected('no id_token in the token response');
    const proven = await this.verifyIdToken(tokens.idToken, { nonce: expected.nonce, accessToken: tokens.accessToken });
    const userinfo = await this.#userinfoBeside(tokens.accessToken, proven);
    // Verified is the address that stands beside it, in the id_token or in userinfo.
    const { email, email_verified } = proven.email === undefined ? userinfo : proven;
    return {
      issuer: proven.iss,
      subject: proven.sub,
      claims: { ...userinfo, ...proven, email, email_verified },
      authTime: proven.auth_time,
    };
  }

  /** Many providers keep profile claims out of the id_token; going without them is better than failing the sign-in. */
  async #userinfoBeside(accessToken: Secret, claims: IdTokenClaims): Promise<Partial<UserinfoClaims>> {
    if (claims.email !== undefined && claims.name !== undefined) return {};
    try {
      return await this.userinfo(accessToken, claims.sub);
    } catch (error) {
      if (error instanceof UpstreamError && error.kind !== 'rejected') return {};
      throw error;
    }
  }

  /**
   * Proves that this provider said this about a user, to us, now, and (by `nonce`) in answer to this sign-in.
   *
   * @param expected.nonce the one sent with the authorization request; without it a replay goes unnoticed.
   * @param expected.subject the `sub` known from before; a refresh must not turn into another user.
   * @param expected.accessToken the one issued along with it, for `at_hash`.
   * @throws UpstreamError `rejected`; `unavailable` or `misconfigured` when the keys cannot be had, which says
   *   nothing about the token.
   * @see OpenID Connect Core 1.0 sections 3.1.3.7, 3.1.3.8 and 12.2
   */
  async verifyIdToken(
    idToken: Secret,
    expected: { nonce?: string; subject?: string; accessToken?: Secret },
  ): Promise<IdTokenClaims> {
    const { payload, protectedHeader } = await jwtVerify(
      idToken.reveal(),
      (header, token) => this.#keyFor(header, token),
      {
        issuer: this.provider.issuer,
        audience: this.provider.clientId,
        algorithms: ID_TOKEN_ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.clock.now()),
      },
    ).catch((error: unknown): never => {
      throw error instanceof UpstreamError ? error : rejected(`id_token: ${reasonOf(error)}`);
    });
    const parsed = idTokenClaims.safeParse(payload);
    if (!parsed.success) throw rejected(`id_token: ${String(parsed.error.issues[0]?.path[0])}`);
    const claims = parsed.data;
    if (claims.iat > epochSeconds(this.clock.now()) + MAX_FUTURE_IAT_SECONDS) throw rejected('id_token: iat');
    const severalAudiences = Array.isArray(claims.aud) && claims.aud.length > 1;
    if ((severalAudiences || claims.azp !== undefined) && claims.azp !== this.provider.clientId) {
      throw rejected('id_token: azp');
    }
    if (expected.nonce !== undefined && claims.nonce !== expected.nonce) throw rejected('id_token: nonce');
    if (expected.subject !== undefined && claims.sub !== expected.subject) throw rejected('id_token: sub');
    if (
      expected.accessToken &&
      claims.at_hash !== undefined &&
      claims.at_hash !== accessTokenHash(protectedHeader.alg, expected.accessToken)
    ) {
      throw rejected('id_token: at_hash');
    }
    return claims;
  }

  /**
   * Whether an id_token is about this user, as far as can be told without the network. Good enough only for one
   * that came from the token endpoint itself, whose TLS vouches for it: no signature is checked.
   *
   * @see OpenID Connect Core 1.0 section 3.1.3.7 point 6
   */
  checkIdTokenOffline(idToken: Secret, expected: { subject: string }): 'match' | 'mismatch' | 'unreadable' {
    try {
      const { iss, aud, sub } = decodeJwt(idToken.reveal());
      const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
      const matches =
        iss === this.provider.issuer && audiences.includes(this.provider.clientId) && sub === expected.subject;
      return matches ? 'match' : 'mismatch';
    } catch {
      return 'unreadable';
    }
  }

  /**
   * The claims of the userinfo endpoint, for the user whom the id_token named: without the comparison a
   * substituted access token would lend its owner's e-mail to somebody else.
   *
   * @throws UpstreamError `rejected`: another subject, or the token was refused; `misconfigured`: there is no
   *   such endpoint; `unavailable`.
   * @see OpenID Connect Core 1.0 section 5.3.2
   */
  async userinfo(accessToken: Secret, expectedSub: string): Promise<UserinfoClaims> {
    const { userinfoEndpoint } = await this.metadata();
    if (!userinfoEndpoint) throw new UpstreamError('misconfigured', 'metadata: no userinfo_endpoint');
    const response = await this.#ask('userinfo', userinfoEndpoint, {
      headers: { accept: 'application/json', authorization: `Bearer ${accessToken.reveal()}` },
      timeoutMs: this.#tokenTimeoutMs,
    });
    if (response.status === 401 || response.status === 403) throw rejected(`userinfo: status ${response.status}`);
    const claims = response.status === 200 ? await readObject(response) : undefined;
    if (!claims) throw unusable('userinfo', response, this.clock.now());
    if (claims['sub'] !== expectedSub) throw rejected('userinfo: sub');
    return userinfoClaims.parse(claims);
  }

  /** Whether the provider has a way to revoke tokens. @throws UpstreamError as `metadata` */
  async revocable(): Promise<boolean> {
    return (await this.metadata()).revocationEndpoint !== undefined;
  }

  /**
   * Revokes a token at the provider; one that it does not know any more counts as revoked.
   *
   * @throws UpstreamError `misconfigured`: there is no way to revoke, or it does not accept us; `unavailable`
   * @see RFC 7009
   */
  async revoke(token: Secret, hint: 'refresh_token' | 'access_token'): Promise<void> {
    const { issuer, revocationEndpoint } = await this.metadata();
    if (!revocationEndpoint) throw new UpstreamError('misconfigured', 'metadata: no revocation_endpoint');
    const response = await oauth.revocationRequest(
      { issuer, revocation_endpoint: revocationEndpoint },
      { client_id: this.provider.clientId },
      this.#clientAuthentication(),
      token.reveal(),
      {
        additionalParameters: { token_type_hint: hint },
        [oauth.allowInsecureRequests]: true,
        [oauth.customFetch]: (url, { method, headers, body }) =>
          this.#ask('revocation endpoint', url, { method, headers, body, timeoutMs: this.#tokenTimeoutMs }),
      },
    );
    if (response.status !== 200) throw unusable('revocation endpoint', response, this.clock.now());
  }

  async #requestTokens(
    exchange: 'code' | 'refresh',
    grantType: string,
    parameters: Record<string, string>,
  ): Promise<TokenResponse> {
    const { issuer, tokenEndpoint } = await this.metadata();
    const authentication = this.#clientAuthentication();
    const receivedAt = this.clock.now();
    const response = await oauth.genericTokenEndpointRequest(
      { issuer, token_endpoint: tokenEndpoint },
      { client_id: this.provider.clientId },
      authentication,
      grantType,
      parameters,
      {
        // Whether http will do is decided by the policy of the outbound client, which knows what the operator allowed.
        [oauth.allowInsecureRequests]: true,
        [oauth.customFetch]: (url, { method, headers, body }) =>
          this.#ask(`token endpoint, ${exchange}`, url, {
            method,
            headers,
            body,
            timeoutMs: this.#tokenTimeoutMs,
            maxBytes: TOKEN_MAX_BYTES,
          }),
      },
    );
    const body = await readObject(response);
    const accessToken = body?.['access_token'];
    if (response.status !== 200 || !body || typeof accessToken !== 'string' || accessToken === '') {
      throw tokenEndpointError(exchange, response, body, this.clock.now());
    }
    return {
      accessToken: new Secret(accessToken),
      tokenType: text(body['token_type']) ?? 'Bearer',
      expiresInSeconds: seconds(body['expires_in']),
      refreshToken: secret(body['refresh_token']),
      idToken: secret(body['id_token']),
      scope: text(body['scope']),
      receivedAt,
    };
  }

  #clientAuthentication(): oauth.ClientAuth {
    const { tokenEndpointAuthMethod: method, clientSecret } = this.provider;
    if (method === 'none') return oauth.None();
    if (!clientSecret || method === 'private_key_jwt')
      throw new UpstreamError('misconfigured', `${method} without a client secret`);
    return method === 'client_secret_basic'
      ? oauth.ClientSecretBasic(clientSecret.reveal())
      : oauth.ClientSecretPost(clientSecret.reveal());
  }

  async #discover(): Promise<ProviderMetadata> {
    const { issuer } = this.provider;
    const document = await this.#askForJson(
      'metadata',
      `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    );
    if (document['issuer'] !== issuer) throw new UpstreamError('misconfigured', 'metadata: issuer differs');
    return {
      issuer,
      authorizationEndpoint: this.#endpoint(document, 'authorization_endpoint'),
      tokenEndpoint: this.#endpoint(document, 'token_endpoint'),
      jwksUri: this.#endpoint(document, 'jwks_uri'),
      userinfoEndpoint:
        document['userinfo_endpoint'] === undefined ? undefined : this.#endpoint(document, 'userinfo_endpoint'),
      revocationEndpoint:
        document['revocation_endpoint'] === undefined ? undefined : this.#endpoint(document, 'revocation_endpoint'),
      issParameterSupported: document['authorization_response_iss_parameter_supported'] === true,
    };
  }

  /** The authorization endpoint too, though only browsers go there: `javascript:` must not get into a redirect. */
  #endpoint(document: Record<string, unknown>, name: string): string {
    const url = text(document[name]);
    if (!url) throw new UpstreamError('misconfigured', `metadata: no ${name}`);
    if (!this.outbound.permits(url)) throw new UpstreamError('misconfigured', `metadata: ${name} is not permitted`);
    return url;
  }

  async #keyFor(header: JWTHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const select = await this.#keys.get();
    try {
      return await select(header, token);
    } catch (error) {
      const due = this.clock.now() - this.#lastForcedKeyFetchAt >= UNKNOWN_KEY_COOLDOWN_MS;
      if (!(error instanceof jose.JWKSNoMatchingKey) || !(due || this.#keys.loading)) throw error;
      if (due) this.#lastForcedKeyFetchAt = this.clock.now();
      const selectAgain = await this.#keys.reload();
      return selectAgain(header, token);
    }
  }

  async #fetchKeys(): Promise<ReturnType<typeof createLocalJWKSet>> {
    const { jwksUri } = await this.metadata();
    const document = await this.#askForJson('keys', jwksUri);
    if (!isKeySet(document)) throw new UpstreamError('unavailable', 'keys: not a key set');
    return createLocalJWKSet(document);
  }

  async #askForJson(what: string, url: string): Promise<Record<string, unknown>> {
    const response = await this.#ask(what, url, {
      headers: { accept: 'application/json' },
      timeoutMs: this.#metadataTimeoutMs,
      maxBytes: METADATA_MAX_BYTES,
    });
    const document = response.status === 200 ? await readObject(response) : undefined;
    if (!document) throw unusable(what, response, this.clock.now());
    return document;
  }

  async #ask(what: string, url: string, request: OutboundRequest): Promise<Response> {
    try {
      return await this.outbound.fetch(url, request);
    } catch (error) {
      throw unanswered(what, error);
    }
  }
}

function rejected(reason: string): UpstreamError {
  return new UpstreamError('rejected', reason);
}

/** The name of the check, never its message: that may quote the token. */
function reasonOf(error: unknown): string {
  if (error instanceof jose.JWTClaimValidationFailed || error instanceof jose.JWTExpired) return error.claim;
  return error instanceof jose.JOSEError ? error.code : 'unreadable';
}

/** The left half of the hash that the signature's algorithm names. @see OpenID Connect Core 1.0 section 3.1.3.6 */
function accessTokenHash(algorithm: string, accessToken: Secret): string {
  const bits = /(256|384|512)$/.exec(algorithm)?.[1] ?? '512';
  const hash = createHash(`sha${bits}`).update(accessToken.reveal()).digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}

async function readObject(response: Response): Promise<Record<string, unknown> | undefined> {
  try {
    const body: unknown = await response.json();
    return isObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  return isObject(value) && Array.isArray(value['keys']) && value['keys'].every(isObject);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function secret(value: unknown): Secret | undefined {
  const found = text(value);
  return found === undefined ? undefined : new Secret(found);
}

/** Some providers send the number as a string. */
function seconds(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}
