import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * A token, code, key or password in memory. It redacts itself wherever something is logged, printed or
 * serialised, so a forgotten `logger.info({ token })` leaks nothing; reading it takes an explicit `reveal()`.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
