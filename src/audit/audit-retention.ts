import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Configuration } from '../config/index.js';
import { Jobs } from '../jobs/index.js';
import { Audit } from './audit.js';

const EVERY_MS = 3_600_000;
const DAY_MS = 24 * 3_600_000;
/** So many at a time: nobody who audits waits long for it. */
const BATCH = 500;

/** Removes records that are older than the operator wants them to be; all are kept where nothing is said. */
@Injectable()
export class AuditRetention {
  constructor(
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Configuration) configuration: Configuration,
    @Inject(Jobs) jobs: Jobs,
  ) {
    const { AUDIT_RETENTION_DAYS: days } = configuration.environment;
    if (days === undefined) return;
    jobs.register('audit-retention', { everyMs: EVERY_MS, run: (signal) => this.run(days, signal) });
  }

  async run(days: number, signal: AbortSignal): Promise<void> {
    const before = this.clock.now() - days * DAY_MS;
    while (!signal.aborted && (await this.audit.removeBefore(before, BATCH)) === BATCH);
  }
}
