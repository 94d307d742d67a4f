/** Token granted. */
export class FederatedIdentityToken {
  /** The access token that the identity provider issued for the user. */
  access_token!: string;

  /** @example Bearer */
  token_type!: string;

  /** Only for a client that the operator allowed to receive it. */
  refresh_token?: string;

  /**
   * Seconds until the access token expires.
   * @type integer
   * @example 42
   */
  expires_in!: number;

  /**
   * The scopes that the identity provider granted.
   * @example openid profile
   */
  scope!: string;
}

export class PaceErrorLinks {
  about?: string;
}

export class PaceErrorSource {
  pointer?: string;
  parameter?: string;
}

/** A JSON:API error. */
export class PaceError {
  /**
   * The `Request-Id` of the answer.
   * @example cbgmhslmp1o9or9kh1p0
   */
  id?: string;

  links?: PaceErrorLinks;

  /**
   * The HTTP status, as a string.
   * @example 401
   */
  status?: string;

  /** @example missing-linked-identity */
  code?: string;

  /** @example Missing linked identity for authorized access */
  title?: string;

  /** @example Linked identity is needed to access this resource, please check why the user does not have a linked identity */
  detail?: string;

  source?: PaceErrorSource;

  /** Machine-readable extras: `connect_url`, where the user links the account; `retry_after`, in seconds. */
  meta?: Record<string, unknown>;
}

/** Every error of PACE. */
export class PaceErrors {
  errors!: PaceError[];
}
