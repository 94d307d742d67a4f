import type { Secret } from '../../common/secret.js';

/** A named token as its maker sees it; the token itself is shown once, when it is made. */
export interface NamedToken {
  id: string;
  userId: string;
  name: string;
  /** Whatever the maker wanted to note. */
  metadata: Readonly<Record<string, unknown>>;
  revoked: boolean;
  /** Milliseconds since the epoch, as is `expiresAt`; without one it does not expire. */
  createdAt: number;
  expiresAt: number | undefined;
}

export interface NewNamedToken {
  name: string;
  metadata: Readonly<Record<string, unknown>>;
  revoked: boolean;
  expiresAt: number | undefined;
}

/** What is left out stays as it is. */
export type NamedTokenChanges = Partial<Pick<NewNamedToken, 'name' | 'metadata' | 'revoked'>>;

export type Creation =
  | { kind: 'created'; id: string; token: Secret }
  | { kind: 'name-occupied' }
  | { kind: 'limit-reached'; limit: number }
  | { kind: 'expiry-required'; maxSeconds: number };
