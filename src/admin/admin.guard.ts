import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { Audit } from '../audit/index.js';
import { DomainError } from '../common/domain-error.js';
import { equalInConstantTime } from '../common/random.js';
import { requestContext } from '../common/request-context.js';
import { Secret } from '../common/secret.js';
import { Configuration } from '../config/index.js';
import { Throttling } from '../throttling/index.js';
import { bearerToken } from '../tokens/index.js';

/**
 * Lets administrators in and names them to the audit log. Refusals are counted against the address; once it has had
 * too many they are no longer written down, so that nobody can fill the log. The right credential always passes: it
 * cannot be guessed, and a stranger behind the same address must not keep the operator out.
 */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(Throttling) private readonly throttling: Throttling,
    @Inject(Audit) private readonly audit: Audit,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const presented = presentedCredential(context.switchToHttp().getRequest<Request>());
    const actor = presented && this.#actorOf(presented);
    if (actor === undefined) return this.#refuse(presented);
    const current = requestContext.getStore();
    if (current) current.actor = actor;
    return true;
  }

  /** Under which name a credential acts. Further keys, and access tokens of clients with the scope `admin`, belong here. */
  #actorOf(presented: Secret): string | undefined {
    const { ADMIN_API_KEY: key } = this.configuration.environment;
    return key && equalInConstantTime(presented.reveal(), key.reveal()) ? 'admin-api-key' : undefined;
  }

  async #refuse(presented: Secret | undefined): Promise<never> {
    const { retryAfterSeconds } = await this.throttling.failed('admin');
    const reason = presented ? 'wrong-credential' : 'no-credential';
    if (retryAfterSeconds === undefined) {
      await this.audit.record({ event: 'admin.refused', outcome: 'failure', reason });
    }
    throw new DomainError(presented ? 'credentials.token-invalid' : 'credentials.missing', {
      privateDetail: `admin API: ${retryAfterSeconds === undefined ? reason : 'throttled'}`,
      ...(retryAfterSeconds !== undefined && { meta: { retryAfterSeconds } }),
    });
  }
}

function presentedCredential(request: Request): Secret | undefined {
  const header = request.header('SlashID-API-Key')?.trim();
  return bearerToken(request) ?? (header ? new Secret(header) : undefined);
}
