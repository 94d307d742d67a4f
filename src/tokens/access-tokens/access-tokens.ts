import { Inject, Injectable } from '@nestjs/common';
import { decodeJwt, decodeProtectedHeader, jwtVerify, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import type { Client } from '../../clients/index.js';
import { Clock } from '../../common/clock.js';
import { DomainError } from '../../common/domain-error.js';
import { Randomness } from '../../common/random.js';
import { Secret } from '../../common/secret.js';
import { Configuration } from '../../config/index.js';
import { JwtSigner } from '../signing/jwt-signer.js';
import { SigningKeys } from '../signing/signing-keys.js';
import type { AccessTokenClaims, NewAccessTokenClaims } from './access-token-claims.js';
import { AccessTokenRecords } from './access-token-records.js';
import type { Caller } from './caller.js';
import { Callers } from './callers.js';

/** RFC 9068 section 2.1. */
const ACCESS_TOKEN_TYPE = 'at+jwt';
const ALGORITHM = 'ES256';
const MAX_TOKEN_BYTES = 16_384;
/** So that people and scanners of secrets know an opaque one when they see it. */
const PREFIX = 'symbolon_at_';
const OPAQUE = new RegExp(`^${PREFIX}[A-Za-z0-9_-]{43}$`);

/** A good token, and who stands behind it. */
export interface FoundAccessToken {
  claims: AccessTokenClaims;
  client: Client;
  /** For whom it was issued; nobody where the client acts for itself. The user may be blocked. */
  caller: Caller | undefined;
}

/** A client that acts for itself. */
export interface ClientCaller {
  client: Client;
  scope: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** A token as it was read: what it says is true, but it may have been ended since. */
interface Reading {
  claims: AccessTokenClaims;
  /** Where reading it showed that, too. */
  revoked?: boolean;
}

/**
 * Access tokens, JWTs and opaque ones: what a client may do until they expire, and what the one guard of all faces asks
 * about. What ends them earlier (revocation, a disabled client, a user who is gone) is read from the database each time.
 */
@Injectable()
export class AccessTokens {
  constructor(
    @Inject(SigningKeys) private readonly keys: SigningKeys,
    @Inject(JwtSigner) private readonly signer: JwtSigner,
    @Inject(AccessTokenRecords) private readonly records: AccessTokenRecords,
    @Inject(Callers) private readonly callers: Callers,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {}

  /** In the format that the client is registered for; part of the caller's unit of work. */
  async issue(client: Client, claims: NewAccessTokenClaims): Promise<Secret> {
    const complete = { ...claims, aud: this.configuration.issuer, jti: this.randomness.id() };
    if (client.accessTokenFormat === 'jwt') return this.signer.sign(ALGORITHM, ACCESS_TOKEN_TYPE, { ...complete });
    const token = new Secret(PREFIX + this.randomness.token());
    await this.records.keep(token, complete);
    return token;
  }

  /**
   * What the token says, while all that it rests on stands. A blocked user is answered, too, and one that has to be
   * proved beside it: what to make of that is the asker's to know.
   * @throws DomainError `credentials.*`
   */
  async find(token: Secret): Promise<FoundAccessToken> {
    return this.#stand(await this.#read(token.reveal()));
  }

  /**
   * The user for whom, and the client to which, the token was issued. A blocked user is answered, too: which error
   * that is, and when, is the face's knowledge.
   * @throws DomainError `credentials.*`
   */
  async authenticate(token: Secret): Promise<Caller> {
    const { caller } = await this.#bearer(token, (claims) => claims.grant_id !== undefined);
    return caller!;
  }

  /**
   * The client that presents a token of its own.
   * @throws DomainError `credentials.*`, also where the token is a user's
   */
  async authenticateClient(token: Secret): Promise<ClientCaller> {
    const { client, claims } = await this.#bearer(token, ({ grant_id: grantId }) => grantId === undefined);
    return { client, ...termsOf(claims) };
  }

  /** Ends this one token; false where it had ended before. */
  revoke({ claims }: FoundAccessToken): Promise<boolean> {
    return this.records.revoke(claims);
  }

  async #bearer(token: Secret, isOne: (claims: AccessTokenClaims) => boolean): Promise<FoundAccessToken> {
    const reading = await this.#read(token.reveal());
    // RFC 9449 section 7.2: a sender-constrained token is worth nothing without its proof.
    if (reading.claims.cnf !== undefined) throw new DomainError('credentials.proof-required');
    if (!isOne(reading.claims)) throw invalid("a user's token where a client's is wanted, or the other way round");
    return this.#stand(reading);
  }

  async #read(token: string): Promise<Reading> {
    if (Buffer.byteLength(token) > MAX_TOKEN_BYTES) {
      throw new DomainError('credentials.token-too-large', { meta: { limit: MAX_TOKEN_BYTES } });
    }
    if (!OPAQUE.test(token)) return { claims: toClaims(await this.#verify(token)) };
    const found = await this.records.find(new Secret(token));
    if (!found) throw invalid('unknown or expired opaque token');
    return found;
  }

  async #stand({ claims, revoked }: Reading): Promise<FoundAccessToken> {
    const { client_id: clientId, grant_id: grantId, sub: userId } = claims;
    const [ended, behind] = await Promise.all([
      revoked ?? this.records.isRevoked(claims),
      grantId === undefined
        ? this.callers.findClient(clientId)
        : this.callers.find({ userId, through: { grantId, clientId } }),
    ]);
    if (ended) throw new DomainError('credentials.token-revoked');
    const client = 'user' in behind ? behind.client! : behind;
    if (client.createdAt >= (claims.iat + 1) * 1000) throw invalid('issued to a former client of that id');
    return { claims, client, caller: 'user' in behind ? { ...behind, ...termsOf(claims) } : undefined };
  }

  async #verify(token: string): Promise<JWTPayload> {
    const { typ, kid, alg } = decode(token);
    if (typ !== ACCESS_TOKEN_TYPE) {
      throw new DomainError('credentials.not-an-access-token', {
        meta: { received: typ === 'JWT' ? 'idToken' : 'unknown' },
      });
    }
    // Not within what follows: keys that cannot be read for now say nothing against the token.
    const key = await this.keys.verificationKey(kid, alg);
    if (!key) throw invalid('unknown key');
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: this.configuration.issuer,
        audience: this.configuration.issuer,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(this.clock.now()),
      });
      return payload;
    } catch (cause) {
      throw new DomainError('credentials.token-invalid', { cause });
    }
  }
}

function decode(token: string): ProtectedHeaderParameters {
  try {
    decodeJwt(token);
    return decodeProtectedHeader(token);
  } catch (cause) {
    throw new DomainError('credentials.unreadable', { cause });
  }
}

/** We signed it, so the rest is as it was written. */
function toClaims(payload: JWTPayload): AccessTokenClaims {
  const { client_id: clientId, scope, jti } = payload;
  if (typeof clientId !== 'string' || typeof scope !== 'string' || jti === undefined) {
    throw invalid('no client, scope or id in the token');
  }
  return payload as unknown as AccessTokenClaims;
}

function termsOf({ scope, exp }: AccessTokenClaims) {
  return { scope: new Set(scope.split(' ')), expiresAt: exp * 1000 };
}

function invalid(privateDetail: string): DomainError {
  return new DomainError('credentials.token-invalid', { privateDetail });
}
