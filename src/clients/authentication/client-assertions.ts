import { Inject, Injectable } from '@nestjs/common';
import { decodeJwt, decodeProtectedHeader, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { Clock, CLOCK_TOLERANCE_MS, epochSeconds } from '../../common/clock.js';
import { DomainError } from '../../common/domain-error.js';
import { digest } from '../../common/random.js';
import type { Secret } from '../../common/secret.js';
import { ASSERTION_ALGORITHMS, Configuration } from '../../config/index.js';
import { ExpiredRows, UnitOfWork } from '../../database/index.js';
import { OutboundError } from '../../identity-providers/index.js';
import type { Client } from '../client.js';
import { ClientSecrets } from '../client-secrets.js';
import { ClientsRepository } from '../clients.repository.js';
import { ClientKeys } from './client-keys.js';
import type { PresentedClient } from './presented-client.js';
import { UsedAssertionEntity } from './used-assertion.entity.js';

export type PresentedAssertion = PresentedClient & { method: 'client_assertion' };

const MAX_BYTES = 16_384;
const MAX_JTI = 255;
/** Some libraries sign for an hour; what lives longer is a password. */
const MAX_LIFETIME_SECONDS = 3_600;
/** How far a client's clock may be ahead of ours. */
const MAX_AHEAD_SECONDS = 60;
const HMAC = 'HS256';
const ED25519 = 'Ed25519';

/**
 * JWTs with which clients prove to be themselves: signed with a key of their own, or with their secret.
 * @see RFC 7523 sections 2.2 and 3, OpenID Connect Core 1.0 section 9
 */
@Injectable()
export class ClientAssertions {
  constructor(
    @Inject(ClientKeys) private readonly keys: ClientKeys,
    @Inject(ClientSecrets) private readonly secrets: ClientSecrets,
    @Inject(ClientsRepository) private readonly clients: ClientsRepository,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    expiredRows.register(UsedAssertionEntity, { keptMs: CLOCK_TOLERANCE_MS });
  }

  /** Whose it claims to be; nothing is proved by that. */
  claimedClient({ assertion, clientId }: PresentedAssertion): string | undefined {
    if (Buffer.byteLength(assertion.reveal()) > MAX_BYTES) return undefined;
    try {
      const { sub } = decodeJwt(assertion.reveal());
      return typeof sub === 'string' && (clientId === undefined || clientId === sub) ? sub : undefined;
    } catch {
      return undefined;
    }
  }

  /** Why the assertion does not prove the client; nothing where it does, and then it is spent. */
  async refusal(client: Client, { assertion, endpoints }: PresentedAssertion): Promise<string | undefined> {
    const algorithm = algorithmOf(assertion);
    const wrong = this.#algorithmRefusal(client, algorithm);
    if (wrong !== undefined) return wrong;
    const claims = await (algorithm === HMAC
      ? this.#signedWithSecret(client, assertion)
      : this.#signedWithKey(client, assertion));
    if (typeof claims === 'string') return claims;
    return this.#claimsRefusal(client, claims, endpoints) ?? (await this.#spend(client, claims));
  }

  #algorithmRefusal({ tokenEndpointAuthMethod, tokenEndpointAuthSigningAlg }: Client, algorithm: string | undefined) {
    if (!ASSERTION_ALGORITHMS.some((name) => name === algorithm)) return 'assertion: unknown algorithm';
    // RFC 8725 section 3.1: a public key must never be taken for the key of an HMAC.
    if ((algorithm === HMAC) !== (tokenEndpointAuthMethod === 'client_secret_jwt'))
      return 'assertion: wrong kind of key';
    if (tokenEndpointAuthSigningAlg !== undefined && algorithm !== tokenEndpointAuthSigningAlg) {
      return 'assertion: not the registered algorithm';
    }
    return undefined;
  }

  async #signedWithKey(client: Client, assertion: Secret): Promise<JWTPayload | string> {
    const getKey: JWTVerifyGetKey = (header, token) => this.keys.find(client, header, token);
    const options = this.#options([...ASSERTION_ALGORITHMS.filter((name) => name !== HMAC), ED25519]);
    try {
      return (await jwtVerify(assertion.reveal(), getKey, options)).payload;
    } catch (error) {
      // Of an error of the outbound client the message is ours, of others it may quote what was sent.
      return `assertion: ${error instanceof OutboundError ? error.message : (error as Error).name}`;
    }
  }

  async #signedWithSecret(client: Client, assertion: Secret): Promise<JWTPayload | string> {
    let unreadable: DomainError | undefined;
    for (const stored of await this.clients.secrets(client)) {
      try {
        const secret = this.secrets.open(stored);
        if (!secret) continue;
        const key = Buffer.from(secret.reveal());
        return (await jwtVerify(assertion.reveal(), key, this.#options([HMAC]))).payload;
      } catch (error) {
        // Perhaps it is the other one's.
        unreadable ??= error instanceof DomainError ? error : undefined;
      }
    }
    if (unreadable) throw unreadable;
    return 'assertion: signed with none of its secrets';
  }

  /** Of times it judges `nbf` alone, which may be ahead; `exp` is exact and judged below. */
  #options(algorithms: string[]) {
    return { algorithms, currentDate: new Date(this.clock.now()), clockTolerance: MAX_AHEAD_SECONDS };
  }

  #claimsRefusal(client: Client, claims: JWTPayload, endpoints: readonly string[]): string | undefined {
    const now = epochSeconds(this.clock.now());
    const { iss, sub, exp, iat, jti } = claims;
    if (iss !== client.clientId || sub !== client.clientId) return 'assertion: iss and sub are not the client';
    const ours = [this.configuration.issuer, ...endpoints.map((path) => this.configuration.url(path))];
    const audience = [claims.aud ?? []].flat();
    if (audience.length === 0 || !audience.every((member) => ours.includes(member)))
      return 'assertion: another audience';
    if (exp === undefined || exp <= now) return 'assertion: expired';
    if (exp > now + MAX_LIFETIME_SECONDS) return 'assertion: lives too long';
    if (iat !== undefined && iat > now + MAX_AHEAD_SECONDS) return 'assertion: from the future';
    if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI) return 'assertion: no usable jti';
    return undefined;
  }

  /** Once, across replicas. Last, so that nobody but the client can use up its ids. @see RFC 7523 section 3 */
  async #spend({ clientId }: Client, { jti, exp = 0 }: JWTPayload): Promise<string | undefined> {
    const id = digest(JSON.stringify([clientId, jti]));
    // A NumericDate may have a fraction. @see RFC 7519 section 2
    const spent = await this.unitOfWork.insertOnce(UsedAssertionEntity, { id, expiresAt: Math.ceil(exp * 1000) });
    return spent ? undefined : 'assertion: used before';
  }
}

function algorithmOf(assertion: Secret): string | undefined {
  try {
    const { alg, crit, b64, kid } = decodeProtectedHeader(assertion.reveal());
    const isPlain = crit === undefined && b64 === undefined && (kid === undefined || typeof kid === 'string');
    if (!isPlain) return undefined;
    // RFC 9864 section 2.2: the same by the name of its curve.
    return alg === ED25519 ? 'EdDSA' : alg;
  } catch {
    return undefined;
  }
}
