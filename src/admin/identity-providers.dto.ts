import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { IdentityProvider, ProviderReport } from '../identity-providers/index.js';
import { ListMeta } from './admin.dto.js';

const textByName = (example: Record<string, string>) =>
  ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, example });

/** For how long the tokens of an account are kept, in seconds. */
export class RetentionAnswer {
  /** Since anybody last read it. */
  @ApiPropertyOptional({ type: 'integer', example: 7776000 })
  idle?: number;

  /** Since its user last linked it. */
  @ApiPropertyOptional({ type: 'integer', example: 31536000 })
  absolute?: number;
}

/** A provider in the words of CONFIG_FILE, with what its preset filled in and without its secrets. */
export class IdentityProviderAnswer {
  @ApiProperty({ example: 'mobypay' })
  id!: string;

  /** `oidc` or `oauth2`. */
  @ApiProperty({ example: 'oidc' })
  type!: string;

  @ApiPropertyOptional({ example: 'google' })
  preset?: string;

  @ApiProperty({ example: 'MobyPay' })
  name!: string;

  @ApiPropertyOptional({ example: 'https://idp.example' })
  issuer?: string;

  @ApiProperty({ example: 'symbolon' })
  client_id!: string;

  /** Whether there is a client secret, which is never read back. */
  @ApiProperty()
  client_secret_set!: boolean;

  /** Whether there is a private key, which is never read back. */
  @ApiProperty()
  private_key_set!: boolean;

  @ApiPropertyOptional({ example: 'key-1' })
  private_key_id?: string;

  @ApiPropertyOptional({ example: 'TEAM123456' })
  team_id?: string;

  @ApiProperty({ example: 'client_secret_basic' })
  token_endpoint_auth_method!: string;

  @ApiProperty({ example: 'issuer' })
  client_assertion_audience!: string;

  @ApiPropertyOptional({ example: 'openid profile email offline_access' })
  scope?: string;

  @ApiProperty()
  offline_access!: boolean;

  /** True, false, or the e-mail domains whose users are admitted. */
  @ApiProperty({ oneOf: [{ type: 'boolean' }, { type: 'array', items: { type: 'string' } }], example: false })
  sign_up!: boolean | string[];

  @ApiProperty()
  trust_verified_email!: boolean;

  @textByName({ prompt: 'consent' })
  authorization_parameters!: Record<string, string>;

  @ApiProperty({ example: 'query' })
  response_mode!: string;

  @textByName({ userinfo: 'https://idp.example/userinfo' })
  endpoints!: Record<string, string>;

  @textByName({ preferred_username: 'login' })
  claims!: Record<string, string>;

  @ApiPropertyOptional({ type: [String], example: ['11111111-2222-3333-4444-555555555555'] })
  tenants?: string[];

  /** Seconds, or `none`. */
  @ApiPropertyOptional({ oneOf: [{ type: 'integer' }, { type: 'string' }], example: 3600 })
  access_token_lifetime?: number | string;

  /** Seconds. */
  @ApiPropertyOptional({ type: 'integer', example: 604800 })
  refresh_token_idle_lifetime?: number;

  @ApiPropertyOptional({ type: () => RetentionAnswer })
  retention?: RetentionAnswer;
}

export class IdentityProviderList {
  @ApiProperty({ type: () => [IdentityProviderAnswer] })
  data!: IdentityProviderAnswer[];

  @ApiProperty()
  meta!: ListMeta;
}

/** One thing that was looked at. */
export class FindingAnswer {
  @ApiProperty({ example: 'discovery' })
  check!: string;

  /** `ok`, `warning` or `failed`. */
  @ApiProperty({ example: 'ok' })
  status!: string;

  @ApiProperty({ example: 'The metadata was read.' })
  detail!: string;
}

export class ProviderReportAnswer {
  @ApiProperty({ example: 'mobypay' })
  identity_provider!: string;

  /** The worst of the findings. */
  @ApiProperty({ example: 'ok' })
  status!: string;

  /** What has to be registered at the provider. */
  @ApiProperty({ example: 'https://login.example.com/login/mobypay/callback' })
  redirect_uri!: string;

  @ApiProperty({ type: () => [FindingAnswer] })
  findings!: FindingAnswer[];
}

/** Members of an answer that an entry has not got: what was read can be written again. */
export const READ_ONLY_MEMBERS = ['client_secret_set', 'private_key_set'] as const;

export function toIdentityProviderAnswer(provider: IdentityProvider): IdentityProviderAnswer {
  const { preset, issuer, privateKeyId, teamId, scope, signUp, tenants, accessTokenLifetime } = provider;
  const { refreshTokenIdleLifetime } = provider;
  const { idle, absolute } = provider.retention;
  return {
    id: provider.id,
    type: provider.type,
    ...(preset !== undefined && { preset }),
    name: provider.displayName,
    ...(issuer !== '' && { issuer }),
    client_id: provider.clientId,
    client_secret_set: provider.clientSecret !== undefined,
    private_key_set: provider.privateKey !== undefined,
    ...(privateKeyId !== undefined && { private_key_id: privateKeyId }),
    ...(teamId !== undefined && { team_id: teamId }),
    token_endpoint_auth_method: provider.tokenEndpointAuthMethod,
    client_assertion_audience: provider.clientAssertionAudience,
    ...(scope !== '' && { scope }),
    offline_access: provider.offlineAccess,
    sign_up: typeof signUp === 'boolean' ? signUp : [...signUp],
    trust_verified_email: provider.trustVerifiedEmail,
    authorization_parameters: { ...provider.authorizationParameters },
    response_mode: provider.responseMode,
    endpoints: { ...provider.endpoints },
    claims: { ...provider.claims },
    ...(tenants.length > 0 && { tenants: [...tenants] }),
    ...(accessTokenLifetime !== undefined && { access_token_lifetime: accessTokenLifetime }),
    ...(refreshTokenIdleLifetime !== undefined && { refresh_token_idle_lifetime: refreshTokenIdleLifetime }),
    ...((idle ?? absolute) !== undefined && {
      retention: { ...(idle !== undefined && { idle }), ...(absolute !== undefined && { absolute }) },
    }),
  };
}

export function toReportAnswer({ identityProvider, status, redirectUri, findings }: ProviderReport) {
  return {
    identity_provider: identityProvider,
    status,
    redirect_uri: redirectUri,
    findings: findings.map(({ check, status: outcome, detail }) => ({ check, status: outcome, detail })),
  } satisfies ProviderReportAnswer;
}
