import { Inject, Injectable } from '@nestjs/common';
import ipaddr from 'ipaddr.js';
import { Clock } from '../common/clock.js';
import { digest } from '../common/random.js';
import { requestContext } from '../common/request-context.js';
import { ExpiredRows, UnitOfWork } from '../database/index.js';
import { ThrottleEntity } from './throttle.entity.js';

/** Failures that cost nothing: a person mistypes, and many people may share an address. */
const FREE_FAILURES = { account: 5, address: 50 };
/** 1 s, 2 s, 4 s, … up to the cap, so that a stranger keeps nobody out for longer than that. */
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 15 * 60_000;
const DOUBLINGS = 10;
/** Failures are forgotten after so long without one. */
const WINDOW_MS = 3_600_000;

type Kind = keyof typeof FREE_FAILURES;

interface Counter {
  kind: Kind;
  key: string;
}

/** Whether an attempt was made and succeeded; if it was not even made, when the next one may be. */
export type Attempt = { accepted: boolean; retryAfterSeconds?: number };

/**
 * Failed attempts to prove who one is, counted in the database per account and per address, so that they hold over
 * restarts and for all replicas together. An attempt is counted before it is judged and taken back when it succeeds:
 * guesses that come at the same time cannot exceed the allowance. Names are kept as digests, and names that nobody
 * has are counted alike, so neither an answer nor a dump tells which accounts exist.
 */
@Injectable()
export class Throttling {
  /** Within one process an account's attempts wait for each other: many right ones at once must not look like guesses. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    expiredRows.register(ThrottleEntity);
  }

  /** Has an attempt on the account by the request's address judged, unless there were too many. */
  async attempt(account: string, judge: () => Promise<boolean>): Promise<Attempt> {
    const ofAccount: Counter = { kind: 'account', key: digest(`account:${account.normalize('NFKC').toLowerCase()}`) };
    const counters = [requestAddress(), ofAccount];
    return this.#inTurn(ofAccount.key, async () => {
      const retryAfterSeconds = await this.#count(counters);
      if (retryAfterSeconds !== undefined) return { accepted: false, retryAfterSeconds };
      const accepted = await judge();
      if (accepted) await this.#takeBack(counters);
      return { accepted };
    });
  }

  /** Counts a failure that belongs to no account against the request's address; answers when the next one may be. */
  async failed(): Promise<Attempt> {
    const retryAfterSeconds = await this.#count([requestAddress()]);
    return { accepted: false, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  }

  /** All of them or none. Answers after how many seconds it is worth trying again where one of them is used up. */
  async #count(counters: readonly Counter[]): Promise<number | undefined> {
    try {
      await this.unitOfWork.run(async () => {
        for (const counter of counters) await this.#countOne(counter);
      });
      return undefined;
    } catch (error) {
      if (error instanceof UsedUp) return error.retryAfterSeconds;
      throw error;
    }
  }

  async #countOne({ kind, key }: Counter): Promise<void> {
    const now = this.clock.now();
    const expiresAt = now + WINDOW_MS;
    if (await this.unitOfWork.insertOnce(ThrottleEntity, { key, failures: 1, blockedUntil: null, expiresAt })) return;
    const { affected } = await this.#rows
      .createQueryBuilder()
      .update()
      .set({
        failures: () => 'CASE WHEN expires_at <= :now THEN 1 ELSE failures + 1 END',
        blockedUntil: () =>
          `CASE WHEN expires_at <= :now OR failures + 1 < :free THEN NULL
                WHEN failures + 1 - :free >= ${DOUBLINGS} THEN CAST(:now AS bigint) + ${LONGEST_DELAY_MS}
                ELSE CAST(:now AS bigint) + (${FIRST_DELAY_MS} << (failures + 1 - :free)) END`,
        expiresAt,
      })
      .where('key = :key AND (blocked_until IS NULL OR blocked_until <= :now OR expires_at <= :now)')
      .setParameters({ key, now, free: FREE_FAILURES[kind] })
      .execute();
    if (affected === 1) return;
    const row = await this.#rows.findOneBy({ key });
    throw new UsedUp(Math.max(1, Math.ceil(((row?.blockedUntil ?? now) - now) / 1000)));
  }

  /** Success clears the account; of the address it takes back no more than what this attempt had counted. */
  async #takeBack(counters: readonly Counter[]): Promise<void> {
    await this.unitOfWork.run(async () => {
      for (const { kind, key } of counters) {
        if (kind === 'account') await this.#rows.delete({ key });
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

/** Of IPv6 the network: a subscriber has 2⁶⁴ addresses there. @see RFC 6177 section 2 */
function requestAddress(): Counter {
  const address = requestContext.getStore()?.address ?? '';
  return { kind: 'address', key: digest(`address:${networkOf(address)}`) };
}

function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return '';
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4'
    ? parsed.toString()
    : ipaddr.IPv6.networkAddressFromCIDR(`${address.replace(/%.*$/, '')}/64`).toString();
}
