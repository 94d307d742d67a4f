import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../../audit/index.js';
import { DomainError } from '../../common/domain-error.js';
import { equalInConstantTime } from '../../common/random.js';
import type { Secret } from '../../common/secret.js';
import { ADMIN_SCOPE, Configuration } from '../../config/index.js';
import { Throttling } from '../../throttling/index.js';
import { AccessTokens } from '../access-tokens/access-tokens.js';
import { ApiKeys } from './api-keys.js';

/** Whoever administrates, and what they may do. */
export interface Administrator {
  /** Under which name the audit log knows them. */
  name: string;
  /** With `admin` everything. */
  scope: ReadonlySet<string>;
}

/**
 * Who may administrate, whatever the credential. Refusals are counted against the address; once it has had too many
 * they are no longer written down, so that nobody can fill the log. The right credential always passes: it cannot be
 * guessed, and a stranger behind the same address must not keep the operator out.
 */
@Injectable()
export class Administrators {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(ApiKeys) private readonly apiKeys: ApiKeys,
    @Inject(AccessTokens) private readonly accessTokens: AccessTokens,
    @Inject(Throttling) private readonly throttling: Throttling,
    @Inject(Audit) private readonly audit: Audit,
  ) {}

  /** @throws DomainError `credentials.missing`, `credentials.token-invalid`, `access.forbidden` without the scope */
  async admit(presented: Secret | undefined, scope: string = ADMIN_SCOPE): Promise<Administrator> {
    const administrator = presented && (await this.recognise(presented));
    if (!presented) return this.#refuse('credentials.missing', 'no-credential');
    if (!administrator) return this.#refuse('credentials.token-invalid', 'wrong-credential');
    if (!administrator.scope.has(scope) && !administrator.scope.has(ADMIN_SCOPE)) {
      return this.#refuse('access.forbidden', 'missing-scope');
    }
    return administrator;
  }

  /** Whose credential it is: the static key, a key that was made here, or a client's own access token. */
  async recognise(presented: Secret): Promise<Administrator | undefined> {
    const { ADMIN_API_KEY: key } = this.configuration.environment;
    if (key && equalInConstantTime(presented.reveal(), key.reveal())) {
      return { name: 'admin-api-key', scope: new Set([ADMIN_SCOPE]) };
    }
    if (!this.apiKeys.recognises(presented)) return this.#clientOf(presented);
    const apiKey = await this.apiKeys.use(presented);
    return apiKey && { name: `api-key:${apiKey.name}`, scope: new Set(apiKey.scope) };
  }

  /** Of what a token allows nothing but `admin` counts here, and that only for as long as its client is registered for it. */
  async #clientOf(token: Secret): Promise<Administrator | undefined> {
    try {
      const { client, scope } = await this.accessTokens.authenticateClient(token);
      const allowed = scope.has(ADMIN_SCOPE) && client.scope.includes(ADMIN_SCOPE);
      return { name: `client:${client.clientId}`, scope: new Set(allowed ? [ADMIN_SCOPE] : []) };
    } catch (error) {
      if (error instanceof DomainError && error.code.startsWith('credentials.')) return undefined;
      throw error;
    }
  }

  async #refuse(
    code: 'credentials.missing' | 'credentials.token-invalid' | 'access.forbidden',
    reason: string,
  ): Promise<never> {
    const { retryAfterSeconds } = await this.throttling.failed('admin');
    if (retryAfterSeconds === undefined) {
      await this.audit.record({ event: 'admin.refused', outcome: 'failure', reason });
    }
    throw new DomainError(code, {
      privateDetail: `administration: ${retryAfterSeconds === undefined ? reason : 'throttled'}`,
      ...(retryAfterSeconds !== undefined && { meta: { retryAfterSeconds } }),
    });
  }
}
