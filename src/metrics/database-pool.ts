import { Inject, Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { UnitOfWork } from '../database/index.js';
import { Metrics } from './metrics.js';

/** The connections of this process to PostgreSQL; nothing on SQLite, which has no pool. */
@Injectable()
export class DatabasePool {
  constructor(@Inject(Metrics) { registry }: Metrics, @Inject(UnitOfWork) unitOfWork: UnitOfWork) {
    const connections = new Gauge({
      name: 'symbolon_database_pool_connections',
      help: 'Connections to PostgreSQL: total, idle, and callers waiting for one',
      labelNames: ['state'],
      registers: [],
      collect() {
        const usage = unitOfWork.poolUsage();
        if (!usage) return;
        for (const state of ['total', 'idle', 'waiting'] as const) this.set({ state }, usage[state]);
      },
    });
    const maximum = new Gauge({
      name: 'symbolon_database_pool_connections_max',
      help: 'The most connections of this process to PostgreSQL; 0 with SQLite',
      registers: [],
      collect() {
        this.set(unitOfWork.poolUsage()?.maximum ?? 0);
      },
    });
    for (const gauge of [connections, maximum]) registry.registerMetric(gauge);
  }
}
