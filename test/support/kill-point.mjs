import { writeSync } from 'node:fs';
import Database from 'libsql';

/**
 * Loaded with NODE_OPTIONS=--import=<this file>: after SIGUSR2 a process kills itself instead of preparing a statement
 * of SQLite that begins with KILL_POINT.
 */
const prepare = Reflect.get(Database.prototype, 'prepare');
let armed = false;

Database.prototype.prepare = function (sql) {
  if (armed && sql.startsWith(process.env.KILL_POINT)) {
    writeSync(2, 'killed at its point\n');
    process.kill(process.pid, 'SIGKILL');
  }
  return prepare.call(this, sql);
};

process.on('SIGUSR2', () => {
  armed = true;
  writeSync(2, 'armed\n');
});
