/**
 * Stops token requests at a chosen place until told to go on. A test can then say "the provider is slow" or "the process
 * dies between redeem and write" without a single sleep.
 */
export function createGate() {
  /** @type {{ stage: string, opened: Promise<void>, open: () => void } | undefined} */
  let closed;
  let held = 0;
  /** @type {{ count: number, resolve: () => void }[]} */
  let waiters = [];

  return {
    close(stage) {
      if (closed !== undefined) throw new Error('token requests are being withheld already: release() first');
      const closing = { stage, opened: Promise.resolve(), open: () => {} };
      closing.opened = new Promise((resolve) => {
        closing.open = () => resolve();
      });
      closed = closing;
    },

    open() {
      closed?.open();
      closed = undefined;
    },

    /** Returns at once unless this stage is withheld. */
    async pass(stage) {
      if (closed?.stage !== stage) return;
      const { opened } = closed;
      held += 1;
      const ready = waiters.filter(({ count }) => count <= held);
      waiters = waiters.filter(({ count }) => count > held);
      for (const waiter of ready) waiter.resolve();
      await opened;
      held -= 1;
    },

    async waitFor(count) {
      if (held >= count) return;
      await new Promise((resolve) => {
        waiters.push({ count, resolve: () => resolve(undefined) });
      });
    },

    get held() {
      return held;
    },
  };
}
