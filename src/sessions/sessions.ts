import { Inject, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { IsNull, MoreThan, type FindOptionsWhere } from 'typeorm';
import { Clock } from '../common/clock.js';
import { digest, Randomness } from '../common/random.js';
import { Secret } from '../common/secret.js';
import { Configuration } from '../config/index.js';
import { ExpiredRows, UnitOfWork } from '../database/index.js';
import { Cookies } from './cookies.js';
import { SessionEntity } from './session.entity.js';

/** A signed-in browser. */
export interface Session {
  /** The `sid` of tokens. @see OpenID Connect Front-Channel Logout 1.0 section 3 */
  id: string;
  userId: string;
  identityProvider: string | undefined;
  /** The linked account with which the user signed in. */
  linkedAccountId: string | undefined;
  /** When the user actively signed in. @see OpenID Connect Core 1.0 section 2, auth_time */
  authTime: number;
  /** Whether the provider said so in an `auth_time` of its own, or we merely saw the user come back. */
  authTimeProven: boolean;
  createdAt: number;
}

/** A session that was just made, and the cookie that opens it, to be handed over once it is committed. */
export interface StartedSession {
  session: Session;
  cookie: Secret;
}

export type SignIn = Pick<Session, 'userId' | 'authTime' | 'authTimeProven'> & {
  identityProvider?: string;
  linkedAccountId?: string;
};

/**
 * Browser sessions. The cookie is a bearer value of which the database knows the digest; a sign-in always gets a
 * new one, so that a value planted before it is worth nothing (session fixation).
 */
@Injectable()
export class Sessions {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(Cookies) private readonly cookies: Cookies,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    expiredRows.register(SessionEntity);
  }

  async current(request: Request): Promise<Session | undefined> {
    const cookie = this.cookies.read(request, 'session');
    return cookie && this.#findLive({ cookieDigest: digest(cookie.reveal()) });
  }

  /** The session that the `sid` of a token names, unless it has ended or expired. */
  async find(id: string): Promise<Session | undefined> {
    return this.#findLive({ id });
  }

  /**
   * Makes the session of a user who just signed in and ends the one that this browser had. Part of the caller's unit of
   * work, which may run twice or fail, so the cookie is handed over apart.
   */
  async start(request: Request, signIn: SignIn): Promise<StartedSession> {
    const now = this.clock.now();
    const previous = this.cookies.read(request, 'session');
    const cookie = new Secret(this.randomness.token());
    const lifetimeSeconds = this.configuration.environment.SESSION_TTL;
    const row: SessionEntity = {
      id: this.randomness.id(),
      cookieDigest: digest(cookie.reveal()),
      userId: signIn.userId,
      identityProvider: signIn.identityProvider ?? null,
      linkedAccountId: signIn.linkedAccountId ?? null,
      authTime: signIn.authTime,
      authTimeProven: signIn.authTimeProven,
      createdAt: now,
      expiresAt: now + lifetimeSeconds * 1000,
      endedAt: null,
    };
    await this.unitOfWork.run(async () => {
      if (previous) {
        await this.#rows.update({ cookieDigest: digest(previous.reveal()), endedAt: IsNull() }, { endedAt: now });
      }
      await this.#rows.insert(row);
    });
    return { session: toSession(row), cookie };
  }

  hand({ cookie }: StartedSession, response: Response): void {
    this.cookies.write(response, 'session', cookie, this.configuration.environment.SESSION_TTL);
  }

  /** Ends all sessions of a user, wherever they are. */
  async endAllOf(userId: string): Promise<void> {
    await this.#rows.update({ userId, endedAt: IsNull() }, { endedAt: this.clock.now() });
  }

  async #findLive(where: FindOptionsWhere<SessionEntity>): Promise<Session | undefined> {
    const row = await this.#rows.findOneBy({ ...where, endedAt: IsNull(), expiresAt: MoreThan(this.clock.now()) });
    return row ? toSession(row) : undefined;
  }

  get #rows() {
    return this.unitOfWork.repository(SessionEntity);
  }
}

function toSession(row: SessionEntity): Session {
  return {
    id: row.id,
    userId: row.userId,
    identityProvider: row.identityProvider ?? undefined,
    linkedAccountId: row.linkedAccountId ?? undefined,
    authTime: row.authTime,
    authTimeProven: row.authTimeProven,
    createdAt: row.createdAt,
  };
}
