import { AsyncLocalStorage } from 'node:async_hooks';
import type { EntityManager } from 'typeorm';

interface OpenTransaction {
  readonly manager: EntityManager;
  /** False once it has ended: work that outlives its transaction must not write through it. */
  open: boolean;
  /** What is to happen once it is committed. */
  readonly afterCommit: (() => void)[];
}

/** The transaction that the current asynchronous call chain is part of. */
export const currentTransaction = new AsyncLocalStorage<OpenTransaction>();
