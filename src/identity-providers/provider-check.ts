import { Inject, Injectable } from '@nestjs/common';
import { Configuration } from '../config/index.js';
import type { IdentityProvider } from './identity-provider.js';
import { UpstreamClients } from './upstream-clients.js';

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

  /** Never throws for what the provider does wrong: that is what the report is for. */
  async check(provider: IdentityProvider): Promise<ProviderReport> {
    await this.clients.for(provider).metadata();
    return {
      identityProvider: provider.id,
      status: 'ok',
      redirectUri: this.configuration.url(`/login/${encodeURIComponent(provider.id)}/callback`),
      findings: [],
    };
  }
}
