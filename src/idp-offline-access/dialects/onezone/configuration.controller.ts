import { Controller, Get, Header, Inject } from '@nestjs/common';
import { VERSION } from '../../../common/version.js';
import { Configuration } from '../../../config/index.js';
import { IdentityProvidersRepository } from '../../../identity-providers/index.js';
import type { OnezoneConfiguration } from './configuration.dto.js';
import { ConfigurationDocumentation } from './onezone.openapi.js';
import { ONEZONE_PREFIX } from './onezone.face.js';

@Controller(`${ONEZONE_PREFIX}/configuration`)
export class ConfigurationController {
  constructor(
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ConfigurationDocumentation()
  async get(): Promise<OnezoneConfiguration> {
    const providers = await this.providers.names();
    return {
      name: 'Symbolon',
      version: VERSION,
      build: VERSION,
      domain: new URL(this.configuration.issuer).hostname,
      // We serve the accounts and tokens of that API; there are no Oneproviders and no spaces here.
      subdomainDelegationSupported: false,
      compatibilityRegistryRevision: 0,
      compatibleOneproviderVersions: [],
      availableSpaceTags: {},
      supportedIdPs: providers.map(({ id, offlineAccess }) => ({ id, offlineAccess })),
    };
  }
}
