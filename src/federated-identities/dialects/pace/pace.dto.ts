import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** Token granted. */
export class FederatedIdentityToken {
  /**
   * The access token that the identity provider issued for the user.
   * @example 3Nq8vWmZ5cE1yT7kB0xLrP4uHs9dJgAf
   */
  @ApiProperty()
  access_token!: string;

  /** @example Bearer */
  @ApiProperty()
  token_type!: string;

  /** Only for a client that the operator allowed to receive it. */
  @ApiPropertyOptional()
  refresh_token?: string;

  /** Seconds until the access token expires. */
  @ApiProperty({ type: 'integer', example: 42 })
  expires_in!: number;

  /** The scopes that the identity provider granted. */
  @ApiProperty({ example: 'openid profile' })
  scope!: string;
}

export class PaceErrorLinks {
  /** Where a person can read about the error. */
  about?: string;
}

export class PaceErrorSource {
  /** The part of the body that the error is about. */
  pointer?: string;

  /** The parameter that the error is about. */
  parameter?: string;
}

/** A JSON:API error; empty members are left out. */
export class PaceError {
  /**
   * The `Request-Id` of the answer.
   * @example cbgmhslmp1o9or9kh1p0
   */
  @ApiPropertyOptional()
  id?: string;

  @ApiPropertyOptional()
  links?: PaceErrorLinks;

  /** The HTTP status, as a string. */
  @ApiPropertyOptional({ example: '401' })
  status?: string;

  /**
   * What went wrong, for a program.
   * @example missing-linked-identity
   */
  @ApiPropertyOptional()
  code?: string;

  /**
   * What went wrong, for a person.
   * @example Missing linked identity for authorized access
   */
  @ApiPropertyOptional()
  title?: string;

  /**
   * More about it.
   * @example Linked identity is needed to access this resource, please check why the user does not have a linked identity
   */
  @ApiPropertyOptional()
  detail?: string;

  @ApiPropertyOptional()
  source?: PaceErrorSource;

  /** Machine-readable extras: `connect_url`, where the user links the account; `retry_after`, in seconds. */
  @ApiPropertyOptional()
  meta?: Record<string, unknown>;
}

/** Every error of PACE. */
export class PaceErrors {
  errors!: PaceError[];
}
