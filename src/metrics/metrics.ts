import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** What is measured in this process. Labels hold names of ours only: nothing that a stranger sent, and no secret. */
@Injectable()
export class Metrics {
  /** Rooms make their counters, histograms and gauges with `registers: [metrics.registry]`. */
  readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }
}
