/**
 * The health room owns the two probes and the registry of readiness checks. It refuses to know what is checked:
 * whoever has something to check registers it.
 */
export { HealthModule } from './health.module.js';
export { Readiness } from './readiness.js';
