import { Inject, Injectable } from '@nestjs/common';
import { decodeJwt, decodeProtectedHeader, jwtVerify, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import { Clock } from '../../common/clock.js';
import { DomainError } from '../../common/domain-error.js';
import type { Secret } from '../../common/secret.js';
import { Configuration } from '../../config/index.js';
import { ACCESS_TOKEN_TYPE } from '../engine/token-engine.js';
import { SigningKeys } from '../signing/signing-keys.js';
import type { Caller } from './caller.js';
import { Callers } from './callers.js';

const MAX_TOKEN_BYTES = 16_384;

/** What the one guard of all faces asks: whose access token is this? @see RFC 9068 section 4 */
@Injectable()
export class AccessTokens {
  constructor(
    @Inject(SigningKeys) private readonly keys: SigningKeys,
    @Inject(Callers) private readonly callers: Callers,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * The user for whom, and the client to which, the token was issued. A blocked user is answered, too: which error
   * that is, and when, is the face's knowledge.
   * @throws DomainError `credentials.*`
   */
  async authenticate(token: Secret): Promise<Caller> {
    const claims = await this.#verify(token.reveal());
    // RFC 9449 section 7.2: a sender-constrained token is worth nothing without its proof.
    if (claims['cnf'] !== undefined) throw new DomainError('credentials.proof-required');
    const { grant_id: grantId, client_id: clientId, scope } = claims;
    if (typeof grantId !== 'string' || typeof clientId !== 'string' || typeof scope !== 'string') {
      throw new DomainError('credentials.token-invalid', { privateDetail: 'token without a user' });
    }
    const caller = await this.callers.find({ userId: claims.sub ?? '', through: { grantId, clientId } });
    return { ...caller, scope: new Set(scope.split(' ')), expiresAt: (claims.exp ?? 0) * 1000 };
  }

  async #verify(token: string): Promise<JWTPayload> {
    if (Buffer.byteLength(token) > MAX_TOKEN_BYTES) {
      throw new DomainError('credentials.token-too-large', { meta: { limit: MAX_TOKEN_BYTES } });
    }
    const { typ, kid, alg } = decode(token);
    if (typ !== ACCESS_TOKEN_TYPE) {
      throw new DomainError('credentials.not-an-access-token', {
        meta: { received: typ === 'JWT' ? 'idToken' : 'unknown' },
      });
    }
    // Not within what follows: keys that cannot be read for now say nothing against the token.
    const key = await this.keys.verificationKey(kid, alg);
    if (!key) throw new DomainError('credentials.token-invalid', { privateDetail: 'unknown key' });
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['ES256'],
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
