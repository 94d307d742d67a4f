import { Global, Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { collectDefaultMetrics } from 'prom-client';
import type { Configuration } from '../config/index.js';
import { DatabasePool } from './database-pool.js';
import { HttpRequests } from './http-requests.js';
import { MetricsController } from './metrics.controller.js';
import { Metrics } from './metrics.js';

@Global()
@Module({})
export class MetricsModule implements OnModuleInit {
  constructor(@Inject(Metrics) private readonly metrics: Metrics) {}

  /** Where they are switched off there is no such route, rather than one that refuses. */
  static with({ environment: { METRICS: exposed } }: Configuration): DynamicModule {
    return {
      module: MetricsModule,
      controllers: exposed === 'on' ? [MetricsController] : [],
      providers: [Metrics, HttpRequests, DatabasePool],
      exports: [Metrics, HttpRequests],
    };
  }

  onModuleInit(): void {
    collectDefaultMetrics({ register: this.metrics.registry });
  }
}
