import { Injectable } from '@nestjs/common';
import type { Client } from '../../clients/index.js';
import type { DomainError } from '../../common/domain-error.js';
import type { TokenResult } from './token-result.js';

/** A token request after its face decoded it: parameters by their RFC names, each at most once. */
export interface TokenCommand {
  client: Client;
  /** What it asks for, within what the client is registered for; undefined where it says nothing. */
  scope: readonly string[] | undefined;
  parameters: ReadonlyMap<string, string>;
}

/** How the attempt to spend a single-use credential ended. What it wrote (a revocation, say) is committed in any case. */
export type Claim =
  | { outcome: 'claimed' }
  | { outcome: 'refused'; error: DomainError }
  /** It was spent a moment ago by the same client, which is told the same again: the answer may have been lost. */
  | { outcome: 'repeated'; answer: TokenResult };

/** What a proven right is worth: everything the engine needs to issue, and nothing is issued yet. */
export interface Issue {
  kind: 'issue';
  /** The `sub`: a user's id, or the client's own. */
  subject: string;
  /** What a client does for a user; nothing where it acts for itself. */
  userId: string | undefined;
  grantId: string | undefined;
  sessionId: string | undefined;
  /** Milliseconds since the epoch. */
  authTime: number | undefined;
  /** Of the access token. */
  scope: readonly string[];
  nonce: string | undefined;
  claims: Readonly<Record<string, unknown>>;
  /** Of refresh tokens, where they are worth something else than the access token. @see RFC 6749 section 6 */
  family?: { scope: readonly string[]; expiresAt: number };
  /** Spends the single-use credential, inside the engine's transaction; absent where there is none. */
  claim?: () => Promise<Claim>;
  /**
   * Tells what was claimed what was issued for it, in the same transaction: the answer, and when the last of it ends
   * in milliseconds since the epoch.
   */
  issued?: (answer: TokenResult, endsAt: number) => Promise<void>;
}

/**
 * One grant type. It proves a right and issues nothing; the phases that all grants share are the engine's, so that no
 * grant can forget one.
 */
export interface GrantHandler {
  readonly grantType: string;
  /** The parameters it reads; it is handed no other, and `scope` is judged before it where it is among them. */
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
