import { Inject, Injectable, Logger } from '@nestjs/common';
import { LessThan, LessThanOrEqual, MoreThanOrEqual } from 'typeorm';
import { backoffMs, beyondPauses, remainingPauseMs } from '../common/backoff.js';
import { Clock } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import { Configuration } from '../config/index.js';
import { UnitOfWork } from '../database/index.js';
import { UpstreamCircuitEntity } from './upstream-circuit.entity.js';

/** So many failures in a row, over all accounts, are the provider's and not an account's. */
const THRESHOLD = 5;
const PAUSE = { firstMs: 5_000, maxMs: 5 * 60_000, factor: 2 };
/** A writer that meets others looks again this often; what it had to say is then said by them. */
const ATTEMPTS = 5;

export type Admission =
  /** `probe`: nobody else asks until it is known what came of this call. */
  { kind: 'admitted'; probe: boolean } | { kind: 'paused'; remainingMs: number };

/**
 * The circuit breaker of each provider, one for all replicas: after several failures in a row, or once it asks to be
 * left alone, nobody calls it for a while; then one caller finds out whether it is back.
 */
@Injectable()
export class UpstreamCircuits {
  readonly #logger = new Logger('UpstreamCircuits');

  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Configuration) private readonly configuration: Configuration,
  ) {}

  /** How long nobody may call the provider yet; 0 where somebody may. */
  async pausedMs(identityProvider: string): Promise<number> {
    const row = await this.#rows.findOneBy({ identityProvider });
    return row ? remainingMs(row, this.clock.now()) : 0;
  }

  /** Asks for a call, immediately before it is made. */
  async admit(identityProvider: string): Promise<Admission> {
    for (;;) {
      const row = await this.#rows.findOneBy({ identityProvider });
      if (!row || !isOpen(row)) return { kind: 'admitted', probe: false };
      const now = this.clock.now();
      const pausedMs = remainingMs(row, now);
      if (pausedMs > 0) return { kind: 'paused', remainingMs: pausedMs };
      // Should the one who asks now die, somebody else may when its lease would have ended.
      const { affected } = await this.#rows.update(
        { identityProvider, retryAt: row.retryAt },
        { retryAt: now + this.configuration.environment.UPSTREAM_LEASE_MS, updatedAt: now },
      );
      if (affected === 1) return { kind: 'admitted', probe: true };
    }
  }

  /** Counts a call that the provider did not answer, or answered by asking to be left alone for so long. */
  async failed(identityProvider: string, { probe, retryAfterMs }: { probe: boolean; retryAfterMs: number }) {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const now = this.clock.now();
      const row = await this.#rows.findOneBy({ identityProvider });
      // It was sent before the provider was paused: one outage is not many.
      const late = row !== null && remainingMs(row, now) > 0 && !probe;
      const failures = (row?.failures ?? 0) + (late ? 0 : 1);
      const next = retryAfterMs > 0 ? Math.max(failures, THRESHOLD) : failures;
      const pauseMs = Math.max(retryAfterMs, late || next < THRESHOLD ? 0 : this.#pauseMs(next));
      const change = { failures: next, retryAt: Math.max(late ? row.retryAt : 0, now + pauseMs), updatedAt: now };
      const written = row
        ? (await this.#rows.update({ identityProvider, failures: row.failures, retryAt: row.retryAt }, change))
            .affected === 1
        : await this.unitOfWork.insertOnce(UpstreamCircuitEntity, { identityProvider, ...change });
      if (!written) continue;
      if (isOpen(change) && !late) {
        this.#logger.warn({ identityProvider, failures: next, pauseMs }, 'the provider is left alone for a while');
      }
      return;
    }
  }

  /**
   * The provider answered a call, or gave tokens for a sign-in. Unless that was the probe, it may have been asked before
   * it was paused, and it stays so for as long as it wished.
   */
  async answered(identityProvider: string, { probe }: { probe: boolean }): Promise<void> {
    const now = this.clock.now();
    await this.#rows.delete(
      probe
        ? { identityProvider }
        : [
            { identityProvider, failures: LessThan(THRESHOLD) },
            { identityProvider, retryAt: LessThanOrEqual(now) },
            { identityProvider, retryAt: MoreThanOrEqual(beyondPauses(now)) },
          ],
    );
  }

  #pauseMs(failures: number): number {
    return backoffMs(failures - THRESHOLD + 1, PAUSE, this.randomness);
  }

  get #rows() {
    return this.unitOfWork.repository(UpstreamCircuitEntity);
  }
}

function remainingMs(row: Pick<UpstreamCircuitEntity, 'failures' | 'retryAt' | 'updatedAt'>, nowMs: number): number {
  return isOpen(row) ? remainingPauseMs(row.retryAt, nowMs, row.updatedAt) : 0;
}

function isOpen({ failures }: Pick<UpstreamCircuitEntity, 'failures'>): boolean {
  return failures >= THRESHOLD;
}
