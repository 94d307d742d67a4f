/** What an access token says, whatever its format. @see RFC 9068 section 2.2 */
export interface AccessTokenClaims {
  iss: string;
  /** The user, or the client itself where there is no `grant_id`. */
  sub: string;
  aud: string | string[];
  /** Seconds since the epoch, as the others. */
  iat: number;
  exp: number;
  jti: string;
  client_id: string;
  scope: string;
  /** What the user allowed the client: with it ends the token. */
  grant_id?: string;
  auth_time?: number;
  sid?: string;
  /** The key that has to be proved beside it. @see RFC 7800 section 3.1 */
  cnf?: object;
}

/** Audience and id are not its issuer's to say. */
export type NewAccessTokenClaims = Omit<AccessTokenClaims, 'aud' | 'jti'>;
