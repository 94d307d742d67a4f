import { Inject, Injectable } from '@nestjs/common';
import { Configuration } from '../config/index.js';
import type { IdentityProvider } from './identity-provider.js';
import type { ProviderMetadata } from './provider-metadata.js';
import type { UpstreamClient } from './upstream-client.js';
import { UpstreamClients } from './upstream-clients.js';
import { UpstreamError } from './upstream-error.js';

export type FindingStatus = 'ok' | 'warning' | 'failed';

/** One thing that was looked at. The detail is for the operator and holds no secret. */
export interface ProviderFinding {
  check: string;
  status: FindingStatus;
  detail: string;
}

/** What "test this provider" found. */
export interface ProviderReport {
  identityProvider: string;
  /** The worst of the findings. */
  status: FindingStatus;
  /** What has to be registered at the provider. */
  redirectUri: string;
  findings: ProviderFinding[];
}

/** Tests whether a provider can be used as it is configured, without signing anybody in. */
@Injectable()
export class ProviderCheck {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(UpstreamClients) private readonly clients: UpstreamClients,
  ) {}

  /** Asks the provider anew, whatever is known about it. Never throws for what it does wrong: the report says so. */
  async check(provider: IdentityProvider): Promise<ProviderReport> {
    const findings = await this.#findings(provider);
    return {
      identityProvider: provider.id,
      status: SEVERITY.findLast((status) => findings.some((finding) => finding.status === status)) ?? 'ok',
      redirectUri: this.configuration.url(`/login/${encodeURIComponent(provider.id)}/callback`),
      findings,
    };
  }

  async #findings(provider: IdentityProvider): Promise<ProviderFinding[]> {
    const client = this.clients.fresh(provider);
    let metadata: ProviderMetadata;
    try {
      metadata = await client.metadata();
    } catch (error) {
      return [failure('metadata', error)];
    }
    return [
      { check: 'metadata', status: 'ok', detail: `The issuer is ${metadata.issuer}.` },
      endpoints(provider, metadata),
      ...(provider.type === 'oidc' ? [await signingKeys(client)] : []),
      await clientAuthentication(provider, metadata, client),
      scopes(provider, metadata),
      refresh(provider, metadata),
      revocation(metadata),
    ];
  }
}

/** From the harmless to the worst. */
const SEVERITY: readonly FindingStatus[] = ['ok', 'warning', 'failed'];

function endpoints({ type }: IdentityProvider, metadata: ProviderMetadata): ProviderFinding {
  const { authorizationEndpoint, tokenEndpoint, userinfoEndpoint } = metadata;
  const known = [authorizationEndpoint, tokenEndpoint, userinfoEndpoint].filter((url) => url !== undefined).join(', ');
  return userinfoEndpoint === undefined && type === 'oidc'
    ? {
        check: 'endpoints',
        status: 'warning',
        detail: `${known}; there is no userinfo endpoint, claims come from id_tokens only.`,
      }
    : { check: 'endpoints', status: 'ok', detail: `${known}.` };
}

async function signingKeys(client: UpstreamClient): Promise<ProviderFinding> {
  try {
    const keys = (await client.signingKeys()).filter(({ use, kty }) => kty !== 'oct' && (use ?? 'sig') === 'sig');
    const kinds = [...new Set(keys.map(({ alg, kty }) => printable(alg ?? kty)))].join(', ');
    return keys.length === 0
      ? { check: 'keys', status: 'failed', detail: 'It publishes no key that id_tokens could be verified with.' }
      : { check: 'keys', status: 'ok', detail: `${keys.length} for signatures (${kinds}).` };
  } catch (error) {
    return failure('keys', error);
  }
}

async function clientAuthentication(
  { tokenEndpointAuthMethod: method }: IdentityProvider,
  { tokenEndpointAuthMethods: supported }: ProviderMetadata,
  client: UpstreamClient,
): Promise<ProviderFinding> {
  const check = 'client-authentication';
  try {
    await client.checkAuthentication();
  } catch (error) {
    return failure(check, error);
  }
  return supported && method !== 'none' && !supported.includes(method)
    ? { check, status: 'warning', detail: `It says that it accepts ${list(supported)}, not ${method}.` }
    : { check, status: 'ok', detail: `By ${method}; whether the provider accepts it is seen at the first sign-in.` };
}

function scopes({ scope }: IdentityProvider, { scopes: supported }: ProviderMetadata): ProviderFinding {
  const unknown = scope.split(' ').filter((name) => name !== '' && supported?.includes(name) === false);
  return unknown.length > 0
    ? { check: 'scopes', status: 'warning', detail: `It does not list ${list(unknown)} among the scopes it supports.` }
    : { check: 'scopes', status: 'ok', detail: scope === '' ? 'None is asked for.' : `${list(scope.split(' '))}.` };
}

function refresh(provider: IdentityProvider, { scopes: supported }: ProviderMetadata): ProviderFinding {
  const check = 'refresh';
  const { scope, authorizationParameters, accessTokenLifetime, offlineAccess, preset } = provider;
  if (!offlineAccess) {
    return { check, status: 'warning', detail: 'offline_access is off: its tokens are not refreshed.' };
  }
  if (accessTokenLifetime === 'none') return { check, status: 'ok', detail: 'Its tokens do not expire.' };
  const asked = scope.split(' ').includes('offline_access') || authorizationParameters['access_type'] === 'offline';
  if (asked) return { check, status: 'ok', detail: 'Refresh tokens are asked for.' };
  return preset !== undefined && supported?.includes('offline_access') === false
    ? { check, status: 'ok', detail: 'Refresh tokens come without being asked for.' }
    : {
        check,
        status: 'warning',
        detail: 'Neither scope offline_access nor access_type=offline asks for refresh tokens: they may not come.',
      };
}

function revocation({ revocationEndpoint: endpoint }: ProviderMetadata): ProviderFinding {
  return endpoint === undefined
    ? {
        check: 'revocation',
        status: 'warning',
        detail: 'There is no way to revoke tokens there when an account is unlinked.',
      }
    : { check: 'revocation', status: 'ok', detail: `${endpoint}.` };
}

function failure(check: string, error: unknown): ProviderFinding {
  if (!(error instanceof UpstreamError)) throw error;
  return { check, status: 'failed', detail: error.message };
}

/** Names that the provider chose: few of them, and nothing that is no name. */
function list(names: readonly string[]): string {
  return names.slice(0, 20).map(printable).join(', ');
}

function printable(name: unknown): string {
  return typeof name === 'string' && /^[\x21-\x7E]{1,100}$/.test(name) ? name : '(unreadable)';
}
