/**
 * The metrics room owns the registry of what is measured and its exposition to Prometheus. It refuses to know what is
 * measured: whoever has something registers it.
 */
export { Metrics } from './metrics.js';
export { MetricsModule } from './metrics.module.js';
