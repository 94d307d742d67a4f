import { Global, Module } from '@nestjs/common';
import { JobsMetrics } from './jobs-metrics.js';
import { Jobs } from './jobs.js';

@Global()
@Module({ providers: [Jobs, JobsMetrics], exports: [Jobs] })
export class JobsModule {}
