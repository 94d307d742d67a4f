/** The right to one connection; whoever has it need not wait for others any more. */
export interface ConnectionSlot {
  release: () => void;
}

interface Origin {
  taken: number;
  waiting: (() => void)[];
}

/**
 * So many connections to one origin and no more, first come, first served. A caller thus knows whether what it has to
 * say was kept waiting or was sent, which a queue inside the HTTP client would not tell.
 */
export class ConnectionSlots {
  readonly #origins = new Map<string, Origin>();

  constructor(private readonly perOrigin: number) {}

  /** How many callers wait for a connection. */
  get waiting(): number {
    let waiting = 0;
    for (const origin of this.#origins.values()) waiting += origin.waiting.length;
    return waiting;
  }

  /** @returns nothing if none became free before `signal` was aborted */
  async take(origin: string, signal: AbortSignal): Promise<ConnectionSlot | undefined> {
    const state = this.#origins.get(origin) ?? { taken: 0, waiting: [] };
    this.#origins.set(origin, state);
    if (state.taken < this.perOrigin) {
      state.taken += 1;
      return this.#slot(origin, state);
    }
    return (await passedOn(state, signal)) ? this.#slot(origin, state) : undefined;
  }

  #slot(origin: string, state: Origin): ConnectionSlot {
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      const next = state.waiting.shift();
      if (next) {
        next();
        return;
      }
      state.taken -= 1;
      if (state.taken === 0) this.#origins.delete(origin);
    };
    return { release };
  }
}

/** Waits until somebody passes a slot on; false when that took too long. */
function passedOn({ waiting }: Origin, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const giveUp = (): void => {
      waiting.splice(waiting.indexOf(next), 1);
      resolve(false);
    };
    const next = (): void => {
      signal.removeEventListener('abort', giveUp);
      resolve(true);
    };
    if (signal.aborted) {
      resolve(false);
      return;
    }
    waiting.push(next);
    signal.addEventListener('abort', giveUp, { once: true });
  });
}
