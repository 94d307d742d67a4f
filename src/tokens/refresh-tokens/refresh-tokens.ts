import { Inject, Injectable } from '@nestjs/common';
import { IsNull, MoreThan } from 'typeorm';
import type { Client } from '../../clients/index.js';
import { Clock } from '../../common/clock.js';
import { digest, Randomness } from '../../common/random.js';
import { Secret } from '../../common/secret.js';
import { Configuration } from '../../config/index.js';
import { ExpiredRows, UnitOfWork } from '../../database/index.js';
import { EncryptedTables, Envelopes } from '../../encryption/index.js';
import type { TokenResult } from '../engine/token-result.js';
import { GrantEntity } from '../grants/grant.entities.js';
import { RefreshTokenEntity } from './refresh-token.entity.js';

const TABLE = 'refresh_tokens';
const ANSWER = 'answer';
/** So that people and scanners of secrets know one when they see it. */
const PREFIX = 'symbolon_rt_';
const TOKEN = new RegExp(`^${PREFIX}[A-Za-z0-9_-]{43}$`);
/** For so long an answer that was lost can be had again. */
const GRACE_MS = 10_000;

export interface RefreshToken {
  grantId: string;
  clientId: string;
  /** What may be asked for with it. */
  scope: readonly string[];
  /** Milliseconds since the epoch, as the next two. */
  createdAt: number;
  /** When it ends unless it is used before. */
  idleExpiresAt: number;
  /** When its family ends. */
  expiresAt: number;
  /** Whether it was exchanged for another one. */
  consumed: boolean;
}

export interface IssuedRefreshToken {
  token: Secret;
  expiresAt: number;
}

/** How the exchange of a refresh token for its successor ended. */
export type Rotation = { outcome: 'rotated' | 'expired' | 'reused' } | { outcome: 'repeated'; answer: TokenResult };

/**
 * Refresh tokens: stored as digests, exchanged once. Those of one grant are a family; those that were exchanged are
 * known for as long as it lives, so that it is seen when one comes back. @see RFC 9700 section 4.14.2
 */
@Injectable()
export class RefreshTokens {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(EncryptedTables) encryptedTables: EncryptedTables,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    encryptedTables.register(RefreshTokenEntity);
    // For a day longer, by default: so long can the last access token live that came of it, and needs the grant.
    expiredRows.register(RefreshTokenEntity);
  }

  /** Whether it looks like one, rather than an access token. */
  recognises(token: Secret): boolean {
    return TOKEN.test(token.reveal());
  }

  /** The first of a family says when it ends; `expiresAt` is what its successors carry over. Part of the caller's unit of work. */
  async issue(
    client: Client,
    { grantId, scope, expiresAt }: { grantId: string; scope: readonly string[]; expiresAt: number | undefined },
  ): Promise<IssuedRefreshToken> {
    const { REFRESH_TOKEN_TTL: ttl, REFRESH_TOKEN_IDLE_TTL: idleTtl } = this.configuration.environment;
    const token = PREFIX + this.randomness.token();
    const now = this.clock.now();
    const end = expiresAt ?? now + (client.refreshTokenLifetime ?? ttl) * 1000;
    await this.#rows.insert({
      digest: digest(token),
      grantId,
      clientId: client.clientId,
      scope: scope.join(' '),
      createdAt: now,
      idleExpiresAt: Math.min(now + idleTtl * 1000, end),
      expiresAt: end,
      consumedAt: null,
      successor: null,
      answer: null,
      dataKey: null,
      encryptionKeyId: null,
    });
    return { token: new Secret(token), expiresAt: end };
  }

  /** In whatever state it is, until its family has ended. */
  async find(token: Secret): Promise<RefreshToken | undefined> {
    if (!this.recognises(token)) return undefined;
    const row = await this.#rows.findOneBy({ digest: digest(token.reveal()), expiresAt: MoreThan(this.clock.now()) });
    return row ? toRefreshToken(row) : undefined;
  }

  /**
   * Exchanges it, for one of any number of callers. With `grace` those that come a moment later, while the successor is
   * unused, are told what that one was: the answer may not have arrived. Part of the caller's unit of work.
   */
  async rotate(token: Secret, { grace }: { grace: boolean }): Promise<Rotation> {
    const now = this.clock.now();
    const key = digest(token.reveal());
    const { affected } = await this.#rows.update(
      { digest: key, consumedAt: IsNull(), idleExpiresAt: MoreThan(now), expiresAt: MoreThan(now) },
      { consumedAt: now },
    );
    // Who lost waited for the winner's transaction to end, and reads what it wrote.
    const row = await this.#rows.findOneBy({ digest: key });
    if (!row || row.consumedAt === null) return { outcome: 'expired' };
    if (affected !== 1) {
      const answer = grace && now - row.consumedAt <= GRACE_MS ? this.#answerOf(row) : undefined;
      return answer ? { outcome: 'repeated', answer } : { outcome: 'reused' };
    }
    // Whoever uses the successor has it, and needs not be told again.
    await this.#rows
      .createQueryBuilder()
      .update()
      .set(NO_ANSWER)
      .where('successor = :key AND answer IS NOT NULL', { key })
      .execute();
    return { outcome: 'rotated' };
  }

  /** Keeps what a token was exchanged for, as ciphertext. Part of the unit of work that rotated it. */
  async keepAnswer(token: Secret, answer: TokenResult): Promise<void> {
    const key = digest(token.reveal());
    const envelope = this.envelopes.create({ table: TABLE, id: key });
    await this.#rows.update(
      { digest: key },
      {
        successor: answer.refreshToken ? digest(answer.refreshToken.reveal()) : null,
        answer: envelope.seal(ANSWER, serialised(answer)),
        ...envelope.wrapped,
      },
    );
  }

  /** For a user who is deleted: what is left of the last answers tells who they were. */
  async forgetUser(userId: string): Promise<void> {
    const grants = this.unitOfWork
      .repository(GrantEntity)
      .createQueryBuilder('granted')
      .select('granted.id')
      .where('granted.userId = :userId')
      .getQuery();
    await this.#rows.createQueryBuilder().delete().where(`grant_id IN (${grants})`, { userId }).execute();
  }

  /** Erases the answers that nobody can be told again. */
  async forgetAnswers(): Promise<void> {
    const before = this.clock.now() - GRACE_MS;
    await this.#rows
      .createQueryBuilder()
      .update()
      .set(NO_ANSWER)
      .where('answer IS NOT NULL AND consumed_at < :before', { before })
      .execute();
  }

  /** Nothing once the successor was used, which erased it. */
  #answerOf({ digest: id, answer, dataKey, encryptionKeyId }: RefreshTokenEntity) {
    if (answer === null || dataKey === null || encryptionKeyId === null) return undefined;
    return parsed(this.envelopes.open({ table: TABLE, id }, { dataKey, encryptionKeyId }).unseal(ANSWER, answer));
  }

  get #rows() {
    return this.unitOfWork.repository(RefreshTokenEntity);
  }
}

const NO_ANSWER = { answer: null, dataKey: null, encryptionKeyId: null };

/** An answer as it is sealed. */
interface SealedAnswer {
  accessToken: string;
  refreshToken?: string;
  idToken?: string;
  expiresInSeconds: number;
  scope: readonly string[];
}

function serialised({ accessToken, refreshToken, idToken, expiresInSeconds, scope }: TokenResult): Secret {
  const sealed: SealedAnswer = {
    accessToken: accessToken.reveal(),
    ...(refreshToken && { refreshToken: refreshToken.reveal() }),
    ...(idToken && { idToken: idToken.reveal() }),
    expiresInSeconds,
    scope,
  };
  return new Secret(JSON.stringify(sealed));
}

function parsed(text: Secret): TokenResult {
  const { accessToken, refreshToken, idToken, ...rest } = JSON.parse(text.reveal()) as SealedAnswer;
  return {
    accessToken: new Secret(accessToken),
    refreshToken: refreshToken === undefined ? undefined : new Secret(refreshToken),
    idToken: idToken === undefined ? undefined : new Secret(idToken),
    ...rest,
  };
}

function toRefreshToken(row: RefreshTokenEntity): RefreshToken {
  return {
    grantId: row.grantId,
    clientId: row.clientId,
    scope: row.scope === '' ? [] : row.scope.split(' '),
    createdAt: row.createdAt,
    idleExpiresAt: row.idleExpiresAt,
    expiresAt: row.expiresAt,
    consumed: row.consumedAt !== null,
  };
}
