import { Global, Inject, Module } from '@nestjs/common';
import { UnitOfWork } from '../database/index.js';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';

@Global()
@Module({ controllers: [HealthController], providers: [Readiness], exports: [Readiness] })
export class HealthModule {
  constructor(@Inject(Readiness) readiness: Readiness, @Inject(UnitOfWork) unitOfWork: UnitOfWork) {
    readiness.register('database', async () => {
      await unitOfWork.manager.query('SELECT 1');
    });
  }
}
