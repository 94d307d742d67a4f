import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import { requestContext } from '../common/request-context.js';
import { UnitOfWork } from '../database/index.js';
import { AuditEventEntity } from './audit-event.entity.js';

export type AuditedEvent =
  | 'user.signed-in'
  | 'user.created'
  | 'client.authorized'
  | 'token.issued'
  | 'token.reused'
  | 'user.updated'
  | 'user.deleted'
  | 'identity.linked'
  | 'identity.unlinked'
  | 'identity-provider.created'
  | 'identity-provider.updated'
  | 'identity-provider.deleted'
  | 'user-token.created'
  | 'user-token.updated'
  | 'user-token.deleted'
  | 'admin.refused'
  | 'upstream-token.read'
  | 'upstream-token.refreshed'
  | 'upstream-token.revoked';

/** Who did what, through which client, for whom, at which provider, with what outcome; never token material. */
export interface AuditRecord {
  event: AuditedEvent;
  outcome: 'success' | 'failure';
  userId?: string | undefined;
  clientId?: string | undefined;
  identityProvider?: string | undefined;
  /** A word of ours, never text that somebody sent. */
  reason?: string | undefined;
}

/** The audit log. A record written inside a unit of work is committed with what it records, or not at all. */
@Injectable()
export class Audit {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {}

  async record({ event, outcome, userId, clientId, identityProvider, reason }: AuditRecord): Promise<void> {
    const context = requestContext.getStore();
    await this.unitOfWork.repository(AuditEventEntity).insert({
      id: this.randomness.id(),
      at: this.clock.now(),
      event,
      outcome,
      userId: userId ?? null,
      actor: context?.actor ?? null,
      clientId: clientId ?? context?.clientId ?? null,
      identityProvider: identityProvider ?? null,
      reason: reason ?? null,
      requestId: context?.requestId ?? null,
      address: context?.address ?? null,
    });
  }
}
