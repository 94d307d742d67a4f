import { createHash } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, errors as jose, jwtVerify } from 'jose';
import type { CryptoKey, FlattenedJWSInput, JSONWebKeySet, JWK, JWTHeaderParameters } from 'jose';
import { epochSeconds, type Clock } from '../common/clock.js';
import type { Secret } from '../common/secret.js';
import { idTokenClaims, type IdTokenClaims } from './claims.js';
import { isIssuerOf, type IdentityProvider } from './identity-provider.js';
import { OutboundDocument } from './outbound-client.js';
import { isObject } from './said-values.js';
import { rejected, UnknownKeyError, UpstreamError } from './upstream-error.js';

/** How long a key that the provider withdrew is still believed. */
const KEYS_MAX_AGE_MS = 10 * 60 * 1000;
/** Between two fetches that an unknown `kid` forces: a rotation is seen at once, a flood of invented ones is not passed on. */
const UNKNOWN_KEY_COOLDOWN_MS = 5000;

export const CLOCK_TOLERANCE_SECONDS = 10;
const MAX_FUTURE_IAT_SECONDS = 60;

/**
 * Asymmetric only: `none` proves nothing, and an HS algorithm would let anybody who knows the public key sign
 * with it as if it were the secret.
 * @see RFC 8725 sections 2.1 and 3.1
 */
const ID_TOKEN_ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');

/** What an id_token has to agree with, beside the provider and us. */
export interface ExpectedIdToken {
  /** The one sent with the authorization request; without it a replay goes unnoticed. */
  nonce?: string;
  /** The `sub` known from before; a refresh must not turn into another user. */
  subject?: string;
  /** The one issued along with it, for `at_hash`. */
  accessToken?: Secret;
  /** Its times are not looked at: whoever is known already is not lost because a clock is wrong, here or there. */
  atAnyTime?: boolean;
}

/** Whose account it was. A subject is one person's under one issuer only, which tenants have of their own. */
export interface ExpectedOffline {
  subject: string;
  issuer?: string | undefined;
}

/** Verifies the id_tokens of one provider, with its keys at hand. */
export class IdTokenVerifier {
  readonly #keys: OutboundDocument<ProviderKeys>;
  #forcedFetch: { at: number; failure?: unknown } = { at: -Infinity };

  /** @param fetchKeys throws UpstreamError only */
  constructor(
    private readonly provider: IdentityProvider,
    fetchKeys: () => Promise<Record<string, unknown>>,
    private readonly clock: Clock,
  ) {
    this.#keys = new OutboundDocument(async () => new ProviderKeys(await fetchKeys()), KEYS_MAX_AGE_MS, clock);
  }

  /** The public keys that the provider signs with. */
  async keys(): Promise<readonly JWK[]> {
    return (await this.#keys.get()).all;
  }

  /** @see UpstreamClient.verifyIdToken */
  async verify(idToken: Secret, expected: ExpectedIdToken): Promise<IdTokenClaims> {
    const issuer = this.#perTenant ? this.#admittedIssuer(idToken) : undefined;
    const clockTolerance = expected.atAnyTime === true ? Number.MAX_SAFE_INTEGER : CLOCK_TOLERANCE_SECONDS;
    const { payload, protectedHeader } = await jwtVerify(
      idToken.reveal(),
      (header, token) => this.#keyFor(header, token, issuer, expected),
      {
        issuer: issuer ?? this.provider.issuer,
        audience: this.provider.clientId,
        algorithms: ID_TOKEN_ALGORITHMS,
        clockTolerance,
        currentDate: new Date(this.clock.now()),
      },
    ).catch((error: unknown): never => {
      if (error instanceof jose.JWKSNoMatchingKey) throw new UnknownKeyError('rejected');
      throw error instanceof UpstreamError ? error : rejected(`id_token: ${reasonOf(error)}`);
    });
    const parsed = idTokenClaims.safeParse(payload);
    if (!parsed.success) throw rejected(`id_token: ${String(parsed.error.issues[0]?.path[0])}`);
    const claims = parsed.data;
    this.#checkTenant(claims);
    const latest = epochSeconds(this.clock.now()) + Math.max(MAX_FUTURE_IAT_SECONDS, clockTolerance);
    if (claims.iat > latest) throw rejected('id_token: iat');
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

  /** @see UpstreamClient.checkIdTokenOffline */
  checkOffline(idToken: Secret, expected: ExpectedOffline): 'match' | 'mismatch' | 'unreadable' {
    try {
      const { iss, aud, sub } = decodeJwt(idToken.reveal());
      const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
      const matches =
        iss !== undefined &&
        isIssuerOf(this.provider, iss) &&
        iss === (expected.issuer ?? iss) &&
        audiences.includes(this.provider.clientId) &&
        sub === expected.subject;
      return matches ? 'match' : 'mismatch';
    } catch {
      return 'unreadable';
    }
  }

  get #perTenant(): boolean {
    return this.provider.tenants.length > 0;
  }

  /** Not proven yet: it decides which keys may speak for it. */
  #admittedIssuer(idToken: Secret): string {
    const issuer = issuerIn(idToken);
    if (issuer === undefined || !isIssuerOf(this.provider, issuer)) throw rejected('id_token: iss');
    return issuer;
  }

  /** One tenant's administrator must not be able to speak for another's users: the issuer's tenant and the claim agree. */
  #checkTenant({ iss, tid }: IdTokenClaims): void {
    if (!this.#perTenant) return;
    const named = typeof tid === 'string' && iss === this.provider.issuer.replace('{tenantid}', tid);
    if (!named) throw rejected('id_token: tid');
  }

  async #keyFor(
    header: JWTHeaderParameters,
    token: FlattenedJWSInput,
    issuer: string | undefined,
    { atAnyTime = false }: ExpectedIdToken,
  ): Promise<CryptoKey> {
    const select = (keys: ProviderKeys) => keys.of(issuer, this.provider.issuer)(header, token);
    const keys = await this.#keys.get();
    try {
      return await select(keys);
    } catch (error) {
      if (!(error instanceof jose.JWKSNoMatchingKey)) throw error;
      const due = this.clock.now() - this.#forcedFetch.at >= UNKNOWN_KEY_COOLDOWN_MS;
      // Until the keys may be fetched again an unknown one may be genuine: that must not cost a user the account.
      if (!due && !this.#keys.loading)
        throw this.#forcedFetch.failure ?? new UnknownKeyError(atAnyTime ? 'unavailable' : 'rejected');
      if (due) this.#forcedFetch = { at: this.clock.now() };
      return select(await this.#reload());
    }
  }

  async #reload(): Promise<ProviderKeys> {
    const fetch = this.#forcedFetch;
    try {
      return await this.#keys.reload();
    } catch (failure) {
      fetch.failure = failure;
      throw failure;
    }
  }
}

type SelectKey = ReturnType<typeof createLocalJWKSet>;

class ProviderKeys {
  readonly all: readonly JWK[];
  readonly #selectors = new Map<string | undefined, SelectKey>();

  constructor(document: Record<string, unknown>) {
    if (!isKeySet(document)) throw new UpstreamError('unavailable', 'keys: not a key set');
    this.all = document.keys;
  }

  /**
   * Where each tenant has its own issuer, a key may name the one that it signs for, and signs for no other.
   * @param issuer one of the tenants'; `undefined` where there is but one
   */
  of(issuer: string | undefined, template: string): SelectKey {
    const known = this.#selectors.get(issuer);
    if (known) return known;
    const may = ({ issuer: named }: JWK & { issuer?: unknown }) =>
      issuer === undefined || named === undefined || named === template || named === issuer;
    const selector = createLocalJWKSet({ keys: this.all.filter(may) });
    this.#selectors.set(issuer, selector);
    return selector;
  }
}

function issuerIn(idToken: Secret): string | undefined {
  try {
    return decodeJwt(idToken.reveal()).iss;
  } catch {
    return undefined;
  }
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

function isKeySet(value: unknown): value is JSONWebKeySet {
  return isObject(value) && Array.isArray(value['keys']) && value['keys'].every(isObject);
}
