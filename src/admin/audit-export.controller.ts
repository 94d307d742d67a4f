import { Controller, Get, Inject, Res, UseGuards } from '@nestjs/common';
import type { Response } from 'express';
import { Audit, type AuditFilter } from '../audit/index.js';
import { Clock } from '../common/clock.js';
import { QueryOf } from '../common/http/checked-request.js';
import { AdministratorGuard } from '../tokens/index.js';
import { AdminOperation } from './admin.openapi.js';
import { AUDIT_FILTERS, AuditEntryAnswer, AuditExportQuery, toAuditEntryAnswer, toAuditFilter } from './audit.dto.js';
import { answerLines, NDJSON, toLine } from './ndjson.js';

@Controller('admin/audit/export')
@UseGuards(AdministratorGuard)
export class AuditExportController {
  constructor(
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  @Get()
  @AdminOperation({
    summary: 'Export the audit log',
    operationId: 'exportAuditEvents',
    description:
      'The oldest first, one entry a line, up to the instant at which it was asked for. An export that cannot be finished is cut off: one that ends regularly is complete.',
    query: AUDIT_FILTERS,
    answer: AuditEntryAnswer,
    answerType: NDJSON,
  })
  async export(@QueryOf(AuditExportQuery) query: AuditExportQuery, @Res() response: Response): Promise<void> {
    const filter = toAuditFilter(query);
    const until = this.clock.now();
    await this.audit.record({ event: 'audit.exported', outcome: 'success' });
    await answerLines(response, this.#lines(filter, until));
  }

  async *#lines(filter: AuditFilter, until: number): AsyncGenerator<string> {
    for await (const entries of this.audit.export(filter, until)) {
      yield entries.map((entry) => toLine(toAuditEntryAnswer(entry))).join('');
    }
  }
}
