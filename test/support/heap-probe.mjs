import { writeSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Loaded with NODE_OPTIONS=--import=<this file>: on SIGUSR2 a process collects its garbage and says how much is left. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', () => {
  // Twice: what finalizers let go of is collected by the second.
  collect();
  collect();
  writeSync(2, `heap after collection: ${process.memoryUsage().heapUsed}\n`);
});
