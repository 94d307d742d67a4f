import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LessThan, type EntityTarget } from 'typeorm';
import { Clock } from '../common/clock.js';
import { UnitOfWork } from './unit-of-work.js';

const SWEEP_EVERY_MS = 15 * 60_000;
/** Long enough that an answer can still say "expired" rather than "unknown", and for somebody to look. */
const KEPT_MS = 24 * 3600_000;

interface Expiring {
  expiresAt: number;
}

/**
 * Deletes rows that have expired, usually a day ago, of the tables that register: strangers can make rows of unfinished sign-ins
 * and authorization requests, and nothing else would ever remove them. Every replica sweeps; a second one finds nothing.
 */
@Injectable()
export class ExpiredRows implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('ExpiredRows');
  readonly #tables = new Map<EntityTarget<Expiring>, { keptMs: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** `keptMs` is for how long rows stay when they have expired. */
  register(table: EntityTarget<Expiring>, kept = { keptMs: KEPT_MS }): void {
    this.#tables.set(table, kept);
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      this.sweep().catch((error: unknown) => this.#logger.warn({ error }, 'expired rows could not be removed'));
    }, SWEEP_EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  /** Answers how many rows it removed. */
  async sweep(): Promise<number> {
    let removed = 0;
    for (const [table, { keptMs }] of this.#tables) {
      const { affected } = await this.unitOfWork
        .repository(table)
        .delete({ expiresAt: LessThan(this.clock.now() - keptMs) });
      removed += affected ?? 0;
    }
    return removed;
  }
}
