import { Inject, Injectable } from '@nestjs/common';
import { In, Raw } from 'typeorm';
import { Clock } from '../common/clock.js';
import { DomainError } from '../common/domain-error.js';
import type { Page, PageRequest } from '../common/page.js';
import { Randomness } from '../common/random.js';
import { isUniqueViolation, UnitOfWork } from '../database/index.js';
import { UserEntity } from './user.entity.js';

/** A person who may sign in here. */
export interface User {
  id: string;
  username: string | undefined;
  fullName: string | undefined;
  email: string | undefined;
  emailVerified: boolean;
  hasPassword: boolean;
  basicAuthEnabled: boolean;
  blocked: boolean;
  createdAt: number;
  /** Moves with every change of the user. */
  updatedAt: number;
}

export interface Profile {
  username?: string | undefined;
  fullName?: string | undefined;
  email?: string | undefined;
  emailVerified?: boolean;
  emailVerifiedBy?: Verifier | undefined;
}

/** Who verified an e-mail address. No provider can have an id that makes it the administrator. */
export type Verifier = 'admin' | `provider:${string}`;

export interface PasswordSettings {
  passwordHash: string | null;
  basicAuthEnabled: boolean;
}

/** What is left out stays as it is; null clears it. */
export interface UserChanges {
  username?: string;
  fullName?: string | null;
  email?: string | null;
  emailVerified?: boolean;
  emailVerifiedBy?: Verifier | null;
  passwordHash?: string | null;
  basicAuthEnabled?: boolean;
  blocked?: boolean;
}

export interface UserFilter {
  username?: string | undefined;
  /** Compared without regard to case. */
  email?: string | undefined;
}

@Injectable()
export class UsersRepository {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {}

  async find(id: string): Promise<User | undefined> {
    return toUser(await this.#rows.findOneBy({ id }));
  }

  /** Of these users those that there are. */
  async existing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.#rows.find({ select: { id: true }, where: { id: In([...ids]) } });
    return new Set(rows.map(({ id }) => id));
  }

  async findByUsername(username: string): Promise<(User & PasswordSettings) | undefined> {
    return withPassword(await this.#rows.findOneBy({ username }));
  }

  /**
   * The user as they are now and stay until the unit of work ends: on PostgreSQL this waits for whoever else holds,
   * changes or deletes them. Nobody where they are gone. The first write of what must not outlive a deletion.
   */
  async hold(id: string): Promise<(User & PasswordSettings) | undefined> {
    await this.#rows
      .createQueryBuilder()
      .update()
      .set({ updatedAt: () => 'updated_at' })
      .where({ id })
      .execute();
    return withPassword(await this.#rows.findOneBy({ id }));
  }

  /** @throws DomainError `resource.conflict` where another user has that name */
  async create(
    profile: Profile,
    password: PasswordSettings = { passwordHash: null, basicAuthEnabled: false },
  ): Promise<User> {
    const now = this.clock.now();
    const row: UserEntity = {
      id: this.randomness.id(),
      username: profile.username ?? null,
      fullName: profile.fullName ?? null,
      email: profile.email ?? null,
      emailVerified: profile.emailVerified ?? false,
      emailVerifiedBy: profile.emailVerifiedBy ?? null,
      ...password,
      blockedAt: null,
      createdAt: now,
      updatedAt: now,
    };
    if (!(await this.unitOfWork.insertOnce(UserEntity, row))) throw nameTaken();
    return toUser(row)!;
  }

  /**
   * Changes what is given and leaves the rest. Blocking takes effect at the next request: every guard reads it.
   * @throws DomainError `resource.conflict` where another user has that name
   * @returns false where there is no such user
   */
  async change(id: string, { blocked, ...changes }: UserChanges): Promise<boolean> {
    const now = this.clock.now();
    const blockedAt = blocked === undefined ? {} : { blockedAt: blocked ? now : null };
    try {
      const { affected } = await this.#rows.update({ id }, { ...changes, ...blockedAt, updatedAt: now });
      return affected === 1;
    } catch (error) {
      if (isUniqueViolation(error)) throw nameTaken();
      throw error;
    }
  }

  /** The oldest first. */
  async list({ username, email }: UserFilter, { limit, offset }: PageRequest): Promise<Page<User>> {
    const [rows, total] = await this.#rows.findAndCount({
      where: {
        ...(username !== undefined && { username }),
        ...(email !== undefined && {
          email: Raw((column) => `LOWER(${column}) = :email`, { email: email.toLowerCase() }),
        }),
      },
      order: { createdAt: 'ASC', id: 'ASC' },
      take: limit,
      skip: offset,
    });
    return { items: rows.map((row) => toUser(row)!), total };
  }

  async delete(id: string): Promise<boolean> {
    const { affected } = await this.#rows.delete({ id });
    return affected === 1;
  }

  /**
   * The one user who has that address for certain: verified by one of those who are `trusted` with it, or vouched for by
   * whoever `declared` it with the user name. Where anybody's word counted, a stranger could sign up at a provider of
   * theirs with an address that is not theirs, and wait for its owner to be linked to them. Nobody where it is nobody's or several users'. Only ASCII letters are folded, and other addresses found by nobody:
   * letters that look or fold alike (`K` and the Kelvin sign) would let one mailbox pass for another.
   */
  async findByVerifiedEmail(
    email: string,
    {
      trusted,
      declared,
    }: { trusted: readonly Verifier[]; declared: readonly { username: string; email: string | undefined }[] },
  ): Promise<User | undefined> {
    if (!ASCII.test(email)) return undefined;
    const isIt = (candidate: string | undefined): boolean =>
      candidate !== undefined && ASCII.test(candidate) && candidate.toLowerCase() === email.toLowerCase();
    const rows = await this.#rows
      .createQueryBuilder('user')
      .where('LOWER(user.email) = :email', { email: email.toLowerCase() })
      .getMany();
    const users = rows
      .filter((row) => isIt(row.email ?? undefined))
      .filter(
        (row) =>
          (row.emailVerified && trusted.some((verifier) => verifier === row.emailVerifiedBy)) ||
          declared.some(({ username, email: own }) => username === row.username && isIt(own)),
      );
    return users.length === 1 ? toUser(users[0]!) : undefined;
  }

  get #rows() {
    return this.unitOfWork.repository(UserEntity);
  }
}

const ASCII = /^[\x21-\x7E]+$/;

function toUser(row: UserEntity | null): User | undefined {
  if (!row) return undefined;
  return {
    id: row.id,
    username: row.username ?? undefined,
    fullName: row.fullName ?? undefined,
    email: row.email ?? undefined,
    emailVerified: row.emailVerified,
    hasPassword: row.passwordHash !== null,
    basicAuthEnabled: row.basicAuthEnabled,
    blocked: row.blockedAt !== null,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

function withPassword(row: UserEntity | null): (User & PasswordSettings) | undefined {
  const user = toUser(row);
  if (!row || !user) return undefined;
  return { ...user, passwordHash: row.passwordHash, basicAuthEnabled: row.basicAuthEnabled };
}

function nameTaken(): DomainError {
  return new DomainError('resource.conflict', {
    publicDetail: "username is another user's",
    meta: { parameter: 'username' },
  });
}
