import { Inject, Injectable } from '@nestjs/common';
import { SignJWT, type JWTPayload } from 'jose';
import { Secret } from '../../common/secret.js';
import type { SigningAlgorithm } from '../../config/index.js';
import { SigningKeys } from './signing-keys.js';

/** Signs with the current key of an algorithm. @see RFC 7515 */
@Injectable()
export class JwtSigner {
  constructor(@Inject(SigningKeys) private readonly keys: SigningKeys) {}

  async sign(algorithm: SigningAlgorithm, type: string, payload: JWTPayload): Promise<Secret> {
    const { kid, privateKey } = await this.keys.current(algorithm);
    const jwt = await new SignJWT(payload).setProtectedHeader({ alg: algorithm, typ: type, kid }).sign(privateKey);
    return new Secret(jwt);
  }
}
