/**
 * The jobs room owns which replica does what is to be done by one at a time, and who goes on when that one dies. It
 * refuses to know what the work is: whoever has some registers it.
 */
export { Jobs, type Job, type JobState } from './jobs.js';
export { JobsModule } from './jobs.module.js';
