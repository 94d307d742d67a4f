import type { JWK } from 'jose';

/** A client as the service knows it; whoever uses a library knows its secret or its private key, too. */
export interface Registration {
  client_id: string;
  redirect_uri: string;
  scope: string;
  credentials:
    | { method: 'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt'; secret: string }
    | { method: 'private_key_jwt'; key: JWK & { alg: string; kid: string } }
    | { method: 'none' };
}

export interface Tokens {
  accessToken: string;
  refreshToken: string | undefined;
  scope: string | undefined;
  /** Of the id_token, which the library has validated. */
  subject: string | undefined;
}

/** What an OpenID client library does for its user, in the words of one of them; each adapter is its documentation's example. */
export interface RelyingParty {
  /** Code with PKCE, state and nonce. `visit` is the user's browser: from the authorization request to our redirect URI. */
  signIn(visit: (url: URL) => Promise<URL>): Promise<Tokens>;
  refresh(refreshToken: string, scope?: string): Promise<Tokens>;
  clientCredentials(scope?: string): Promise<Tokens>;
  isActive(token: string): Promise<boolean>;
  revoke(token: string): Promise<void>;
}

export interface Library {
  name: string;
  /** Discovers the issuer. */
  connect(issuer: string, registration: Registration): Promise<RelyingParty>;
}
