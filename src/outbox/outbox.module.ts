import { Module } from '@nestjs/common';
import { OutboxMetrics } from './outbox-metrics.js';
import { OutboxMessages } from './outbox-messages.js';
import { Outbox } from './outbox.js';

@Module({ providers: [Outbox, OutboxMessages, OutboxMetrics], exports: [Outbox] })
export class OutboxModule {}
