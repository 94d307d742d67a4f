import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength } from 'class-validator';

/** The form of `POST /token`. */
export class TokenForm {
  /**
   * The grant type.
   * @example authorization_code
   */
  // The engine says what is wrong when it is missing; a client has to send it all the same.
  @ApiProperty({ required: true })
  @IsOptional()
  @MaxLength(255)
  grant_type?: string;

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

  /**
   * The client, where it does not authenticate by the Authorization header.
   * @example app
   */
  @IsOptional()
  @MaxLength(255)
  client_id?: string;

  /** The secret of a client that authenticates by client_secret_post. */
  @IsOptional()
  @IsString()
  client_secret?: string;
}

/** The answer of `POST /token`. */
export class TokenAnswer {
  /** A JWT access token (RFC 9068). */
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
