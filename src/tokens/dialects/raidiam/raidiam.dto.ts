import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength } from 'class-validator';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** How a client says who it is in a form, where it does not use the Authorization header. */
export class ClientForm {
  /**
   * The client; with an assertion it may be left to the assertion's `sub`.
   * @example app
   */
  @IsOptional()
  @MaxLength(255)
  client_id?: string;

  /** The secret of a client that authenticates by client_secret_post. */
  @IsOptional()
  @IsString()
  client_secret?: string;

  /** The kind of `client_assertion`. */
  @ApiPropertyOptional({ enum: [ASSERTION_TYPE] })
  @IsOptional()
  @MaxLength(160)
  client_assertion_type?: string;

  /** The JWT of a client that authenticates by private_key_jwt or client_secret_jwt (RFC 7523 section 2.2). */
  @IsOptional()
  @IsString()
  client_assertion?: string;
}

/** The form of `POST /token`. */
export class TokenForm extends ClientForm {
  /**
   * The grant type; client credentials where it is left out and nothing of another grant is there. `private_key_jwt` and
   * `tls_client_auth` mean client credentials with that very method of client authentication.
   */
  @ApiPropertyOptional({
    enum: ['client_credentials', 'private_key_jwt', 'tls_client_auth', 'authorization_code', 'refresh_token'],
    default: 'client_credentials',
  })
  @IsOptional()
  @MaxLength(255)
  grant_type?: string;

  /** `client_assertion` by the name that Raidiam Connect documents; counts with `client_assertion_type` beside it. */
  @IsOptional()
  @IsString()
  assertion?: string;

  /**
   * What is asked for, separated by spaces: all that the client may have of its own, or what the user allowed, where
   * nothing is said.
   * @example accounts:read
   */
  @IsOptional()
  @IsString()
  scope?: string;

  /**
   * The authorization code.
   * @example SplxlOBeZQQYbYS6WxSbIA
   */
  @IsOptional()
  @IsString()
  code?: string;

  /**
   * The redirect URI of the authorization request.
   * @example https://app.example/callback
   */
  @IsOptional()
  @IsString()
  redirect_uri?: string;

  /**
   * The PKCE verifier (RFC 7636).
   * @example dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk
   */
  @IsOptional()
  @IsString()
  code_verifier?: string;

  /** The refresh token. */
  @IsOptional()
  @IsString()
  refresh_token?: string;
}

/** The form of introspection and revocation. */
export class PresentedTokenForm extends ClientForm {
  /** The access token or refresh token in question. */
  @ApiProperty({ required: true })
  @IsOptional()
  @IsString()
  token?: string;

  /** Taken and not needed: a token's own text says what kind it is. */
  @ApiPropertyOptional({ enum: ['access_token', 'refresh_token'] })
  @IsOptional()
  @IsString()
  token_type_hint?: string;
}

/** The answer of `POST /token`. */
export class TokenAnswer {
  /** A JWT (RFC 9068), or an opaque one where the client is registered for that. */
  @ApiProperty()
  access_token!: string;

  /** Seconds until it expires. */
  @ApiProperty({ type: 'integer', example: 3600 })
  expires_in!: number;

  /** @example Bearer */
  @ApiProperty()
  token_type!: string;

  /** What was granted. */
  @ApiProperty({ example: 'openid profile' })
  scope!: string;

  /** Where the client may refresh, and `openid` was not asked for or `offline_access` was. */
  @ApiPropertyOptional()
  refresh_token?: string;

  /** Where `openid` was granted. */
  @ApiPropertyOptional()
  id_token?: string;
}

/** The answer of `POST /token/introspection`; of a token that is not active nothing but that. */
export class IntrospectionAnswer {
  /** Whether the token is good, and the client's business. */
  @ApiProperty()
  active!: boolean;

  /** The client it was issued to. */
  @ApiPropertyOptional({ example: 'app' })
  client_id?: string;

  /** When it expires, in seconds since the epoch. */
  @ApiPropertyOptional({ type: 'integer', example: 1767229200 })
  exp?: number;

  /** When it was issued, in seconds since the epoch. */
  @ApiPropertyOptional({ type: 'integer', example: 1767225600 })
  iat?: number;

  /** Our issuer. */
  @ApiPropertyOptional({ example: 'https://id.example' })
  iss?: string;

  /** The token's id; of access tokens. */
  @ApiPropertyOptional()
  jti?: string;

  /** What it allows, separated by spaces. */
  @ApiPropertyOptional({ example: 'accounts:read' })
  scope?: string;

  /** How it is used; of access tokens. */
  @ApiPropertyOptional({ example: 'Bearer' })
  token_type?: string;

  /** The user, or the client itself where it acts for itself. */
  @ApiPropertyOptional()
  sub?: string;

  /** For whom it is meant; of access tokens. */
  @ApiPropertyOptional({ oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] })
  aud?: string | string[];

  /** The key that has to be proved beside it, where it is bound to one. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  cnf?: object;
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
