import { ApiProperty } from '@nestjs/swagger';

/** IdP details. */
export class SupportedIdp {
  /** The identifier of the IdP. */
  @ApiProperty({ example: 'mobypay' })
  id!: string;

  /** Whether access tokens of the IdP can be acquired while the user is away. */
  @ApiProperty({ example: true })
  offlineAccess!: boolean;
}

/** Public information about the service's configuration and version. */
export class OnezoneConfiguration {
  /** @example Symbolon */
  @ApiProperty()
  name!: string;

  /** @example 0.1.0 */
  @ApiProperty()
  version!: string;

  /** @example 0.1.0 */
  @ApiProperty()
  build!: string;

  /** @example id.example */
  @ApiProperty()
  domain!: string;

  /** @example false */
  @ApiProperty()
  subdomainDelegationSupported!: boolean;

  @ApiProperty({ type: 'integer', example: 0 })
  compatibilityRegistryRevision!: number;

  /** None: there are no Oneproviders here. */
  @ApiProperty({ type: [String], example: [] })
  compatibleOneproviderVersions!: string[];

  /** None: there are no spaces here. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: {} })
  availableSpaceTags!: Record<string, unknown>;

  /** The IdPs of the directory. */
  @ApiProperty({ type: [SupportedIdp] })
  supportedIdPs!: SupportedIdp[];
}
