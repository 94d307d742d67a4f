import { Inject, Injectable, Logger } from '@nestjs/common';
import { In, IsNull, LessThanOrEqual, MoreThan, Not, type FindOptionsWhere, type SelectQueryBuilder } from 'typeorm';
import { beyondLeases, beyondPauses } from '../common/backoff.js';
import { Clock, CLOCK_TOLERANCE_MS } from '../common/clock.js';
import { Randomness } from '../common/random.js';
import { Secret } from '../common/secret.js';
import { UnitOfWork } from '../database/index.js';
import { DecryptionError, EncryptedTables, Envelopes, type Envelope } from '../encryption/index.js';
import { LinkedAccountEntity } from './linked-account.entity.js';
import {
  READ_NOTED_EVERY_MS,
  type LinkedAccount,
  type LinkedAccountStatus,
  type OpenedTokens,
  type ReauthenticationReason,
  type UpstreamCredentials,
} from './linked-account.js';

const TABLE = 'linked_accounts';
const MISCONFIGURED_TRIED_EVERY_MS = 3_600_000;

/** Nobody refreshes, and no refresh token is on its way. */
const NO_LEASE = { leaseOwner: null, leaseExpiresAt: null, refreshIntentAt: null };
/** Nothing went wrong lately. */
const NO_FAILURES = { failures: 0, retryAt: null, lastError: null };

/** Nothing that the provider gave. */
const NO_TOKENS = {
  claims: {},
  accessToken: null,
  refreshToken: null,
  idToken: null,
  dataKey: null,
  encryptionKeyId: null,
  scope: null,
  expiresAt: null,
  refreshTokenExpiresAt: null,
  linkedAt: null,
  linkedSessionId: null,
};

/** As `toAccount` reads them; rows of earlier releases have not got the first. */
const REFRESH_TOKEN_USED_AT = 'coalesce(refresh_token_used_at, refreshed_at, obtained_at, created_at)';
const AUTHORIZED_AT = 'coalesce(authorized_at, created_at)';

/** A refresh that brought nothing to serve: why, how often in a row, and until when nobody tries again. */
export interface Setback {
  lastError: string;
  failures: number;
  retryAt: number;
}

export interface NewAccount {
  userId: string;
  identityProvider: string;
  subject: string;
}

export interface AccountIdentity {
  issuer: string;
  upstreamClientId: string;
  claims: Readonly<Record<string, unknown>>;
}

/** So many rows, beginning behind one. */
interface Batch<Row> {
  after?: Row | undefined;
  limit: number;
}

/** The rows of linked accounts, the leases on them, and the encryption of what they hold. */
@Injectable()
export class LinkedAccountsRepository {
  readonly #logger = new Logger('LinkedAccounts');

  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(EncryptedTables) encryptedTables: EncryptedTables,
  ) {
    encryptedTables.register(LinkedAccountEntity);
  }

  /** Of several accounts of the user at that provider the default. */
  async findOfUser(userId: string, identityProvider: string): Promise<LinkedAccount | undefined> {
    const accounts = await this.listOfUser(userId);
    return accounts.find((account) => account.identityProvider === identityProvider);
  }

  /** The user's accounts everywhere, the default of each provider before the others there. */
  async listOfUser(userId: string): Promise<LinkedAccount[]> {
    const rows = await this.#rows.find({
      where: { userId, unlinkedAt: IsNull() },
      order: { identityProvider: 'ASC', createdAt: 'ASC', id: 'ASC' },
    });
    return rows.toSorted(inOrderOfUse).map(toAccount);
  }

  /** Makes the account the user's default at its provider. */
  async makeDefault(id: string): Promise<void> {
    await this.#rows.update({ id, unlinkedAt: IsNull() }, { defaultSince: this.clock.now() });
  }

  /** Notes that the user confirmed in this browser session that the account is to be connected. */
  async noteConnected(id: string, linkedSessionId: string): Promise<void> {
    await this.#rows.update({ id, unlinkedAt: IsNull() }, { linkedSessionId, linkedAt: this.clock.now() });
  }

  /**
   * Erases the tokens, and ends the row unless its subject is to sign in still. Whoever refreshes it now finds another
   * generation and cannot bring it back. False when the row was linked again or refreshed meanwhile: look again.
   */
  async unlink(account: LinkedAccount, { keepSubject }: { keepSubject: boolean }): Promise<boolean> {
    const now = this.clock.now();
    const { affected } = await this.#rows.update(
      { id: account.id, generation: account.generation, unlinkedAt: IsNull() },
      {
        status: 'sign-in-only' satisfies LinkedAccountStatus,
        reason: null,
        generation: account.generation + 1,
        ...NO_LEASE,
        ...NO_FAILURES,
        ...NO_TOKENS,
        defaultSince: null,
        updatedAt: now,
        unlinkedAt: keepSubject ? null : now,
      },
    );
    return affected === 1;
  }

  /** Of all accounts that the user ever linked, those that are unlinked too. */
  async everLinkedBy(userId: string): Promise<Pick<LinkedAccount, 'id' | 'identityProvider' | 'subject'>[]> {
    const rows = await this.#rows.findBy({ userId });
    return rows.map(({ id, identityProvider, subject }) => ({ id, identityProvider, subject }));
  }

  wasUnlinked(account: NewAccount): Promise<boolean> {
    return this.#rows.existsBy({ ...account, unlinkedAt: Not(IsNull()) });
  }

  async findBySubject(identityProvider: string, subject: string): Promise<LinkedAccount | undefined> {
    return this.#findLive({ identityProvider, subject });
  }

  async find(id: string): Promise<LinkedAccount | undefined> {
    return this.#findLive({ id });
  }

  /** Reserves a subject for a user; false when somebody holds it already. */
  insertOnce({ userId, identityProvider, subject }: NewAccount): Promise<boolean> {
    const now = this.clock.now();
    return this.unitOfWork.insertOnce(LinkedAccountEntity, {
      id: this.randomness.id(),
      userId,
      identityProvider,
      subject,
      issuer: null,
      upstreamClientId: null,
      claims: {},
      status: 'sign-in-only',
      reason: null,
      generation: 0,
      ...NO_LEASE,
      tokenType: null,
      scope: null,
      accessToken: null,
      refreshToken: null,
      idToken: null,
      verified: false,
      expiresAt: null,
      obtainedAt: null,
      refreshedAt: null,
      refreshTokenExpiresAt: null,
      refreshTokenUsedAt: null,
      authorizedAt: null,
      readAt: null,
      lastError: null,
      dataKey: null,
      encryptionKeyId: null,
      defaultSince: null,
      linkedAt: null,
      linkedSessionId: null,
      failures: 0,
      retryAt: null,
      createdAt: now,
      updatedAt: now,
      unlinkedAt: null,
    });
  }

  /** Ends a subject that was declared and never linked; anything linked stays. */
  async forgetDeclared(identityProvider: string, subject: string): Promise<void> {
    const now = this.clock.now();
    await this.#rows.update(
      { identityProvider, subject, status: 'sign-in-only' satisfies LinkedAccountStatus, unlinkedAt: IsNull() },
      { unlinkedAt: now, updatedAt: now },
    );
  }

  /**
   * Stores what a sign-in at the provider gave; it wins over a refresh that is under way, because it moves the
   * generation, and over one that was stored a moment ago, because it looks again. A refresh token that the provider
   * did not send again is kept, and so are all tokens where a mere sign-in was granted less than the user had given by
   * connecting the account. False when the account was unlinked a moment ago.
   */
  async storeLinked(
    id: string,
    identity: AccountIdentity,
    credentials: UpstreamCredentials,
    { connected = true }: { connected?: boolean } = {},
  ): Promise<boolean> {
    const claims = { ...identity.claims };
    const now = this.clock.now();
    const changes = { ...identity, claims, status: 'active', reason: null, authorizedAt: now, ...NO_FAILURES };
    for (;;) {
      const row = await this.#rows.findOneBy({ id, unlinkedAt: IsNull() });
      if (!row) return false;
      if (!connected && isNarrower(credentials, identity, row)) return this.#keepClaims(row, claims);
      // A refresh that is under way has spent the token that is kept: its lease and its intent stay, until it ends.
      const lease = credentials.refreshToken ? NO_LEASE : leaseOf(row);
      const refreshTokenUsedAt = credentials.refreshToken ? credentials.obtainedAt : row.refreshTokenUsedAt;
      const stored = { ...changes, verified: true, refreshTokenUsedAt, ...lease };
      if (await this.#store(row, credentials, stored, { replacing: isUnproven(row) })) return true;
    }
  }

  /**
   * Stores tokens in place of all that the account has: whether they are of the same grant nobody knows. Compare-and-swap on
   * the generation: false when the row was linked, refreshed or unlinked since it was read.
   */
  async storeImported(
    account: LinkedAccount,
    identity: AccountIdentity,
    credentials: UpstreamCredentials,
  ): Promise<boolean> {
    const row = await this.#rows.findOneBy({ id: account.id, unlinkedAt: IsNull(), generation: account.generation });
    if (!row) return false;
    const now = this.clock.now();
    const changes = {
      ...identity,
      claims: { ...identity.claims },
      status: 'active' satisfies LinkedAccountStatus,
      reason: null,
      verified: false,
      refreshedAt: null,
      refreshTokenUsedAt: now,
      authorizedAt: now,
      // Given on purpose: a mere sign-in takes nothing of it away.
      linkedAt: now,
      ...NO_FAILURES,
      ...NO_LEASE,
    };
    return this.#store(row, credentials, changes, { replacing: true });
  }

  async #keepClaims({ id }: LinkedAccountEntity, claims: object): Promise<boolean> {
    const { affected } = await this.#rows.update({ id, unlinkedAt: IsNull() }, { claims, updatedAt: this.clock.now() });
    return affected === 1;
  }

  /**
   * Compare-and-swap on the generation: false when the row was linked again, refreshed or unlinked meanwhile.
   * @param how.kept are the tokens of that generation, opened before the provider was asked. What the row keeps of them is
   * sealed anew, so storing needs no key but the current one, whatever has been done to the row's wrapping meanwhile.
   */
  async storeRefreshed(
    account: LinkedAccount,
    credentials: UpstreamCredentials,
    { verified, setback, kept }: { verified: boolean; setback?: Setback | undefined; kept?: OpenedTokens },
  ): Promise<boolean> {
    const row = await this.#rows.findOneBy({ id: account.id, unlinkedAt: IsNull(), generation: account.generation });
    if (!row) return false;
    // RFC 6749 section 6 lets a refresh leave the scope out; an empty one, which its section 3.3 has not, is no other.
    const { scope, ...tokens } = credentials;
    const changes = {
      ...NO_LEASE,
      verified,
      refreshedAt: this.clock.now(),
      refreshTokenUsedAt: credentials.obtainedAt,
      ...(setback ?? NO_FAILURES),
    };
    return this.#store(row, scope?.length === 0 ? { ...tokens, scope: undefined } : credentials, changes, { kept });
  }

  /**
   * Keeps the successor of a refresh token that was spent while a sign-in, which brought none of its own, kept the
   * spent one. False where the row holds another token by now: then that one is the newer.
   */
  async replaceRefreshToken(
    account: LinkedAccount,
    spent: Secret,
    { refreshToken, refreshTokenExpiresAt, obtainedAt }: UpstreamCredentials & { refreshToken: Secret },
  ): Promise<boolean> {
    for (;;) {
      const row = await this.#rows.findOneBy({ id: account.id, unlinkedAt: IsNull() });
      if (!row || this.#open(row).refreshToken?.reveal() !== spent.reveal()) return false;
      const { affected } = await this.#rows.update(
        { id: row.id, generation: row.generation, unlinkedAt: IsNull() },
        {
          refreshToken: this.#envelopeOf(row)!.seal('refresh_token', refreshToken),
          refreshTokenExpiresAt: refreshTokenExpiresAt ?? null,
          refreshTokenUsedAt: obtainedAt,
          generation: row.generation + 1,
          ...NO_LEASE,
          updatedAt: this.clock.now(),
        },
      );
      if (affected === 1) return true;
    }
  }

  /** Takes the lease unless somebody holds one that has not expired, the credentials have changed, or it is too early. */
  async acquireLease(account: LinkedAccount, owner: string, durationMs: number): Promise<boolean> {
    const now = this.clock.now();
    const { affected } = await this.#rows
      .createQueryBuilder()
      .update()
      .set({ leaseOwner: owner, leaseExpiresAt: now + durationMs })
      .where('id = :id AND generation = :generation AND unlinked_at IS NULL AND status = :status', {
        id: account.id,
        generation: account.generation,
        status: 'active' satisfies LinkedAccountStatus,
      })
      .andWhere('(lease_owner IS NULL OR lease_expires_at <= :now OR lease_expires_at >= :beyondLeases)', {
        beyondLeases: beyondLeases(now),
      })
      .andWhere('(retry_at IS NULL OR retry_at <= :now OR retry_at >= :beyondPauses OR updated_at > :latest)', {
        now,
        beyondPauses: beyondPauses(now),
        latest: now + CLOCK_TOLERANCE_MS,
      })
      .execute();
    return affected === 1;
  }

  async renewLease(id: string, owner: string, durationMs: number): Promise<boolean> {
    const { affected } = await this.#rows.update(
      { id, leaseOwner: owner },
      { leaseExpiresAt: this.clock.now() + durationMs },
    );
    return affected === 1;
  }

  /**
   * Writes down that a refresh token is about to be sent; whoever finds it unanswered knows that it may be spent. The
   * lease begins anew, so that what came before the call takes nothing of the call's time.
   */
  async recordIntent(id: string, owner: string, durationMs: number): Promise<boolean> {
    const now = this.clock.now();
    const { affected } = await this.#rows.update(
      { id, leaseOwner: owner },
      { refreshIntentAt: now, leaseExpiresAt: now + durationMs },
    );
    return affected === 1;
  }

  async releaseLease(
    id: string,
    owner: string,
    outcome: { setback?: Setback; intentAnswered?: boolean } = {},
  ): Promise<void> {
    await this.#rows.update(
      { id, leaseOwner: owner },
      {
        leaseOwner: null,
        leaseExpiresAt: null,
        ...(outcome.setback && { ...outcome.setback, updatedAt: this.clock.now() }),
        ...(outcome.intentAnswered && { refreshIntentAt: null }),
      },
    );
  }

  /**
   * Compare-and-swap on the generation, as for every change of the credentials.
   * @param only.leaseOwner says that the verdict counts only while this holder has the lease: the next may know better.
   * @param only.forgetTokens erases the stored tokens, where their successors turned out to be somebody else's.
   */
  async requireReauthentication(
    account: LinkedAccount,
    reason: ReauthenticationReason,
    { leaseOwner, forgetTokens = false }: { leaseOwner?: string; forgetTokens?: boolean } = {},
  ): Promise<boolean> {
    const { affected } = await this.#rows.update(
      {
        id: account.id,
        generation: account.generation,
        unlinkedAt: IsNull(),
        ...(leaseOwner !== undefined && { leaseOwner }),
      },
      {
        ...(forgetTokens && { accessToken: null, refreshToken: null, idToken: null, expiresAt: null }),
        status: 'reauthentication-required' satisfies LinkedAccountStatus,
        reason,
        generation: account.generation + 1,
        ...NO_LEASE,
        lastError: reason,
        updatedAt: this.clock.now(),
      },
    );
    return affected === 1;
  }

  /**
   * Of the accounts at a provider whose refresh token has passed half of its life unused, the longest unused first;
   * none that is to be left alone for now.
   * @param wanted.idleLifetimeMs how long refresh tokens live unused there, beside what the provider said of each
   * @param wanted.after the last of those that were answered before
   */
  async dueForRefresh(
    identityProvider: string,
    { idleLifetimeMs = Infinity, after, limit }: { idleLifetimeMs?: number } & Batch<LinkedAccount>,
  ): Promise<LinkedAccount[]> {
    const now = this.clock.now();
    const query = this.#query()
      .where('identity_provider = :identityProvider AND status = :status AND unlinked_at IS NULL', {
        identityProvider,
        status: 'active' satisfies LinkedAccountStatus,
      })
      .andWhere('refresh_token IS NOT NULL')
      .andWhere('(retry_at IS NULL OR retry_at <= :now OR retry_at >= :beyond)', { now, beyond: beyondPauses(now) })
      // One that the provider does not understand is tried now and then: it must not keep those behind it from their turn.
      .andWhere('(last_error IS NULL OR last_error <> :misconfigured OR retry_at <= :longAgo)', {
        misconfigured: 'misconfigured',
        longAgo: now - MISCONFIGURED_TRIED_EVERY_MS,
      })
      .andWhere(
        `(${REFRESH_TOKEN_USED_AT} <= :unusedSince OR ${REFRESH_TOKEN_USED_AT} + refresh_token_expires_at <= :twiceNow)`,
        { unusedSince: Math.max(0, Math.floor(now - idleLifetimeMs / 2)), twiceNow: 2 * now },
      )
      .orderBy(REFRESH_TOKEN_USED_AT)
      .addOrderBy('id');
    if (after) {
      const { refreshTokenUsedAt: usedAt, id } = after;
      query.andWhere(`(${REFRESH_TOKEN_USED_AT}, id) > (:usedAt, :id)`, { usedAt, id });
    }
    return (await query.limit(limit).getMany()).map(toAccount);
  }

  /** Accounts at a provider whose latest id_token could not be verified when it came, that long ago or longer. */
  async unverified(
    identityProvider: string,
    { sinceMs, after, limit }: { sinceMs: number } & Batch<LinkedAccount>,
  ): Promise<LinkedAccount[]> {
    const rows = await this.#rows.find({
      where: {
        identityProvider,
        status: 'active' satisfies LinkedAccountStatus,
        unlinkedAt: IsNull(),
        verified: false,
        idToken: Not(IsNull()),
        updatedAt: LessThanOrEqual(this.clock.now() - sinceMs),
        ...beyond(after),
      },
      order: { id: 'ASC' },
      take: limit,
    });
    return rows.map(toAccount);
  }

  /** Accounts at a provider that hold something still and were authorized, or last authorized or read, before an instant. */
  async authorizedOrUsedBefore(
    identityProvider: string,
    {
      authorizedBefore,
      usedBefore,
      after,
      limit,
    }: { authorizedBefore: number; usedBefore: number } & Batch<LinkedAccount>,
  ): Promise<LinkedAccount[]> {
    const query = this.#query()
      .where('identity_provider = :identityProvider AND unlinked_at IS NULL AND data_key IS NOT NULL', {
        identityProvider,
      })
      .andWhere(
        `(${AUTHORIZED_AT} <= :authorizedBefore OR (${AUTHORIZED_AT} <= :usedBefore AND coalesce(read_at, 0) <= :usedBefore))`,
        { authorizedBefore, usedBefore },
      )
      .orderBy('id');
    if (after) query.andWhere('id > :id', { id: after.id });
    return (await query.limit(limit).getMany()).map(toAccount);
  }

  /**
   * Erases everything that the provider gave; the subject may link the account again. False when it was read, linked
   * again, refreshed or unlinked since it was looked at.
   */
  async expire(account: LinkedAccount): Promise<boolean> {
    const { affected } = await this.#rows.update(
      { id: account.id, generation: account.generation, readAt: account.readAt ?? IsNull(), unlinkedAt: IsNull() },
      {
        status: 'reauthentication-required' satisfies LinkedAccountStatus,
        reason: 'expired' satisfies ReauthenticationReason,
        generation: account.generation + 1,
        ...NO_LEASE,
        ...NO_FAILURES,
        ...NO_TOKENS,
        updatedAt: this.clock.now(),
      },
    );
    return affected === 1;
  }

  /** Notes that a token was asked for, unless that was noted a short while ago. */
  async noteRead({ id }: LinkedAccount): Promise<void> {
    const now = this.clock.now();
    await this.#rows
      .createQueryBuilder()
      .update()
      .set({ readAt: now })
      .where('id = :id AND (read_at IS NULL OR read_at <= :noted)', { id, noted: now - READ_NOTED_EVERY_MS })
      .execute();
  }

  /** Accounts that were unlinked so long ago, and whose they were. */
  async unlinkedFor(
    ageMs: number,
    { after, limit }: Batch<{ id: string }>,
  ): Promise<Pick<LinkedAccount, 'id' | 'userId'>[]> {
    return this.#rows.find({
      select: { id: true, userId: true },
      where: { unlinkedAt: LessThanOrEqual(this.clock.now() - ageMs), ...beyond(after) },
      order: { id: 'ASC' },
      take: limit,
    });
  }

  /** Removes the last that is known of unlinked accounts. */
  async forgetUnlinked(ids: readonly string[]): Promise<void> {
    await this.#rows.delete({ id: In([...ids]), unlinkedAt: Not(IsNull()) });
  }

  async markVerified(account: LinkedAccount): Promise<void> {
    await this.#rows.update({ id: account.id, generation: account.generation }, { verified: true });
  }

  /** Decrypts the tokens as they are stored now, if the row still is the one that was read. */
  async openTokens(account: LinkedAccount): Promise<(OpenedTokens & { idToken: Secret | undefined }) | undefined> {
    const row = await this.#rows.findOneBy({ id: account.id, generation: account.generation, unlinkedAt: IsNull() });
    return row ? this.#open(row) : undefined;
  }

  /** The same of an account that is to be forgotten: tokens that were damaged must not keep it from that. */
  async openForgotten(account: LinkedAccount): Promise<OpenedTokens | undefined> {
    const row = await this.#rows.findOneBy({ id: account.id, generation: account.generation, unlinkedAt: IsNull() });
    return row ? this.#openIntact(row) : undefined;
  }

  async #store(
    row: LinkedAccountEntity,
    credentials: UpstreamCredentials,
    changes: Partial<LinkedAccountEntity>,
    { kept, replacing = false }: { kept?: OpenedTokens | undefined; replacing?: boolean } = {},
  ): Promise<boolean> {
    // What was given to another client, or by another issuer, is not to be sent to this one.
    const sameClient =
      (changes.issuer ?? row.issuer) === row.issuer &&
      (changes.upstreamClientId ?? row.upstreamClientId) === row.upstreamClientId;
    const before = sameClient && !replacing ? (kept ?? this.#openIntact(row)) : undefined;
    const envelope = this.envelopes.create({ table: TABLE, id: row.id });
    const seal = (column: string, secret: Secret | undefined) => (secret ? envelope.seal(column, secret) : null);
    const { affected } = await this.#rows.update(
      { id: row.id, generation: row.generation, unlinkedAt: IsNull() },
      {
        ...changes,
        accessToken: seal('access_token', credentials.accessToken),
        refreshToken: seal('refresh_token', credentials.refreshToken ?? before?.refreshToken),
        idToken: seal('id_token', credentials.idToken ?? before?.idToken),
        refreshTokenExpiresAt: refreshTokenExpiryOf(credentials, before && row),
        ...envelope.wrapped,
        tokenType: credentials.tokenType,
        scope: credentials.scope?.join(' ') ?? (replacing ? null : row.scope),
        expiresAt: credentials.expiresAt ?? null,
        obtainedAt: credentials.obtainedAt,
        generation: row.generation + 1,
        updatedAt: this.clock.now(),
      },
    );
    return affected === 1;
  }

  /** Without what was damaged and is lost; a key that is missing here is not. */
  #openIntact(row: LinkedAccountEntity): OpenedTokens {
    try {
      return this.#open(row);
    } catch (error) {
      if (!(error instanceof DecryptionError) || error.code !== 'server.error') throw error;
      this.#logger.error({ id: row.id, detail: error.privateDetail }, 'the tokens of an account are damaged');
      return { accessToken: undefined, refreshToken: undefined, idToken: undefined };
    }
  }

  #open(row: LinkedAccountEntity): OpenedTokens {
    const envelope = this.#envelopeOf(row);
    const unseal = (column: string, ciphertext: string | null) =>
      ciphertext === null ? undefined : envelope?.unseal(column, ciphertext);
    return {
      accessToken: unseal('access_token', row.accessToken),
      refreshToken: unseal('refresh_token', row.refreshToken),
      idToken: unseal('id_token', row.idToken),
    };
  }

  #envelopeOf({ id, dataKey, encryptionKeyId }: LinkedAccountEntity): Envelope | undefined {
    if (dataKey === null || encryptionKeyId === null) return undefined;
    return this.envelopes.open({ table: TABLE, id }, { dataKey, encryptionKeyId });
  }

  async #findLive(where: FindOptionsWhere<LinkedAccountEntity>): Promise<LinkedAccount | undefined> {
    const row = await this.#rows.findOneBy({ ...where, unlinkedAt: IsNull() });
    return row ? toAccount(row) : undefined;
  }

  #query(): SelectQueryBuilder<LinkedAccountEntity> {
    return this.#rows.createQueryBuilder();
  }

  get #rows() {
    return this.unitOfWork.repository(LinkedAccountEntity);
  }
}

const STATUSES: readonly string[] = [
  'active',
  'reauthentication-required',
  'sign-in-only',
] satisfies LinkedAccountStatus[];

/** Known subjects without tokens last; then what the user made the default, the latest choice first; then the most useful, the oldest. */
function inOrderOfUse(one: LinkedAccountEntity, other: LinkedAccountEntity): number {
  const [useOfOne, useOfOther] = [STATUSES.indexOf(one.status), STATUSES.indexOf(other.status)];
  return (
    Number(useOfOne === SUBJECT_ONLY) - Number(useOfOther === SUBJECT_ONLY) ||
    (other.defaultSince ?? 0) - (one.defaultSince ?? 0) ||
    useOfOne - useOfOther ||
    one.createdAt - other.createdAt
  );
}

const SUBJECT_ONLY = STATUSES.indexOf('sign-in-only');

/**
 * Whether tokens that were given on purpose and last would be replaced by some that can do less. A refresh that fails
 * for now proves nothing against them: the provider may merely be away. One that never expires may have been taken back
 * at the provider, where we do not see it: connecting again replaces it.
 */
function isNarrower(
  { scope = [] }: UpstreamCredentials,
  { issuer, upstreamClientId }: AccountIdentity,
  row: LinkedAccountEntity,
): boolean {
  const works = row.status === ('active' satisfies LinkedAccountStatus);
  const lasts = row.refreshToken !== null || row.expiresAt === null;
  const same = row.issuer === issuer && row.upstreamClientId === upstreamClientId;
  const given = row.linkedAt !== null && row.scope?.split(' ').some((name) => name !== '' && !scope.includes(name));
  return works && lasts && same && given === true && !isUnproven(row);
}

/** Whether the tokens were imported, and nothing has said yet that they are this subject's. */
function isUnproven({ verified, idToken }: LinkedAccountEntity): boolean {
  return !verified && idToken === null;
}

/**
 * When the refresh token that is kept expires. What was said of it once holds for as long as nothing else is said, but
 * not when it was good beyond: then using it has prolonged its life.
 */
function refreshTokenExpiryOf(
  { refreshToken, refreshTokenExpiresAt, obtainedAt }: UpstreamCredentials,
  before: LinkedAccountEntity | undefined,
): number | null {
  if (refreshTokenExpiresAt !== undefined) return refreshTokenExpiresAt;
  const saidBefore = (!refreshToken && before?.refreshTokenExpiresAt) || 0;
  return saidBefore > obtainedAt ? saidBefore : null;
}

function beyond(after: { id: string } | undefined): FindOptionsWhere<LinkedAccountEntity> {
  return after ? { id: MoreThan(after.id) } : {};
}

function leaseOf({ leaseOwner, leaseExpiresAt, refreshIntentAt }: LinkedAccountEntity) {
  return { leaseOwner, leaseExpiresAt, refreshIntentAt };
}

function toAccount(row: LinkedAccountEntity): LinkedAccount {
  return {
    id: row.id,
    userId: row.userId,
    identityProvider: row.identityProvider,
    subject: row.subject,
    issuer: row.issuer ?? undefined,
    upstreamClientId: row.upstreamClientId ?? undefined,
    claims: row.claims as Record<string, unknown>,
    status: row.status as LinkedAccountStatus,
    reason: (row.reason as ReauthenticationReason | null) ?? undefined,
    generation: row.generation,
    refreshIntentAt: row.refreshIntentAt ?? undefined,
    leaseEndsAt: row.leaseExpiresAt ?? undefined,
    tokenType: row.tokenType ?? 'Bearer',
    scope: row.scope === null || row.scope === '' ? [] : row.scope.split(' '),
    verified: row.verified,
    expiresAt: row.expiresAt ?? undefined,
    obtainedAt: row.obtainedAt ?? undefined,
    refreshedAt: row.refreshedAt ?? undefined,
    refreshTokenUsedAt: row.refreshTokenUsedAt ?? row.refreshedAt ?? row.obtainedAt ?? row.createdAt,
    authorizedAt: row.authorizedAt ?? row.createdAt,
    readAt: row.readAt ?? undefined,
    lastError: row.lastError ?? undefined,
    failures: row.failures,
    retryAt: row.retryAt ?? undefined,
    linkedAt: row.linkedAt ?? undefined,
    linkedSessionId: row.linkedSessionId ?? undefined,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
