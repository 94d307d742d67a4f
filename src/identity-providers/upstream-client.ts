import * as oauth from 'oauth4webapi';
import type { JWK } from 'jose';
import { epochSeconds, type Clock } from '../common/clock.js';
import type { Secret } from '../common/secret.js';
import {
  claimsIn,
  merged,
  subjectIn,
  valueAt,
  type IdTokenClaims,
  type PostedProfile,
  type UserinfoClaims,
} from './claims.js';
import { ClientAuthentication } from './client-authentication.js';
import type { ConnectionSlot } from './connection-slots.js';
import { CLOCK_TOLERANCE_SECONDS, IdTokenVerifier, type ExpectedIdToken, type ExpectedOffline } from './id-token.js';
import type { IdentityProvider } from './identity-provider.js';
import { OutboundDocument, TOKEN_MAX_BYTES, type OutboundClient } from './outbound-client.js';
import { loadMetadata, type ProviderMetadata } from './provider-metadata.js';
import { revokeToken, type RevocationHint } from './revocation.js';
import { readTokenResponse, type TokenResponse } from './token-response.js';
import { rejected, tokenEndpointError, UpstreamError } from './upstream-error.js';
import { readObject, UpstreamRequests } from './upstream-requests.js';
import { askUserinfo, askVerifiedEmail } from './userinfo.js';

const METADATA_MAX_AGE_MS = 60 * 60 * 1000;

/** Who signed in at a provider, in OpenID Connect's words whatever the provider's own are. */
export interface ProvenIdentity {
  issuer: string;
  subject: string;
  claims: UserinfoClaims;
  /** Epoch seconds, an integer and not to come; when the user actively signed in there, if the provider proves it. */
  authTime: number | undefined;
}

/**
 * One upstream provider, spoken to as its client: discovery, tokens, who the user is, revocation; the same methods for
 * `oidc`, whose id_tokens prove the user, and for `oauth2`, where only its userinfo endpoint says so. It keeps metadata
 * and keys in memory, nothing else; it never retries, since only the caller knows whether a code or a rotating refresh
 * token may be sent twice. All methods throw `UpstreamError` only.
 */
export class UpstreamClient {
  readonly #requests: UpstreamRequests;
  readonly #metadata: OutboundDocument<ProviderMetadata>;
  readonly #idTokens: IdTokenVerifier;
  readonly #authentication: ClientAuthentication;

  constructor(
    private readonly provider: IdentityProvider,
    outbound: OutboundClient,
    private readonly clock: Clock,
    options: { metadataTimeoutMs?: number; tokenTimeoutMs: number },
  ) {
    this.#requests = new UpstreamRequests(outbound, clock, options);
    this.#metadata = new OutboundDocument(() => loadMetadata(provider, this.#requests), METADATA_MAX_AGE_MS, clock);
    this.#idTokens = new IdTokenVerifier(provider, () => this.#fetchKeys(), clock);
    this.#authentication = new ClientAuthentication(provider, clock);
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
   * Reserves a connection for `refresh`, which the caller must release; nothing if none becomes free in time. A refresh
   * that has one is sent at once: as long as it waits, its token is known not to be spent.
   *
   * @throws UpstreamError as `metadata`
   */
  async reserve(): Promise<ConnectionSlot | undefined> {
    return this.#requests.reserve((await this.metadata()).tokenEndpoint);
  }

  /**
   * Redeems a refresh token, which may be spent afterwards even if this fails.
   *
   * @param grant.slot for a request to the token endpoint; otherwise it waits for one
   * @throws UpstreamError `invalid_grant`, `misconfigured` or `unavailable`.
   * @see RFC 6749 section 6
   */
  refresh({ refreshToken, slot }: { refreshToken: Secret; slot?: ConnectionSlot }): Promise<TokenResponse> {
    return this.#requestTokens('refresh', 'refresh_token', { refresh_token: refreshToken.reveal() }, slot);
  }

  /**
   * Who signed in, as the provider proves it: by the id_token, and by userinfo for what that leaves out; an `oauth2`
   * provider by userinfo alone, for an access token that came straight from its token endpoint.
   *
   * @param expected.nonce the one sent with the authorization request; `oauth2` has no use for it
   * @param expected.profile what came beside the code: fills in a name that the provider says nowhere else
   * @throws UpstreamError `rejected`; `misconfigured` or `unavailable`
   */
  async identify(
    tokens: TokenResponse,
    expected: { nonce: string; profile?: PostedProfile | undefined },
  ): Promise<ProvenIdentity> {
    const { profile, nonce } = expected;
    const proven =
      this.provider.type === 'oidc' ? await this.#byIdToken(tokens, nonce) : await this.#byUserinfo(tokens);
    const {
      sub,
      name = profile?.name,
      given_name = profile?.given_name,
      family_name = profile?.family_name,
    } = proven.claims;
    return { ...proven, claims: merged(proven.claims, { sub, name, given_name, family_name }) };
  }

  async #byIdToken({ idToken, accessToken }: TokenResponse, nonce: string): Promise<ProvenIdentity> {
    if (!idToken) throw rejected('no id_token in the token response');
    const proven = await this.verifyIdToken(idToken, { nonce, accessToken });
    const { sub } = proven;
    const claims = claimsIn(proven, this.provider.claims, sub);
    const beside = await this.#userinfoBeside(accessToken, claims);
    const authTime = this.#authTimeIn(proven);
    return { issuer: proven.iss, subject: sub, claims: merged(claims, beside), authTime };
  }

  /** A time that cannot have been proves nothing. */
  #authTimeIn({ auth_time: said = NaN }: IdTokenClaims): number | undefined {
    const now = epochSeconds(this.clock.now());
    return said >= 0 && said <= now + CLOCK_TOLERANCE_SECONDS ? Math.floor(said) : undefined;
  }

  /** Many providers keep profile claims out of the id_token; going without them is better than failing the sign-in. */
  async #userinfoBeside(accessToken: Secret, claims: UserinfoClaims): Promise<Partial<UserinfoClaims>> {
    const wanted = ['email', 'name', ...Object.keys(this.provider.claims)];
    if (wanted.every((name) => claims[name] !== undefined)) return {};
    let said: Record<string, unknown>;
    try {
      said = await this.#askUserinfo(accessToken);
    } catch (error) {
      if (error instanceof UpstreamError) return {};
      throw error;
    }
    return this.#about(claims.sub, said);
  }

  async #byUserinfo({ accessToken }: TokenResponse): Promise<ProvenIdentity> {
    const { emailsEndpoint } = await this.metadata();
    const said = await this.#askUserinfo(accessToken);
    const subject = subjectIn(valueAt(said, this.provider.claims['sub'] ?? 'sub'));
    if (subject === undefined) throw rejected('userinfo: sub');
    const claims = claimsIn(said, this.provider.claims, subject);
    const email = emailsEndpoint && (await this.#verifiedEmail(emailsEndpoint, accessToken));
    return {
      issuer: this.provider.issuer,
      subject,
      claims: email ? { ...claims, email, email_verified: true } : claims,
      authTime: undefined,
    };
  }

  /** As for userinfo beside an id_token: the user may have kept addresses out of what was granted. */
  async #verifiedEmail(endpoint: string, accessToken: Secret): Promise<string | undefined> {
    try {
      return await askVerifiedEmail(this.#requests, endpoint, accessToken);
    } catch (error) {
      if (error instanceof UpstreamError) return undefined;
      throw error;
    }
  }

  /**
   * Proves that this provider said this about a user, to us, now, and (by `nonce`) in answer to this sign-in; where
   * tenants have issuers of their own, that it was one of those admitted.
   *
   * @throws UpstreamError `rejected`; `unavailable` or `misconfigured` when the keys cannot be had, which says
   *   nothing about the token.
   * @see OpenID Connect Core 1.0 sections 3.1.3.7, 3.1.3.8 and 12.2
   */
  verifyIdToken(idToken: Secret, expected: ExpectedIdToken): Promise<IdTokenClaims> {
    return this.#idTokens.verify(idToken, expected);
  }

  /**
   * Whether an id_token is about this user, as far as can be told without the network. Good enough only for one
   * that came from the token endpoint itself, whose TLS vouches for it: no signature is checked.
   *
   * @see OpenID Connect Core 1.0 section 3.1.3.7 point 6
   */
  checkIdTokenOffline(idToken: Secret, expected: ExpectedOffline): 'match' | 'mismatch' | 'unreadable' {
    return this.#idTokens.checkOffline(idToken, expected);
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
    return this.#about(expectedSub, await this.#askUserinfo(accessToken));
  }

  async #askUserinfo(accessToken: Secret): Promise<Record<string, unknown>> {
    const { userinfoEndpoint } = await this.metadata();
    return askUserinfo(this.#requests, userinfoEndpoint, accessToken);
  }

  #about(sub: string, said: Record<string, unknown>): UserinfoClaims {
    if (said['sub'] !== sub) throw rejected('userinfo: sub');
    return claimsIn(said, this.provider.claims, sub);
  }

  /** Whether the provider has a way to revoke tokens. @throws UpstreamError as `metadata` */
  async revocable(): Promise<boolean> {
    return (await this.metadata()).revocationEndpoint !== undefined;
  }

  /**
   * Revokes a token at the provider; one that it does not know any more counts as revoked.
   *
   * @throws UpstreamError `misconfigured`: there is no way to revoke, or we are not let; `unavailable`
   * @see RFC 7009
   */
  async revoke(token: Secret, hint: RevocationHint): Promise<void> {
    await revokeToken(this.#requests, await this.metadata(), this.#authentication, token, hint);
  }

  /** The public keys that its id_tokens are signed with. @throws UpstreamError `unavailable` or `misconfigured` */
  signingKeys(): Promise<readonly JWK[]> {
    return this.#idTokens.keys();
  }

  /** @throws UpstreamError `misconfigured` if we could not authenticate as we are configured to */
  async checkAuthentication(): Promise<void> {
    await this.#authentication.method((await this.metadata()).tokenEndpoint);
  }

  async #requestTokens(
    exchange: 'code' | 'refresh',
    grantType: string,
    parameters: Record<string, string>,
    slot?: ConnectionSlot,
  ): Promise<TokenResponse> {
    const { issuer, tokenEndpoint } = await this.metadata();
    const authentication = await this.#authentication.method(tokenEndpoint);
    const receivedAt = this.clock.now();
    const response = await oauth.genericTokenEndpointRequest(
      { issuer, token_endpoint: tokenEndpoint },
      this.#authentication.client,
      authentication,
      grantType,
      parameters,
      {
        // Whether http will do is decided by the policy of the outbound client, which knows what the operator allowed.
        [oauth.allowInsecureRequests]: true,
        [oauth.customFetch]: (url, { method, headers, body }) =>
          this.#requests.ask(`token endpoint, ${exchange}`, url, {
            method,
            headers,
            body,
            maxBytes: TOKEN_MAX_BYTES,
            slot,
          }),
      },
    );
    const body = await readObject(response);
    const tokens = response.status === 200 && body ? readTokenResponse(body, this.provider, receivedAt) : undefined;
    if (!tokens) throw tokenEndpointError(exchange, response, body, this.clock.now());
    return tokens;
  }

  async #fetchKeys(): Promise<Record<string, unknown>> {
    const { jwksUri } = await this.metadata();
    if (jwksUri === undefined) throw new UpstreamError('misconfigured', 'metadata: no jwks_uri');
    return this.#requests.document('keys', jwksUri);
  }
}
