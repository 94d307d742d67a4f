import { requestContext } from '../common/request-context.js';
import type { UnitOfWork } from './unit-of-work.js';

/**
 * Looks into the database again and again for something to do, one look at a time and at nobody's request: what is found
 * need not be what the current caller wrote, so it is neither audited as theirs nor part of their transaction.
 */
export class Poller {
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  /** Somebody asked since the last look began. */
  #asked = false;
  #stopped = false;
  #outage = false;

  /** @param onOutage is told of a database that is away once, not at every look */
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly find: () => Promise<void>,
    private readonly onOutage: (error: unknown) => void,
  ) {}

  start(everyMs: number): void {
    this.#timer = setInterval(() => this.look(), everyMs).unref();
  }

  /** Looks now, or once more after the present look. */
  look(): void {
    this.#asked = true;
    if (this.#stopped || this.#looking) return;
    this.#looking = requestContext
      .exit(() => this.unitOfWork.outside(() => this.#lookWhileAsked()))
      .finally(() => {
        this.#looking = undefined;
      });
  }

  /** Waits for the present look; there is none after it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#asked && !this.#stopped) {
      this.#asked = false;
      try {
        await this.find();
        this.#outage = false;
      } catch (error) {
        if (!this.#outage) this.onOutage(error);
        this.#outage = true;
      }
    }
  }
}
