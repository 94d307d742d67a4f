import { Inject, Injectable } from '@nestjs/common';
import { In, IsNull, LessThan, MoreThan, type EntityTarget } from 'typeorm';
import { Clock } from '../../common/clock.js';
import { UnitOfWork } from '../../database/index.js';
import { Jobs } from '../../jobs/index.js';
import { RefreshTokenEntity } from '../refresh-tokens/refresh-token.entity.js';
import { RefreshTokens } from '../refresh-tokens/refresh-tokens.js';
import { UserTokenEntity } from '../user-tokens/user-token.entity.js';
import { AuthorizationCodeEntity, GrantEntity } from './grant.entities.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** So many at a time: nobody who needs one waits long for it. */
const BATCH = 200;

/** What is issued for a grant and kept. Codes and refresh tokens are kept a day longer than they can be used. */
const REFERRING: readonly EntityTarget<{ grantId: string | null }>[] = [
  AuthorizationCodeEntity,
  RefreshTokenEntity,
  UserTokenEntity,
];

/**
 * Forgets grants of which nothing is left. Their access tokens are not looked for: none lives longer than a day, and
 * none is issued but for a code or a refresh token. Answers that nobody can be told
 * again are erased more often.
 */
@Injectable()
export class EndedGrants {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(RefreshTokens) refreshTokens: RefreshTokens,
    @Inject(Jobs) jobs: Jobs,
  ) {
    jobs.register('ended-grants', { everyMs: DAY_MS, run: (signal) => this.run(signal) });
    jobs.register('refresh-token-answers', { everyMs: HOUR_MS, run: () => refreshTokens.forgetAnswers() });
  }

  async run(signal: AbortSignal): Promise<void> {
    let after: string | undefined = '';
    while (after !== undefined && !signal.aborted) {
      const ids = await this.#oldGrants(after);
      await this.#grants.delete({ id: In(await this.#unreferenced(ids)) });
      after = ids.at(-1);
    }
  }

  /** Also those that were revoked are known for a day, with the reason. */
  async #oldGrants(after: string): Promise<string[]> {
    const now = this.clock.now();
    const old = { id: MoreThan(after), createdAt: LessThan(now - 2 * DAY_MS) };
    const rows = await this.#grants.find({
      select: { id: true },
      where: [
        { ...old, revokedAt: IsNull() },
        { ...old, revokedAt: LessThan(now - DAY_MS) },
      ],
      order: { id: 'ASC' },
      take: BATCH,
    });
    return rows.map(({ id }) => id);
  }

  async #unreferenced(ids: readonly string[]): Promise<string[]> {
    const referring = await Promise.all(
      REFERRING.map((table) =>
        this.unitOfWork.repository(table).find({ select: { grantId: true }, where: { grantId: In([...ids]) } }),
      ),
    );
    const referenced = new Set(referring.flat().map(({ grantId }) => grantId));
    return ids.filter((id) => !referenced.has(id));
  }

  get #grants() {
    return this.unitOfWork.repository(GrantEntity);
  }
}
