import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../../audit/index.js';
import { DomainError } from '../../common/domain-error.js';
import { equalInConstantTime } from '../../common/random.js';
import type { Secret } from '../../common/secret.js';
import { ADMIN_SCOPE, Configuration } from '../../config/index.js';
import { Throttling } from '../../throttling/index.js';
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

  /** Whose credential it is: the static key, or a key that was made here. Nobody's, where it is none. */
  async recognise(presented: Secret): Promise<Administrator | undefined> {
    const { ADMIN_API_KEY: key } = this.configuration.environment;
    if (key && equalInConstantTime(presented.reveal(), key.reveal())) {
      return { name: 'admin-api-key', scope: new Set([ADMIN_SCOPE]) };
    }
    const apiKey = await this.apiKeys.use(presented);
    return apiKey && { name: `api-key:${apiKey.name}`, scope: new Set(apiKey.scope) };
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
