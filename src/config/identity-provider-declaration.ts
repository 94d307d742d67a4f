import { z } from 'zod';
import { parseEntry } from './entry.js';
import { PROVIDER_PRESETS } from './provider-presets.js';
import { writtenIdentityProvider, type WrittenIdentityProvider } from './written-identity-provider.js';

/** An identity provider as CONFIG_FILE and the admin API declare it, filled in from its preset and checked for what it lacks. */
export const identityProviderDeclaration = writtenIdentityProvider.transform((entry, context) => {
  const declaration = withDefaults(withPreset(entry));
  for (const [path, message] of shortcomings(declaration)) context.addIssue({ code: 'custom', path, message });
  return declaration;
});

export type IdentityProviderDeclaration = z.output<typeof identityProviderDeclaration>;

/** @throws InvalidEntry */
export function parseIdentityProvider(body: unknown): IdentityProviderDeclaration {
  return parseEntry(identityProviderDeclaration, body);
}

/** The schema of an entry as it is written, in the words of OpenAPI 3.0. */
export function identityProviderJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(identityProviderDeclaration, { io: 'input', target: 'openapi-3.0' });
}

function withPreset(entry: WrittenIdentityProvider): WrittenIdentityProvider {
  if (entry.preset === undefined) return entry;
  const preset = PROVIDER_PRESETS[entry.preset];
  // At another issuer, the preset's endpoints are a stranger's: no secret must get there.
  const theirs = (entry.issuer ?? preset.issuer) === preset.issuer;
  const endpoints = { ...(theirs ? preset.endpoints : { emails: preset.endpoints?.emails }), ...entry.endpoints };
  const filled = { ...preset, ...entry };
  return {
    ...filled,
    issuer: filled.issuer?.replace('{domain}', entry.domain ?? '{domain}'),
    endpoints: { ...endpoints, emails: endpoints.emails?.replace('{userinfo}', endpoints.userinfo ?? '') },
    claims: { ...preset.claims, ...entry.claims },
    authorization_parameters: { ...preset.authorization_parameters, ...entry.authorization_parameters },
  };
}

const OIDC_SCOPE = 'openid profile email offline_access';

function withDefaults(entry: WrittenIdentityProvider) {
  const { type = 'oidc', endpoints = {}, client_secret: secret, private_key: key, team_id: team } = entry;
  // An OAuth 2 provider names no issuer, but its subjects have to be kept under one.
  const origin = type === 'oauth2' && endpoints.token ? new URL(endpoints.token).origin : '';
  return {
    ...entry,
    type,
    endpoints,
    issuer: entry.issuer ?? origin,
    token_endpoint_auth_method:
      entry.token_endpoint_auth_method ??
      (team ? 'client_secret_post' : secret ? 'client_secret_basic' : key ? 'private_key_jwt' : 'none'),
    client_assertion_audience: entry.client_assertion_audience ?? 'issuer',
    scope: entry.scope ?? (type === 'oidc' ? OIDC_SCOPE : ''),
    offline_access: entry.offline_access ?? false,
    sign_up: entry.sign_up ?? false,
    trust_verified_email: entry.trust_verified_email ?? false,
    authorization_parameters: entry.authorization_parameters ?? {},
    response_mode: entry.response_mode ?? 'query',
    claims: entry.claims ?? {},
    tenants: entry.tenants ?? [],
    retention: entry.retention ?? {},
  } as const;
}

function shortcomings(entry: ReturnType<typeof withDefaults>): [path: string[], message: string][] {
  const { type, issuer, endpoints, claims, tenants, token_endpoint_auth_method: method } = entry;
  const perTenant = issuer.includes('{tenantid}');
  const signed = entry.team_id !== undefined;
  const found: [fine: boolean, path: string[], message: string][] = [
    [!issuer.includes('{domain}'), ['domain'], 'is required by this preset where issuer is left out'],
    [type === 'oauth2' || issuer !== '', ['issuer'], 'is required'],
    [
      !method.startsWith('client_secret') || entry.client_secret !== undefined || signed,
      ['client_secret'],
      `is required where token_endpoint_auth_method is ${method}, unless team_id, private_key and private_key_id make one`,
    ],
    [
      (method !== 'private_key_jwt' && !signed) || entry.private_key !== undefined,
      ['private_key'],
      'is required where team_id is given or token_endpoint_auth_method is private_key_jwt',
    ],
    [!signed || entry.private_key_id !== undefined, ['private_key_id'], 'is required where team_id is given'],
  ];
  if (type === 'oidc') {
    found.push(
      [!perTenant || tenants.length > 0, ['tenants'], 'is required where the issuer holds {tenantid}'],
      [perTenant || tenants.length === 0, ['tenants'], 'must be left out where the issuer does not hold {tenantid}'],
      [entry.scope.split(' ').includes('openid'), ['scope'], 'must include openid'],
      [claims.sub === undefined, ['claims', 'sub'], 'must be left out where type is oidc'],
    );
  } else {
    const where = entry.preset === undefined ? 'type is oauth2' : "type is oauth2 and the issuer is not the preset's";
    for (const name of ['authorization', 'token', 'userinfo'] as const) {
      found.push([endpoints[name] !== undefined, ['endpoints', name], `is required where ${where}`]);
    }
    found.push(
      [claims.sub !== undefined, ['claims', 'sub'], 'is required where type is oauth2'],
      // Nothing that such a provider says names the tenant.
      [!perTenant, ['issuer'], 'must not hold {tenantid} where type is oauth2'],
      [tenants.length === 0, ['tenants'], 'must be left out where type is oauth2'],
    );
  }
  return found.flatMap(([fine, path, message]) => (fine ? [] : [[path, message]]));
}
