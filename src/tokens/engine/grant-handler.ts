import { Injectable } from '@nestjs/common';
import type { Client } from '../../clients/index.js';
import type { DomainError } from '../../common/domain-error.js';

/** A token request after its face decoded it: parameters by their RFC names, each at most once. */
export interface TokenCommand {
  client: Client;
  parameters: ReadonlyMap<string, string>;
}

/** What a proven right is worth: everything the engine needs to issue, and nothing is issued yet. */
export interface Issue {
  kind: 'issue';
  /** The `sub`: a user's id, or the client's own. */
  subject: string;
  userId: string | undefined;
  grantId: string | undefined;
  sessionId: string | undefined;
  authTime: number | undefined;
  scope: readonly string[];
  nonce: string | undefined;
  claims: Readonly<Record<string, unknown>>;
  /**
   * Spends the single-use credential, inside the engine's transaction. An answer is why it cannot be spent: what was
   * written by then (a revocation, say) is committed before the error is thrown.
   */
  claim(): Promise<DomainError | undefined>;
}

/**
 * One grant type. It proves a right and issues nothing; the phases that all grants share are the engine's, so that no
 * grant can forget one.
 */
export interface GrantHandler {
  readonly grantType: string;
  /** The parameters it reads; it is handed no other. */
  readonly parameters: readonly string[];
  /** @throws DomainError `grant.invalid` and its kin */
  authorize(command: TokenCommand): Promise<Issue>;
}

/** The grants that are served; each registers itself. */
@Injectable()
export class GrantHandlers {
  readonly #handlers = new Map<string, GrantHandler>();

  register(handler: GrantHandler): void {
    this.#handlers.set(handler.grantType, handler);
  }

  find(grantType: string): GrantHandler | undefined {
    return this.#handlers.get(grantType);
  }

  get grantTypes(): string[] {
    return [...this.#handlers.keys()];
  }
}
