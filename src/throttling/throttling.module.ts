import { Module } from '@nestjs/common';
import { Throttling } from './throttling.js';

@Module({ providers: [Throttling], exports: [Throttling] })
export class ThrottlingModule {}
