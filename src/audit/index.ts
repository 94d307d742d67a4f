/**
 * The audit room owns the log of who did what for whom. It refuses to hold anything that could be used: no token,
 * code, secret or text that a stranger sent.
 */
export { Audit, type AuditEntry, type AuditFilter, type AuditRecord } from './audit.js';
export { AuditModule } from './audit.module.js';
