import { Global, Module } from '@nestjs/common';
import { AuditRetention } from './audit-retention.js';
import { Audit } from './audit.js';

@Global()
@Module({ providers: [Audit, AuditRetention], exports: [Audit] })
export class AuditModule {}
