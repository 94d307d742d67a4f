import type { EndpointName, IdentityProvider } from './identity-provider.js';
import { text } from './said-values.js';
import { UpstreamError } from './upstream-error.js';
import type { UpstreamRequests } from './upstream-requests.js';

/** What we use of a provider's metadata. @see OpenID Connect Discovery 1.0 section 3 */
export interface ProviderMetadata {
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  /** An `oauth2` provider has none. */
  jwksUri: string | undefined;
  userinfoEndpoint: string | undefined;
  emailsEndpoint: string | undefined;
  /** With `{client_id}` in it where the provider revokes in its own way. */
  revocationEndpoint: string | undefined;
  issParameterSupported: boolean;
  /** `undefined`: it does not say. */
  tokenEndpointAuthMethods: readonly string[] | undefined;
  scopes: readonly string[] | undefined;
}

/** The tenant of personal accounts at Microsoft, which `organizations` leaves out. */
const PERSONAL_ACCOUNTS = '9188040d-6c67-4b5b-b112-36a304b66dad';

const DISCOVERED: Record<Exclude<EndpointName, 'emails' | 'revocation'>, string> = {
  authorization: 'authorization_endpoint',
  token: 'token_endpoint',
  jwks: 'jwks_uri',
  userinfo: 'userinfo_endpoint',
};

/**
 * The provider's metadata: what the operator wrote, and what it publishes itself for the rest.
 *
 * @throws UpstreamError `unavailable`; `misconfigured` when it names another issuer (a mix-up attack, or a typing
 *   mistake) or lacks an endpoint that may be used.
 * @see OpenID Connect Discovery 1.0 section 4.3
 */
export async function loadMetadata(provider: IdentityProvider, requests: UpstreamRequests): Promise<ProviderMetadata> {
  const { type, endpoints } = provider;
  const written = type === 'oauth2' || (endpoints.authorization && endpoints.token && endpoints.jwks);
  const document = written ? {} : await discover(provider, requests);
  const optional = (name: keyof typeof DISCOVERED): string | undefined => {
    const url = endpoints[name] ?? text(document[DISCOVERED[name]]);
    return url === undefined ? undefined : requests.permitted(url, DISCOVERED[name]);
  };
  const required = (name: keyof typeof DISCOVERED): string => {
    const url = optional(name);
    if (url === undefined) throw new UpstreamError('misconfigured', `metadata: no ${DISCOVERED[name]}`);
    return url;
  };
  return {
    issuer: provider.issuer,
    authorizationEndpoint: required('authorization'),
    tokenEndpoint: required('token'),
    jwksUri: type === 'oidc' ? required('jwks') : undefined,
    userinfoEndpoint: type === 'oidc' ? optional('userinfo') : required('userinfo'),
    emailsEndpoint: endpoints.emails === undefined ? undefined : requests.permitted(endpoints.emails, 'emails'),
    // Checked when it is used: an odd one must not stand in the way of a sign-in.
    revocationEndpoint: endpoints.revocation ?? text(document['revocation_endpoint']),
    issParameterSupported: document['authorization_response_iss_parameter_supported'] === true,
    tokenEndpointAuthMethods: names(document['token_endpoint_auth_methods_supported']),
    scopes: names(document['scopes_supported']),
  };
}

async function discover(provider: IdentityProvider, requests: UpstreamRequests): Promise<Record<string, unknown>> {
  const base = provider.issuer.replace('{tenantid}', anyTenant(provider)).replace(/\/$/, '');
  const document = await requests.document('metadata', `${base}/.well-known/openid-configuration`);
  if (document['issuer'] !== provider.issuer) throw new UpstreamError('misconfigured', 'metadata: issuer differs');
  return document;
}

/** Whose metadata speaks for all tenants. Which of them are admitted is checked when an id_token comes. */
function anyTenant({ tenants }: IdentityProvider): string {
  return tenants.includes(PERSONAL_ACCOUNTS) ? 'common' : 'organizations';
}

function names(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : undefined;
}
