import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock, CLOCK_TOLERANCE_MS } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import { Poller, UnitOfWork } from '../database/index.js';
import { JobEntity } from './job.entity.js';

/** How often a process looks whether there is something to do. */
const POLL_MS = 1_000;
/** When a replica dies, another one takes its job over after this. */
const LEASE_MS = 30_000;
const RENEW_MS = LEASE_MS / 3;

/** Work that exactly one replica is to do at a time. */
export interface Job {
  /** From the end of one run to the beginning of the next; nothing where it runs only when it is asked for. */
  everyMs?: number;
  /**
   * Does what there is to do. It may be begun again at any time, by another replica while this one only seems dead:
   * whatever must happen once needs a guard of its own. Once `signal` is aborted it ends as soon as it can.
   */
  run(signal: AbortSignal): Promise<void>;
}

export interface JobState {
  /** Also while whoever did it has died and nobody has taken it over yet. */
  running: boolean;
  /** Epoch ms, as the others. */
  startedAt: number | undefined;
  endedAt: number | undefined;
  /** `done`, `failed`, or `stopped`: another replica goes on. */
  outcome: string | undefined;
  nextRunAt: number | undefined;
}

/** A lease in the database says who does a job; when its holder dies, another replica takes over. */
@Injectable()
export class Jobs implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('Jobs');
  readonly #jobs = new Map<string, Job>();
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #poller: Poller;

  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {
    this.#poller = new Poller(
      unitOfWork,
      () => this.#beginDue(),
      (error) => this.#logger.warn({ error }, 'the jobs cannot be read for now'),
    );
  }

  register(name: string, job: Job): void {
    this.#jobs.set(name, job);
  }

  async onApplicationBootstrap(): Promise<void> {
    for (const [name, { everyMs }] of this.#jobs) {
      await this.unitOfWork.insertOnce(JobEntity, {
        name,
        nextRunAt: everyMs === undefined ? null : this.clock.now(),
        leaseOwner: null,
        leaseExpiresAt: null,
        startedAt: null,
        endedAt: null,
        outcome: null,
      });
    }
    this.#poller.start(POLL_MS);
  }

  /** Has it run soon; once more after the present run, where it is under way. */
  async request(name: string): Promise<void> {
    await this.#rows.update({ name }, { nextRunAt: this.clock.now() });
    this.unitOfWork.afterCommit(() => this.#poller.look());
  }

  async state(name: string): Promise<JobState> {
    const row = await this.#rows.findOneByOrFail({ name });
    return {
      running: row.leaseOwner !== null,
      startedAt: row.startedAt ?? undefined,
      endedAt: row.endedAt ?? undefined,
      outcome: row.outcome ?? undefined,
      nextRunAt: row.nextRunAt ?? undefined,
    };
  }

  /** What is under way stops where it can; another replica goes on with it. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    await this.#poller.stop();
    await Promise.allSettled(this.#underWay.values());
  }

  async #beginDue(): Promise<void> {
    const now = this.clock.now();
    for (const row of await this.#rows.find()) {
      const job = this.#jobs.get(row.name);
      if (!job || this.#underWay.has(row.name) || !isDue(row, job, now)) continue;
      const owner = this.randomness.id();
      if (!(await this.#take(row, owner))) continue;
      const running = this.#run(row.name, job, owner)
        .catch((error: unknown) => this.#logger.warn({ error, job: row.name }, 'the end of a job was not written down'))
        .finally(() => this.#underWay.delete(row.name));
      this.#underWay.set(row.name, running);
    }
  }

  async #take({ name, nextRunAt, leaseOwner, leaseExpiresAt }: JobEntity, owner: string): Promise<boolean> {
    const now = this.clock.now();
    const { affected } = await this.#rows
      .createQueryBuilder()
      .update()
      .set({ leaseOwner: owner, leaseExpiresAt: now + LEASE_MS, startedAt: now, nextRunAt: null })
      .where('name = :name', { name })
      .andWhere(
        leaseOwner === null
          ? 'lease_owner IS NULL AND next_run_at = :nextRunAt'
          : 'lease_owner = :leaseOwner AND lease_expires_at = :leaseExpiresAt',
        { nextRunAt, leaseOwner, leaseExpiresAt },
      )
      .execute();
    return affected === 1;
  }

  async #run(name: string, job: Job, owner: string): Promise<void> {
    const lost = new AbortController();
    const stopRenewing = this.#renew(name, owner, lost);
    let outcome = 'done';
    try {
      await job.run(AbortSignal.any([lost.signal, this.#stopping.signal]));
    } catch (error) {
      outcome = 'failed';
      this.#logger.error({ error, job: name }, 'a job failed');
    } finally {
      stopRenewing();
    }
    if (this.#stopping.signal.aborted) outcome = 'stopped';
    await this.#end(name, job, owner, outcome);
  }

  async #end(name: string, { everyMs }: Job, owner: string, outcome: string): Promise<void> {
    const now = this.clock.now();
    const next = outcome === 'stopped' ? now : everyMs === undefined ? null : now + everyMs;
    await this.#rows
      .createQueryBuilder()
      .update()
      .set({
        leaseOwner: null,
        leaseExpiresAt: null,
        endedAt: now,
        outcome,
        ...(next !== null && { nextRunAt: () => 'coalesce(next_run_at, :next)' }),
      })
      .where('name = :name AND lease_owner = :owner', { name, owner })
      .setParameters({ next })
      .execute();
  }

  /** Who cannot say for so long that it goes on has lost the job to somebody else. */
  #renew(name: string, owner: string, lost: AbortController): () => void {
    let heldUntil = this.clock.now() + LEASE_MS;
    const renew = async (): Promise<void> => {
      const leaseExpiresAt = this.clock.now() + LEASE_MS;
      try {
        const { affected } = await this.#rows.update({ name, leaseOwner: owner }, { leaseExpiresAt });
        if (affected === 1) heldUntil = leaseExpiresAt;
        else lost.abort();
      } catch {
        // The next one may succeed, or come too late.
      }
    };
    const timer = setInterval(() => {
      // A database that hangs answers nothing, not even that it failed.
      if (this.clock.now() >= heldUntil) lost.abort();
      else void renew();
    }, RENEW_MS).unref();
    return () => clearInterval(timer);
  }

  get #rows() {
    return this.unitOfWork.repository(JobEntity);
  }
}

/** What is due later than it could ever be was written before the clock was turned back. */
function isDue({ leaseOwner, leaseExpiresAt, nextRunAt }: JobEntity, { everyMs = 0 }: Job, now: number): boolean {
  const [at, longestMs] = leaseOwner === null ? [nextRunAt, everyMs] : [leaseExpiresAt, LEASE_MS];
  return at !== null && (at <= now || at > now + longestMs + CLOCK_TOLERANCE_MS);
}
