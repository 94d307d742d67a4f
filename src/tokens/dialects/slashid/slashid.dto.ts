import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';

/** How a client says who it is in a form, where it does not use the Authorization header. */
class SlashidClientForm {
  /**
   * The client, where it does not use the Authorization header.
   * @example app
   */
  @IsOptional()
  @IsString()
  client_id?: string;

  /** Its secret, where it does not use the Authorization header. */
  @IsOptional()
  @IsString()
  client_secret?: string;

  /** The kind of `client_assertion`. */
  @ApiPropertyOptional({ enum: ['urn:ietf:params:oauth:client-assertion-type:jwt-bearer'] })
  @IsOptional()
  @IsString()
  client_assertion_type?: string;

  /** The JWT of a client that authenticates by private_key_jwt or client_secret_jwt (RFC 7523 section 2.2). */
  @IsOptional()
  @IsString()
  client_assertion?: string;
}

/** The form of `POST /oauth2/tokens`. */
export class SlashidTokenForm extends SlashidClientForm {
  @ApiProperty({ enum: ['client_credentials', 'authorization_code', 'refresh_token'], required: true })
  @IsOptional()
  @IsString()
  grant_type?: string;

  /**
   * What is asked for, separated by spaces: all that the client may have of its own, or what the person allowed, where
   * nothing is said.
   * @example accounts:read
   */
  @IsOptional()
  @IsString()
  scope?: string;

  /**
   * The authorization code; required with `authorization_code`.
   * @example SplxlOBeZQQYbYS6WxSbIA
   */
  @IsOptional()
  @IsString()
  code?: string;

  /**
   * The redirect URI of the authorization request; required with `authorization_code`.
   * @example https://app.example/callback
   */
  @IsOptional()
  @IsString()
  redirect_uri?: string;

  /**
   * The PKCE verifier, by the name that SlashID documents; not the challenge.
   * @example dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk
   */
  @IsOptional()
  @IsString()
  code_challenge?: string;

  /**
   * The PKCE verifier, by the name of RFC 7636.
   * @example dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk
   */
  @IsOptional()
  @IsString()
  code_verifier?: string;

  /** The refresh token; required with `refresh_token`. */
  @IsOptional()
  @IsString()
  refresh_token?: string;
}

/** The form of `POST /oauth2/tokens/revoke`. */
export class SlashidRevocationForm extends SlashidClientForm {
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

/** The form of `POST /oauth2/tokens/introspect`. */
export class SlashidIntrospectionForm extends SlashidRevocationForm {
  /**
   * What the token has to allow to count as active, separated by spaces.
   * @example accounts:read
   */
  @IsOptional()
  @IsString()
  scope?: string;
}

/** The form of `POST /oauth2/tokens/revoke-all`. */
export class SlashidRevokeAllForm extends SlashidClientForm {
  /** The person; the `sub` of the tokens. */
  @ApiProperty({ required: true })
  @IsOptional()
  @IsString()
  person_id?: string;

  /**
   * What was allowed up to here ends, all where nothing is said: RFC 3339, or seconds since the epoch.
   * @example 2026-01-01T00:00:00Z
   */
  @IsOptional()
  @IsString()
  until?: string;
}

/** The answer of `POST /oauth2/tokens`. */
export class SlashidTokens {
  /** A JWT (RFC 9068), or an opaque one where the client is registered for that. */
  @ApiProperty()
  access_token!: string;

  /** Seconds until it expires. */
  @ApiProperty({ type: 'integer', example: 3600 })
  expires_in!: number;

  /** What was granted. */
  @ApiProperty({ example: 'openid profile' })
  scope!: string;

  @ApiProperty({ enum: ['bearer'] })
  token_type!: 'bearer';

  /** Where the client may refresh, and `openid` was not asked for or `offline_access` was. */
  @ApiPropertyOptional()
  refresh_token?: string;

  /** Where `openid` was granted. */
  @ApiPropertyOptional()
  id_token?: string;
}

/** The answer of `POST /oauth2/tokens/introspect`; of a token that is not active nothing but that. */
export class SlashidIntrospection {
  /** Whether the token is good, allows what was asked, and is the client's business. */
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

  /** What it allows, separated by spaces. */
  @ApiPropertyOptional({ example: 'accounts:read' })
  scope?: string;
}
