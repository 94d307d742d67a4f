import type { Request } from 'express';
import type { Client } from '../../clients/index.js';
import type { User } from '../../users/index.js';

/** Who is asking, as every face sees it: a user by themselves, or through a client within a scope. */
export interface Caller {
  user: User;
  /** Absent when the user's own credentials were presented. */
  client?: Client;
  scope: ReadonlySet<string>;
  /** What the user allowed the client, where there is one. */
  grantId?: string;
  sessionId?: string;
  /** When what was presented expires, in milliseconds since the epoch; never, where nothing is said. */
  expiresAt?: number;
}

export interface AuthenticatedRequest extends Request {
  caller: Caller;
}
