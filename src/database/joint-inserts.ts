import { isUnavailable } from './unavailable.js';

/** Far below the parameters that a statement may have, however many columns a row has. */
const MOST_AT_ONCE = 200;

interface Waiting<Row> {
  row: Row;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Rows of many callers in one statement, and so in one commit: those that come in within one turn of the event loop, or
 * while others are written, share what is dearest, a write that reaches the disk. Each caller waits until its own row is
 * committed, and nobody fails for another's row.
 */
export class JointInserts<Row> {
  #waiting: Waiting<Row>[] = [];
  #writing = false;

  constructor(private readonly insert: (rows: Row[]) => Promise<unknown>) {}

  add(row: Row): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ row, resolve, reject });
      if (this.#writing) return;
      this.#writing = true;
      setImmediate(() => void this.#writeAll());
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0, MOST_AT_ONCE));
    this.#writing = false;
  }

  async #write(together: readonly Waiting<Row>[]): Promise<void> {
    try {
      await this.insert(together.map(({ row }) => row));
      for (const { resolve } of together) resolve();
    } catch (error) {
      // Where the database is away no row is to blame, and one that it did keep would be taken for its own double.
      if (together.length === 1 || isUnavailable(error)) for (const { reject } of together) reject(error);
      else await Promise.all(together.map((one) => this.#write([one])));
    }
  }
}
