import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsOptional, IsString, Matches } from 'class-validator';
import type { AuditEntry, AuditFilter } from '../audit/index.js';
import { invalidParameter } from '../common/domain-error.js';
import { isoTime, ListMeta, PageQuery } from './admin.dto.js';

/** A day, or an instant with its zone. */
export const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;
export const TIME_MESSAGE =
  '$property must be a time of ISO 8601 with its zone, such as 2026-01-31T12:00:00Z, or a day';

export class AuditQuery extends PageQuery {
  @IsOptional()
  @IsString()
  user_id?: string;

  @IsOptional()
  @IsString()
  event?: string;

  @IsOptional()
  @IsString()
  identity_provider?: string;

  @IsOptional()
  @IsString()
  client_id?: string;

  @IsOptional()
  @Matches(TIME, { message: TIME_MESSAGE })
  from?: string;

  @IsOptional()
  @Matches(TIME, { message: TIME_MESSAGE })
  to?: string;
}

/** An export is not read in parts. */
export class AuditExportQuery extends OmitType(AuditQuery, ['limit', 'offset']) {}

/** What both queries may hold, for their documentation. */
export const AUDIT_FILTERS = {
  user_id: 'The user for whom',
  event: 'What happened',
  identity_provider: 'The provider at which',
  client_id: 'The client through which',
  from: 'Not before this time (ISO 8601)',
  to: 'Not after this time (ISO 8601)',
};

/** @throws DomainError `request.parameter-invalid` */
export function toAuditFilter(query: AuditExportQuery): AuditFilter {
  return {
    event: query.event,
    userId: query.user_id,
    identityProvider: query.identity_provider,
    clientId: query.client_id,
    from: instantOf('from', query.from),
    to: instantOf('to', query.to),
  };
}

/** Who did what, through which client, for whom, at which provider, with what outcome. */
export class AuditEntryAnswer {
  @ApiProperty({ example: '5a2f8a0e-6b8f-4a63-9f5f-0c8d6f1a2b3c' })
  id!: string;

  @ApiProperty({ example: '2026-01-01T00:00:00.000Z' })
  at!: string;

  @ApiProperty({ example: 'upstream-token.read' })
  event!: string;

  /** `success` or `failure`. */
  @ApiProperty({ example: 'success' })
  outcome!: string;

  @ApiPropertyOptional({ example: '5a2f8a0e-6b8f-4a63-9f5f-0c8d6f1a2b3c' })
  user_id?: string;

  /** Who did it, where it was not the user. */
  @ApiPropertyOptional({ example: 'admin-api-key' })
  actor?: string;

  @ApiPropertyOptional({ example: 'gateway' })
  client_id?: string;

  @ApiPropertyOptional({ example: 'mobypay' })
  identity_provider?: string;

  @ApiPropertyOptional({ example: 'invalid_grant' })
  reason?: string;

  @ApiPropertyOptional({ example: 'cbgmhslmp1o9or9kh1p0' })
  request_id?: string;

  /** The network address that asked. */
  @ApiPropertyOptional({ example: '192.0.2.1' })
  address?: string;
}

export class AuditList {
  @ApiProperty({ type: () => [AuditEntryAnswer] })
  data!: AuditEntryAnswer[];

  @ApiProperty()
  meta!: ListMeta;
}

/** @throws DomainError `request.parameter-invalid` where the calendar has no such day */
export function instantOf(parameter: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw invalidParameter(parameter, 'is no day of the calendar');
  return at;
}

export function toAuditEntryAnswer(entry: AuditEntry): AuditEntryAnswer {
  return {
    id: entry.id,
    at: isoTime(entry.at)!,
    event: entry.event,
    outcome: entry.outcome,
    ...(entry.userId !== undefined && { user_id: entry.userId }),
    ...(entry.actor !== undefined && { actor: entry.actor }),
    ...(entry.clientId !== undefined && { client_id: entry.clientId }),
    ...(entry.identityProvider !== undefined && { identity_provider: entry.identityProvider }),
    ...(entry.reason !== undefined && { reason: entry.reason }),
    ...(entry.requestId !== undefined && { request_id: entry.requestId }),
    ...(entry.address !== undefined && { address: entry.address }),
  };
}
