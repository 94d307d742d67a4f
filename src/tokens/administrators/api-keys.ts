import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../../audit/index.js';
import { Clock } from '../../common/clock.js';
import { DomainError, invalidParameter } from '../../common/domain-error.js';
import type { Page, PageRequest } from '../../common/page.js';
import { digest, Randomness } from '../../common/random.js';
import { Secret } from '../../common/secret.js';
import { ADMIN_SCOPE } from '../../config/index.js';
import { UnitOfWork } from '../../database/index.js';
import { ApiKeyEntity } from './api-key.entity.js';

/** What a key may be for: everything, or one operation of the faces. */
export const API_KEY_SCOPES: readonly string[] = [ADMIN_SCOPE, 'upstream-tokens:refresh'];

/** So that people and scanners of secrets know one when they see it. */
const PREFIX = 'symbolon_key_';
/** To within this it is known when a key was last used. */
const USE_RESOLUTION_MS = 60_000;

/** A further key to the admin API. Times are milliseconds since the epoch. */
export interface ApiKey {
  id: string;
  name: string;
  scope: readonly string[];
  createdAt: number;
  expiresAt: number | undefined;
  lastUsedAt: number | undefined;
}

/** What is asked for in a new key. */
export type NewApiKey = Pick<ApiKey, 'name' | 'scope' | 'expiresAt'>;

/** Keys to the admin API beside the static one: named, so that the audit log tells them apart, and ended one by one. */
@Injectable()
export class ApiKeys {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {}

  /** The oldest first. */
  async list({ limit, offset }: PageRequest): Promise<Page<ApiKey>> {
    const [rows, total] = await this.#rows.findAndCount({
      order: { createdAt: 'ASC', id: 'ASC' },
      take: limit,
      skip: offset,
    });
    return { items: rows.map(toApiKey), total };
  }

  /**
   * The key itself is in this answer and nowhere else.
   * @throws DomainError `request.parameter-invalid`, `resource.conflict` where the name is taken
   */
  async create({ name, scope, expiresAt }: NewApiKey): Promise<{ apiKey: ApiKey; key: Secret }> {
    const now = this.clock.now();
    if (expiresAt !== undefined && expiresAt <= now) throw invalidParameter('expires_at', 'must be in the future');
    const key = new Secret(PREFIX + this.randomness.token());
    const row: ApiKeyEntity = {
      id: this.randomness.id(),
      name,
      digest: digest(key.reveal()),
      scope: scope.join(' '),
      createdAt: now,
      expiresAt: expiresAt ?? null,
      lastUsedAt: null,
    };
    await this.unitOfWork.run(async () => {
      if (!(await this.unitOfWork.insertOnce(ApiKeyEntity, row))) {
        throw new DomainError('resource.conflict', {
          publicDetail: "name is another key's",
          meta: { parameter: 'name' },
        });
      }
      await this.audit.record({ event: 'api-key.created', outcome: 'success', reason: row.id });
    });
    return { apiKey: toApiKey(row), key };
  }

  /** It opens nothing any more, on any replica. @throws DomainError `resource.not-found` */
  async delete(id: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      const { affected } = await this.#rows.delete({ id });
      if (affected !== 1) throw new DomainError('resource.not-found');
      await this.audit.record({ event: 'api-key.deleted', outcome: 'success', reason: id });
    });
  }

  /** Whether it looks like one, rather than an access token. */
  recognises(presented: Secret): boolean {
    return presented.reveal().startsWith(PREFIX);
  }

  /** The key that was presented, which has been used with that; undefined where it is none, or has expired. */
  async use(presented: Secret): Promise<ApiKey | undefined> {
    const row = await this.#rows.findOneBy({ digest: digest(presented.reveal()) });
    const now = this.clock.now();
    if (!row || (row.expiresAt !== null && row.expiresAt <= now)) return undefined;
    if (row.lastUsedAt === null || row.lastUsedAt < now - USE_RESOLUTION_MS) {
      await this.#rows.update({ id: row.id }, { lastUsedAt: now });
    }
    return toApiKey(row);
  }

  get #rows() {
    return this.unitOfWork.repository(ApiKeyEntity);
  }
}

function toApiKey(row: ApiKeyEntity): ApiKey {
  return {
    id: row.id,
    name: row.name,
    scope: row.scope.split(' '),
    createdAt: row.createdAt,
    expiresAt: row.expiresAt ?? undefined,
    lastUsedAt: row.lastUsedAt ?? undefined,
  };
}
