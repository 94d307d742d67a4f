/**
 * The throttling room owns how often somebody may fail to prove who they are. It refuses to know what is proven, and
 * how a refusal is worded.
 */
export { Throttling, type Attempt } from './throttling.js';
export { ThrottlingModule } from './throttling.module.js';
