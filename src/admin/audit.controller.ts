import { Controller, Get, Header, Inject, UseGuards } from '@nestjs/common';
import { Audit } from '../audit/index.js';
import { QueryOf } from '../common/http/checked-request.js';
import { AdministratorGuard } from '../tokens/index.js';
import { toList } from './admin.dto.js';
import { AdminOperation } from './admin.openapi.js';
import { AUDIT_FILTERS, AuditList, AuditQuery, toAuditEntryAnswer, toAuditFilter } from './audit.dto.js';

@Controller('admin/audit')
@UseGuards(AdministratorGuard)
export class AuditController {
  constructor(@Inject(Audit) private readonly audit: Audit) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @AdminOperation({
    summary: 'Read the audit log',
    operationId: 'listAuditEvents',
    description: 'The newest first.',
    query: AUDIT_FILTERS,
    list: true,
    answer: AuditList,
  })
  async list(@QueryOf(AuditQuery) query: AuditQuery): Promise<AuditList> {
    return toList(await this.audit.list(toAuditFilter(query), query), query, toAuditEntryAnswer);
  }
}
