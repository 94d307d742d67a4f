import type { Secret } from '../../common/secret.js';

/** What a client gets; how it is spelled is its face's knowledge. @see RFC 6749 section 5.1 */
export interface TokenResult {
  accessToken: Secret;
  refreshToken: Secret | undefined;
  idToken: Secret | undefined;
  expiresInSeconds: number;
  scope: readonly string[];
}
