/**
 * The database room owns the connection, the unit of work, the clock and the migrations. It refuses to know any
 * table's meaning: entities and their repositories live with the feature they belong to.
 */
export { createDataSource, migrate, type ConnectionLimits } from './data-source.js';
export { column, instant, nullable, optionalInstant } from './columns.js';
export { DatabaseModule } from './database.module.js';
export { ExpiredRows } from './expired-rows.js';
export { JointInserts } from './joint-inserts.js';
export type { PoolUsage } from './postgres-sessions.js';
export { isUnavailable } from './unavailable.js';
export { Poller } from './poller.js';
export { isUniqueViolation, UnitOfWork } from './unit-of-work.js';
