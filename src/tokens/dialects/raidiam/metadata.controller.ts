import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ASSERTION_ALGORITHMS,
  CLIENT_AUTHENTICATION_METHODS,
  Configuration,
  STANDARD_SCOPES,
} from '../../../config/index.js';
import { GrantHandlers } from '../../engine/grant-handler.js';
import { SigningKeys } from '../../signing/signing-keys.js';
import { JsonWebKeySet } from './raidiam.dto.js';
import { interaction } from './raidiam.openapi.js';

const CACHEABLE = 'public, max-age=300';

/** Discovery and keys. @see RFC 8414, OpenID Connect Discovery 1.0 */
@ApiTags('Raidiam')
@Controller()
export class MetadataController {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(GrantHandlers) private readonly grants: GrantHandlers,
    @Inject(SigningKeys) private readonly keys: SigningKeys,
  ) {}

  @Get(['.well-known/openid-configuration', '.well-known/oauth-authorization-server'])
  @Header('Cache-Control', CACHEABLE)
  @ApiOperation({ summary: 'Metadata of the authorization server', operationId: 'getMetadata' })
  @ApiOkResponse({
    description: 'RFC 8414 metadata',
    schema: { type: 'object', additionalProperties: true },
    headers: interaction,
  })
  metadata(): Record<string, unknown> {
    const { issuer } = this.configuration;
    const scopes = this.configuration.declared.scopes.map(({ name }) => name);
    return {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      introspection_endpoint: `${issuer}/token/introspection`,
      revocation_endpoint: `${issuer}/revoke`,
      jwks_uri: `${issuer}/jwks`,
      scopes_supported: [...new Set([...Object.keys(STANDARD_SCOPES), ...scopes])],
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: this.grants.grantTypes,
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: this.configuration.environment.SIGNING_ALGS,
      token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION_METHODS,
      token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
      introspection_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION_METHODS.filter(
        (method) => method !== 'none',
      ),
      introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
      revocation_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION_METHODS,
      revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      claims_supported: [
        'sub',
        'iss',
        'aud',
        'exp',
        'iat',
        'auth_time',
        'nonce',
        'sid',
        'name',
        'preferred_username',
        'email',
        'email_verified',
      ],
      claims_parameter_supported: false,
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
    };
  }

  @Get(['jwks', '.well-known/jwks.json'])
  @Header('Cache-Control', CACHEABLE)
  @ApiOperation({ summary: 'Public keys that verify our tokens', operationId: 'getJwks' })
  @ApiOkResponse({ description: 'RFC 7517 key set', type: JsonWebKeySet, headers: interaction })
  async jwks(): Promise<JsonWebKeySet> {
    return { keys: await this.keys.publicJwks() };
  }
}
