import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

type Check = () => Promise<void>;

/** Below the time-out of common gateways, so that they hear it from us. */
const CHECK_TIMEOUT_MS = 3_000;

/** Whether this replica should get traffic: every registered check passes and it is not going away. */
@Injectable()
export class Readiness {
  readonly #checks = new Map<string, Check>();
  readonly #draining = new AbortController();

  /** A check rejects when what it looks at is not usable. */
  register(name: string, check: Check): void {
    this.#checks.set(name, check);
  }

  drain(): void {
    this.#draining.abort();
  }

  /** Aborted once this replica goes away: long work in a request ends then as soon as it can. */
  get draining(): AbortSignal {
    return this.#draining.signal;
  }

  async report(): Promise<{ ready: boolean; checks: Record<string, 'ok' | 'failed' | 'draining'> }> {
    const results = await Promise.all(
      [...this.#checks].map(async ([name, check]) => {
        return [name, (await passes(check)) ? 'ok' : 'failed'] as const;
      }),
    );
    return {
      ready: !this.draining.aborted && results.every(([, result]) => result === 'ok'),
      checks: { ...Object.fromEntries(results), ...(this.draining.aborted && { process: 'draining' as const }) },
    };
  }
}

/** What does not answer in time is not usable either. */
async function passes(check: Check): Promise<boolean> {
  const answered = new AbortController();
  try {
    return await Promise.race([check().then(() => true), delay(CHECK_TIMEOUT_MS, false, { signal: answered.signal })]);
  } catch {
    return false;
  } finally {
    answered.abort();
  }
}
