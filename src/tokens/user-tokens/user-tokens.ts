import { Inject, Injectable } from '@nestjs/common';
import { IsNull, MoreThan, Not, type FindOptionsWhere } from 'typeorm';
import { Audit, type AuditRecord } from '../../audit/index.js';
import { Clock } from '../../common/clock.js';
import { DomainError } from '../../common/domain-error.js';
import { digest, Randomness } from '../../common/random.js';
import { Secret } from '../../common/secret.js';
import { USER_TOKENS_SCOPE } from '../../config/index.js';
import { ExpiredRows, isUniqueViolation, UnitOfWork } from '../../database/index.js';
import { UsersRepository } from '../../users/index.js';
import type { Caller } from '../access-tokens/caller.js';
import { Callers } from '../access-tokens/callers.js';
import { UserTokenEntity } from './user-token.entity.js';
import type { Creation, NamedToken, NamedTokenChanges, NewNamedToken } from './user-token.js';

/** So that people and scanners of secrets know one when they see it. */
const PREFIX = 'symbolon_ut_';
const TOKEN = new RegExp(`^${PREFIX}[A-Za-z0-9_-]{43}$`);

/** Longest life of a temporary token: nothing lists it, so nobody would notice one that stays. */
const TEMPORARY_MAX_SECONDS = 7 * 24 * 3600;
/** Against makers that run wild; those that race may exceed it by their number. */
const LIMITS = { named: 100, temporary: 1000 };
type Kind = keyof typeof LIMITS;

const NAMELESS = IsNull();
const NAMED = Not(NAMELESS);

/**
 * Tokens that users make for themselves, instead of passwords in scripts. One that was made through a client does what
 * that client may do now and could do then, and ends with what the user allowed the client; none makes further tokens,
 * so that a stolen one cannot outlive itself.
 */
@Injectable()
export class UserTokens {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Callers) private readonly callers: Callers,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(UsersRepository) private readonly users: UsersRepository,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    expiredRows.register(UserTokenEntity);
  }

  /** Whether it looks like one of these tokens, rather than an access token. */
  recognises(token: Secret): boolean {
    return TOKEN.test(token.reveal());
  }

  /**
   * Whom the token stands for. A blocked user is answered, too, as with access tokens.
   * @throws DomainError `credentials.token-invalid`, `credentials.token-revoked` or `credentials.caveat-unverified`
   */
  async authenticate(token: Secret): Promise<Caller> {
    const row = await this.#rows.findOneBy({ digest: digest(token.reveal()) });
    if (!row) throw new DomainError('credentials.token-invalid', { privateDetail: 'unknown token of a user' });
    const { userId, clientId, grantId, expiresAt } = row;
    const through = clientId === null ? {} : { through: { clientId, grantId: grantId ?? '' } };
    const caller = await this.callers.find({ userId, ...through });
    if (row.revokedAt !== null) throw new DomainError('credentials.token-revoked');
    if (expiresAt !== null && expiresAt <= this.clock.now()) {
      throw new DomainError('credentials.caveat-unverified', { meta: { expiredAt: expiresAt } });
    }
    const registered = new Set(caller.client?.scope);
    return {
      ...caller,
      scope: new Set((row.scope ?? '').split(' ').filter((scope) => registered.has(scope))),
      ...(expiresAt !== null && { expiresAt }),
    };
  }

  /** Lasts until it is deleted, unless it is given an end; the name is the user's own and used once. */
  createNamed(caller: Caller, { name, metadata, revoked, expiresAt }: NewNamedToken): Promise<Creation> {
    return this.#create(caller, { name, metadata, revoked, expiresAt });
  }

  /** Cannot be looked at or taken back alone, and lives at most a week. */
  async createTemporary(caller: Caller, { expiresAt }: { expiresAt: number | undefined }): Promise<Creation> {
    if (expiresAt === undefined || expiresAt > this.clock.now() + TEMPORARY_MAX_SECONDS * 1000) {
      return { kind: 'expiry-required', maxSeconds: TEMPORARY_MAX_SECONDS };
    }
    return this.#create(caller, { name: null, metadata: {}, revoked: false, expiresAt });
  }

  async #create(
    caller: Caller,
    { name, metadata, revoked, expiresAt }: Omit<NewNamedToken, 'name'> & { name: string | null },
  ): Promise<Creation> {
    const { userId, clientId } = ownerOf(caller);
    const kind = name === null ? 'temporary' : 'named';
    if ((await this.#count(userId, kind)) >= LIMITS[kind]) return { kind: 'limit-reached', limit: LIMITS[kind] };
    const id = this.randomness.id();
    const token = PREFIX + this.randomness.token();
    const now = this.clock.now();
    const made = await this.unitOfWork.run(async () => {
      await this.#holdOwner(caller);
      const inserted = await this.unitOfWork.insertOnce(UserTokenEntity, {
        id,
        userId,
        name,
        digest: digest(token),
        clientId: clientId ?? null,
        grantId: caller.grantId ?? null,
        scope:
          clientId === undefined ? null : [...caller.scope].filter((scope) => scope !== USER_TOKENS_SCOPE).join(' '),
        metadata: { ...metadata },
        revokedAt: revoked ? now : null,
        createdAt: now,
        expiresAt: expiresAt ?? null,
      });
      if (inserted) await this.#record(caller, { event: 'user-token.created', reason: kind });
      return inserted;
    });
    return made ? { kind: 'created', id, token: new Secret(token) } : { kind: 'name-occupied' };
  }

  /** A password that was changed, or a user who was blocked or deleted, since the caller was judged makes no token any more. */
  async #holdOwner({ user, client }: Caller): Promise<void> {
    const current = await this.users.hold(user.id);
    if (!current || current.blocked) throw new DomainError('user.blocked');
    if (!client && current.updatedAt !== user.updatedAt) {
      throw new DomainError('credentials.password-wrong', { privateDetail: 'the user was changed meanwhile' });
    }
  }

  /** The ids of the caller's named tokens, in the order of their names. */
  async listNamed(caller: Caller): Promise<string[]> {
    const rows = await this.#rows.find({ where: { ...ownerOf(caller), name: NAMED }, order: { name: 'ASC' } });
    return rows.map(({ id }) => id);
  }

  /** @throws DomainError `resource.not-found`, or `access.forbidden` where it is somebody else's */
  async getNamed(caller: Caller, id: string): Promise<NamedToken> {
    const { userId, clientId } = ownerOf(caller);
    const row = await this.#rows.findOneBy({ id, name: NAMED });
    if (!row) throw new DomainError('resource.not-found');
    if (row.userId !== userId || (clientId !== undefined && row.clientId !== clientId)) {
      throw new DomainError('access.forbidden', { privateDetail: "the token is not the caller's" });
    }
    return toNamedToken(row);
  }

  /**
   * Renames, revokes, or brings back what was revoked. False where the name is occupied.
   * @throws DomainError as `getNamed`
   */
  async changeNamed(caller: Caller, id: string, { name, metadata, revoked }: NamedTokenChanges): Promise<boolean> {
    await this.getNamed(caller, id);
    const changes = {
      ...(name !== undefined && { name }),
      ...(metadata !== undefined && { metadata: { ...metadata } }),
      ...(revoked !== undefined && { revokedAt: revoked ? this.clock.now() : null }),
    };
    const reason = revoked === undefined ? undefined : revoked ? 'revoked' : 'restored';
    try {
      await this.unitOfWork.run(async () => {
        const { affected } = await this.#rows.update({ ...ownerOf(caller), id, name: NAMED }, changes);
        if (affected !== 1) throw new DomainError('resource.not-found');
        await this.#record(caller, { event: 'user-token.updated', reason });
      });
      return true;
    } catch (error) {
      if (isUniqueViolation(error)) return false;
      throw error;
    }
  }

  /** @throws DomainError as `getNamed` */
  async deleteNamed(caller: Caller, id: string): Promise<void> {
    await this.getNamed(caller, id);
    if ((await this.#delete(caller, { id, name: NAMED })) === 0) throw new DomainError('resource.not-found');
  }

  async deleteAll(caller: Caller, kind: Kind): Promise<void> {
    await this.#delete(caller, { name: kind === 'named' ? NAMED : NAMELESS });
  }

  #delete(caller: Caller, which: FindOptionsWhere<UserTokenEntity>): Promise<number> {
    return this.unitOfWork.run(async () => {
      const { affected } = await this.#rows.delete({ ...ownerOf(caller), ...which });
      if (affected) await this.#record(caller, { event: 'user-token.deleted' });
      return affected ?? 0;
    });
  }

  /** For a user who is deleted: no token of theirs is left. */
  async forgetUser(userId: string): Promise<void> {
    await this.#rows.delete({ userId });
  }

  /** For a user whose password has changed: whoever knew the old one may have made a token with it. */
  async forgetMadeByPassword(userId: string): Promise<void> {
    const { affected } = await this.#rows.delete({ userId, clientId: IsNull() });
    if (!affected) return;
    await this.audit.record({ event: 'user-token.deleted', outcome: 'success', userId, reason: 'password' });
  }

  #count(userId: string, kind: Kind): Promise<number> {
    return this.#rows.countBy(
      kind === 'named' ? { userId, name: NAMED } : { userId, name: NAMELESS, expiresAt: MoreThan(this.clock.now()) },
    );
  }

  #record({ user, client }: Caller, record: Pick<AuditRecord, 'event' | 'reason'>): Promise<void> {
    return this.audit.record({ ...record, outcome: 'success', userId: user.id, clientId: client?.clientId });
  }

  get #rows() {
    return this.unitOfWork.repository(UserTokenEntity);
  }
}

/** Whose tokens a caller sees: all of the user's, or through a client those that were made through it. */
interface Owner {
  userId: string;
  clientId?: string;
}

/** @throws DomainError `user.blocked` */
function ownerOf({ user, client }: Caller): Owner {
  if (user.blocked) throw new DomainError('user.blocked');
  return { userId: user.id, ...(client && { clientId: client.clientId }) };
}

function toNamedToken({ id, userId, name, metadata, revokedAt, createdAt, expiresAt }: UserTokenEntity): NamedToken {
  return {
    id,
    userId,
    name: name ?? '',
    metadata: metadata as Record<string, unknown>,
    revoked: revokedAt !== null,
    createdAt,
    expiresAt: expiresAt ?? undefined,
  };
}
