/**
 * The metrics room owns the registry of what is measured and its exposition to Prometheus. It refuses to know what is
 * measured: whoever has something registers it. Only what belongs to the whole process is its own.
 */
export { HttpRequests } from './http-requests.js';
export { Metrics, type Sample } from './metrics.js';
export { MetricsModule } from './metrics.module.js';
