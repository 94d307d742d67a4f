import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** The access token issued by the given IdP. */
export class IdpAccessToken {
  /**
   * The access token.
   * @example 5fc7f98122413e93fc9acbc2cd804961a24501b5820ca6cd3e35b844da9e73b1
   */
  @ApiProperty()
  token!: string;

  /** Time to live of the token (in seconds). */
  @ApiProperty({ type: 'integer', example: 3597 })
  ttl!: number;
}

/** Object describing an error. */
export class OnezoneErrorDescription {
  /**
   * What went wrong, for a program.
   * @example badValueNotAllowed
   */
  @ApiProperty()
  id!: string;

  /**
   * More about it, depending on the id.
   * @example {"key": "idp", "allowed": ["mobypay"]}
   */
  @ApiPropertyOptional()
  details?: Record<string, unknown>;

  /** What went wrong, for a person. */
  @ApiProperty({ example: 'Bad value: provided "idp" must be one of: mobypay.' })
  description!: string;
}

/** Every error of Onezone. */
export class OnezoneErrorAnswer {
  error!: OnezoneErrorDescription;
}
