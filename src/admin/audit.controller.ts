import { Controller, Get, Header, Inject, UseGuards } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { toList } from './admin.dto.js';
import { AdminGuard } from './admin.guard.js';
import { AdminOperation } from './admin.openapi.js';
import { AuditList, AuditQuery, instantOf, toAuditEntryAnswer } from './audit.dto.js';
import { QueryOf } from './checked-request.js';

@Controller('admin/audit')
@UseGuards(AdminGuard)
export class AuditController {
  constructor(@Inject(Audit) private readonly audit: Audit) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @AdminOperation({
    summary: 'Read the audit log',
    operationId: 'listAuditEvents',
    description: 'The newest first.',
    query: {
      user_id: 'The user for whom',
      event: 'What happened',
      identity_provider: 'The provider at which',
      client_id: 'The client through which',
      from: 'Not before this time (ISO 8601)',
      to: 'Not after this time (ISO 8601)',
    },
    list: true,
    answer: AuditList,
  })
  async list(@QueryOf(AuditQuery) query: AuditQuery): Promise<AuditList> {
    const entries = await this.audit.list(
      {
        event: query.event,
        userId: query.user_id,
        identityProvider: query.identity_provider,
        clientId: query.client_id,
        from: instantOf('from', query.from),
        to: instantOf('to', query.to),
      },
      query,
    );
    return toList(entries, query, toAuditEntryAnswer);
  }
}
