import { Global, Inject, Logger, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Clock } from '../common/clock.js';
import { migrate } from './data-source.js';
import { DatabaseClock } from './database-clock.js';
import { ExpiredRows } from './expired-rows.js';
import { UnitOfWork } from './unit-of-work.js';

interface Options {
  dataSource: () => DataSource;
  migrate: boolean;
}

@Global()
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(Clock) private readonly clock: Clock) {}

  static with({ dataSource, migrate: runMigrations }: Options): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ retryAttempts: 0 }),
          dataSourceFactory: async () => {
            const opened = await dataSource().initialize();
            if (runMigrations) await migrate(opened);
            return opened;
          },
        }),
      ],
      providers: [
        ExpiredRows,
        {
          provide: Clock,
          inject: [getDataSourceToken()],
          useFactory: async (opened: DataSource): Promise<Clock> => {
            const clock = new DatabaseClock();
            const logger = new Logger('DatabaseClock');
            await clock.start(opened, (error) => logger.warn({ error }, 'the database clock could not be read'));
            return clock;
          },
        },
        {
          provide: UnitOfWork,
          inject: [getDataSourceToken()],
          useFactory: (opened: DataSource) => new UnitOfWork(opened),
        },
      ],
      exports: [Clock, ExpiredRows, UnitOfWork],
    };
  }

  onApplicationShutdown(): void {
    if (this.clock instanceof DatabaseClock) this.clock.stop();
  }
}
