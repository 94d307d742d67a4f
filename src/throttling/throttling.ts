import { Inject, Injectable } from '@nestjs/common';
import ipaddr from 'ipaddr.js';
import { And, LessThanOrEqual, MoreThan } from 'typeorm';
import { Clock, CLOCK_TOLERANCE_MS } from '../common/clock.js';
import { digest } from '../common/random.js';
import { requestContext } from '../common/request-context.js';
import { ExpiredRows, UnitOfWork } from '../database/index.js';
import { ThrottleEntity } from './throttle.entity.js';

/**
 * Failures that cost nothing: a person mistypes, and many people may share an address. A stranger who fails on
 * somebody's account uses up the allowance of their own address there; the one that all addresses share is for those
 * who have many, and so large that only they keep its user waiting. A client is a program, in many instances at one
 * address: deployed once with a wrong secret it fails far more often before anybody knows.
 */
const FREE_FAILURES = {
  user: { accountAtAddress: 5, address: 50, account: 100 },
  client: { accountAtAddress: 50, address: 500, account: 1_000 },
};
/** 1 s, 2 s, 4 s, … up to the cap. */
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 15 * 60_000;
const DOUBLINGS = 10;
/** Failures are forgotten after so long without one. */
const WINDOW_MS = 3_600_000;
/** Those, too, that were counted before the clock was turned back: nobody is kept waiting until it gets there again. */
const FORGOTTEN = '(expires_at <= :now OR expires_at > :beyond)';

type Prover = keyof typeof FREE_FAILURES;
type Kind = keyof (typeof FREE_FAILURES)[Prover];

interface Counter {
  kind: Kind;
  key: string;
  free: number;
}

/** Whether an attempt was made and succeeded; if it was not even made, when the next one may be. */
export type Attempt = { accepted: boolean; retryAfterSeconds?: number };

/**
 * Failed attempts to prove who one is, counted in the database per account and address, per address and per account,
 * so that they hold over restarts and for all replicas together. An attempt is counted before it is judged and taken back when it succeeds:
 * guesses that come at the same time cannot exceed the allowance. Names are kept as digests, and names that nobody
 * has are counted alike, so neither an answer nor a dump tells which accounts exist.
 */
@Injectable()
export class Throttling {
  /** Within one process the attempts of one address on an account wait for each other: many right ones at once must not look like guesses. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    expiredRows.register(ThrottleEntity);
  }

  /** Has an attempt on the account by the request's address judged, unless there were too many. */
  async attempt(
    account: string,
    judge: () => Promise<boolean>,
    { by = 'user' }: { by?: Prover } = {},
  ): Promise<Attempt> {
    const address = requestAddress();
    const others = by === 'user' ? [] : [by];
    // Names are compared exactly where accounts are looked up, too. All callers take the counters in this order.
    const atAddress = counterOf(by, 'accountAtAddress', address, account, ...others);
    const counters = [
      counterOf(by, 'address', address, ...others),
      atAddress,
      counterOf(by, 'account', account, ...others),
    ];
    return this.#inTurn(atAddress.key, async () => {
      const retryAfterSeconds = await this.#count(counters);
      if (retryAfterSeconds !== undefined) return { accepted: false, retryAfterSeconds };
      const accepted = await judge();
      if (accepted) await this.#takeBack(counters);
      return { accepted };
    });
  }

  /**
   * Counts a failure that belongs to no account against the request's address; answers when the next one may be. What
   * was attempted has an allowance of its own.
   */
  async failed(what: string): Promise<Attempt> {
    const retryAfterSeconds = await this.#count([counterOf('user', 'address', requestAddress(), what)]);
    return { accepted: false, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  }

  /** All of them or none. Answers after how many seconds it is worth trying again where one of them is used up. */
  async #count(counters: readonly Counter[]): Promise<number | undefined> {
    try {
      await this.unitOfWork.run(async () => {
        let heeded = true;
        for (const counter of counters) {
          if (counter.kind === 'account' && !heeded) await this.#look(counter);
          else heeded = (await this.#countOne(counter)) || counter.kind !== 'accountAtAddress';
        }
      });
      return undefined;
    } catch (error) {
      if (error instanceof UsedUp) return error.retryAfterSeconds;
      throw error;
    }
  }

  /** Whoever has worn out their own address on an account is heeded no more: they cannot keep it closed to the others. */
  async #look({ key }: Counter): Promise<void> {
    const now = this.clock.now();
    const row = await this.#rows.findOneBy({
      key,
      blockedUntil: MoreThan(now),
      expiresAt: And(MoreThan(now), LessThanOrEqual(now + WINDOW_MS + CLOCK_TOLERANCE_MS)),
    });
    if (row?.blockedUntil) throw usedUp(row.blockedUntil, now);
  }

  /** Answers whether the failure, if it becomes one, is among those that cost nothing. */
  async #countOne({ key, free }: Counter): Promise<boolean> {
    const now = this.clock.now();
    const expiresAt = now + WINDOW_MS;
    if (await this.unitOfWork.insertOnce(ThrottleEntity, { key, failures: 1, blockedUntil: null, expiresAt }))
      return true;
    const { affected } = await this.#rows
      .createQueryBuilder()
      .update()
      .set({
        failures: () => `CASE WHEN ${FORGOTTEN} THEN 1 ELSE failures + 1 END`,
        blockedUntil: () =>
          `CASE WHEN ${FORGOTTEN} OR failures + 1 < :free THEN NULL
                WHEN failures + 1 - :free >= ${DOUBLINGS} THEN CAST(:now AS bigint) + ${LONGEST_DELAY_MS}
                ELSE CAST(:now AS bigint) + (${FIRST_DELAY_MS} << (failures + 1 - :free)) END`,
        expiresAt,
      })
      .where(`key = :key AND (blocked_until IS NULL OR blocked_until <= :now OR ${FORGOTTEN})`)
      .setParameters({ key, now, beyond: now + WINDOW_MS + CLOCK_TOLERANCE_MS, free })
      .execute();
    const row = await this.#rows.findOneBy({ key });
    if (affected !== 1) throw usedUp(row?.blockedUntil ?? now, now);
    return (row?.failures ?? 0) <= free;
  }

  /** Success clears the account; of the address it takes back no more than what this attempt had counted. */
  async #takeBack(counters: readonly Counter[]): Promise<void> {
    await this.unitOfWork.run(async () => {
      for (const { kind, key } of counters) {
        if (kind !== 'address') await this.#rows.delete({ key });
        else await this.#rows.update({ key }, { failures: () => 'failures - 1', blockedUntil: null });
      }
    });
  }

  async #inTurn<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(work, work);
    this.#turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  get #rows() {
    return this.unitOfWork.repository(ThrottleEntity);
  }
}

class UsedUp extends Error {
  constructor(readonly retryAfterSeconds: number) {
    super('too many failures');
  }
}

function usedUp(blockedUntil: number, now: number): UsedUp {
  return new UsedUp(Math.max(1, Math.ceil((blockedUntil - now) / 1000)));
}

function counterOf(by: Prover, kind: Kind, ...names: string[]): Counter {
  return { kind, key: digest(JSON.stringify([kind, ...names])), free: FREE_FAILURES[by][kind] };
}

/** Of IPv6 the network: a subscriber has 2⁶⁴ addresses there. @see RFC 6177 section 2 */
function requestAddress(): string {
  const address = requestContext.getStore()?.address ?? '';
  if (!ipaddr.isValid(address)) return '';
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4'
    ? parsed.toString()
    : ipaddr.IPv6.networkAddressFromCIDR(`${address.replace(/%.*$/, '')}/64`).toString();
}
