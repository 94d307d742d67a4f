import { Inject, Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { UnitOfWork } from '../database/index.js';
import { Metrics } from '../metrics/index.js';
import { JobEntity } from './job.entity.js';

/** When each job ended last, wherever it ran. */
@Injectable()
export class JobsMetrics {
  constructor(@Inject(Metrics) metrics: Metrics, @Inject(UnitOfWork) unitOfWork: UnitOfWork) {
    const ended = new Gauge({
      name: 'symbolon_job_last_end_timestamp_seconds',
      help: 'When a job ended last, on any replica, by its outcome',
      labelNames: ['job', 'outcome'],
      registers: [metrics.registry],
    });
    metrics.lookUp('jobs', {
      gauges: [ended],
      read: async () =>
        (await unitOfWork.repository(JobEntity).find()).flatMap(({ name, outcome, endedAt }) =>
          endedAt === null || outcome === null
            ? []
            : [{ gauge: ended, labels: { job: name, outcome }, value: endedAt / 1000 }],
        ),
    });
  }
}
