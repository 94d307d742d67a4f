/** The form of `POST /token`. */
export class TokenForm {
  /**
   * The grant type.
   * @example authorization_code
   */
  grant_type!: string;

  /**
   * The authorization code.
   * @example SplxlOBeZQQYbYS6WxSbIA
   */
  code?: string;

  /**
   * The redirect URI of the authorization request.
   * @example https://app.example/callback
   */
  redirect_uri?: string;

  /**
   * The PKCE verifier (RFC 7636).
   * @example dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk
   */
  code_verifier?: string;

  /**
   * The client, where it does not authenticate by the Authorization header.
   * @maxLength 255
   * @example app
   */
  client_id?: string;

  /** The secret of a client that authenticates by client_secret_post. */
  client_secret?: string;
}

/** The answer of `POST /token`. */
export class TokenAnswer {
  /** A JWT access token (RFC 9068). */
  access_token!: string;

  /**
   * Seconds until it expires.
   * @example 3600
   */
  expires_in!: number;

  /** @example Bearer */
  token_type!: string;

  /** @example openid profile */
  scope!: string;

  /** Where `openid` was granted. */
  id_token?: string;
}

/** An OAuth 2 error. */
export class OAuthErrorAnswer {
  /** @example invalid_grant */
  error!: string;

  /** What is wrong. */
  error_description?: string;
}

/** The answer for an unknown route. */
export class RouteErrorAnswer {
  /** @example ["Not Found"] */
  errors!: string[];
}

/** The public halves of our signing keys (RFC 7517). */
export class JsonWebKeySet {
  keys!: Record<string, unknown>[];
}
