import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import { In, LessThan, Not } from 'typeorm';
import { Audit } from '../../audit/index.js';
import { Clock } from '../../common/clock.js';
import { DomainError, invalidParameter } from '../../common/domain-error.js';
import { Secret } from '../../common/secret.js';
import { Configuration, type SigningAlgorithm } from '../../config/index.js';
import { UnitOfWork } from '../../database/index.js';
import { Envelopes } from '../../encryption/index.js';
import { Jobs } from '../../jobs/index.js';
import { SIGNING_KEYS_TABLE, SigningKeyEntity, type SigningKeyStatus } from './signing-key.entity.js';
import { inOrder, SigningKeys } from './signing-keys.js';

const JOB = 'signing-keys';
const EVERY_MS = 10 * 60_000;
const DAY_MS = 24 * 3_600_000;
/** Whoever verifies tokens keeps our key set for minutes; nobody should meet a signature whose key they cannot know. */
const KNOWN_AFTER_MS = 3_600_000;
/** A minute more than the longest life of a token, for those that another replica signed a moment later. */
const KEPT_MS = DAY_MS + 60_000;
/** RFC 7518 section 3.3. */
const RSA_BITS = 2048;

/** A key without its private half; instants are epoch ms. */
export interface SigningKeyUse {
  kid: string;
  algorithm: string;
  status: SigningKeyStatus;
  createdAt: number;
  /** Since when it signs, or signed. */
  activatedAt: number | undefined;
  retiredAt: number | undefined;
  /** When it can sign, will be replaced, or will be removed; nothing where the operator decides. */
  changesAt: number | undefined;
}

export interface RotationRequest {
  /** All of them where it says nothing. */
  algorithm?: SigningAlgorithm | undefined;
  /** Although the next key may not be known to everybody who verifies tokens. */
  immediately?: boolean | undefined;
  /** Because keys may have got out: nothing that they signed is accepted any more. */
  revokePrevious?: boolean | undefined;
}

/** One key to take another's place. */
interface Succession {
  current: SigningKeyEntity;
  next: SigningKeyEntity;
  afterNext: SigningKeyEntity;
}

/**
 * Which key signs. Each algorithm has one that signs, one that is published for when it will, and retired ones, which
 * verify until what they signed has ended. What changes is conditional on what was read, in one transaction: of two
 * replicas that rotate at once one does it.
 */
@Injectable()
export class SigningKeyRotation implements OnModuleInit {
  readonly #logger = new Logger('SigningKeyRotation');
  readonly #everyMs: number;

  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(SigningKeys) private readonly keys: SigningKeys,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Jobs) jobs: Jobs,
  ) {
    this.#everyMs = configuration.environment.SIGNING_KEY_ROTATION_DAYS * DAY_MS;
    jobs.register(JOB, { everyMs: EVERY_MS, run: (signal) => this.run(signal) });
  }

  /** Several replicas may start at once: the unique index lets one key of each kind win. */
  async onModuleInit(): Promise<void> {
    await this.#complete();
  }

  /** What time brings about. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#complete();
    const now = this.clock.now();
    for (const algorithm of this.#algorithms) {
      if (signal.aborted) return;
      const { current, next } = pairOf(await this.#rows.find(), algorithm);
      const due = this.#everyMs > 0 && current && (current.activatedAt ?? current.createdAt) + this.#everyMs <= now;
      if (due && next && knownFrom(next, current) <= now) await this.#rotate([algorithm], 'scheduled');
    }
    await this.#dropOtherAlgorithms();
    const { affected } = await this.#rows.delete({ status: 'retired', retiredAt: LessThan(now - KEPT_MS) });
    if (affected) this.keys.forget();
  }

  /**
   * Has the next key sign, or after `revokePrevious` one that is new: what let the others out may have let out the next
   * one, too. Requested for several algorithms, it happens for all of them or none.
   * @throws DomainError `resource.conflict` where the next key is too young, or somebody else rotated meanwhile
   */
  async rotate({ algorithm, immediately = false, revokePrevious = false }: RotationRequest): Promise<void> {
    if (revokePrevious) return this.#replace(algorithm);
    const algorithms = algorithm === undefined ? this.#algorithms : [algorithm];
    if (algorithms.some((one) => !this.#algorithms.includes(one))) {
      throw invalidParameter('algorithm', 'is not among SIGNING_ALGS');
    }
    await this.#complete();
    if (!immediately) await this.#refuseUnknown(algorithms);
    await this.#rotate(algorithms, immediately ? 'immediate' : 'requested');
  }

  /** By status, the newest first. */
  async list(): Promise<SigningKeyUse[]> {
    const rows = await this.#rows.find();
    return inOrder(rows).map((row) => ({
      kid: row.kid,
      algorithm: row.algorithm,
      status: row.status,
      createdAt: row.createdAt,
      activatedAt: row.status === 'next' ? undefined : (row.activatedAt ?? row.createdAt),
      retiredAt: row.retiredAt ?? undefined,
      changesAt: row.status === 'next' ? knownFrom(row, pairOf(rows, row.algorithm).current) : this.#changesAt(row),
    }));
  }

  #changesAt({ status, createdAt, activatedAt, retiredAt }: SigningKeyEntity): number | undefined {
    if (status === 'retired') return (retiredAt ?? createdAt) + KEPT_MS;
    return this.#everyMs === 0 ? undefined : (activatedAt ?? createdAt) + this.#everyMs;
  }

  /** Makes what is missing: a key that signs, and one that will. */
  async #complete(): Promise<void> {
    const rows = await this.#rows.find({ select: { algorithm: true, status: true } });
    const now = this.clock.now();
    const missing = this.#algorithms.flatMap((algorithm) =>
      (['current', 'next'] as const)
        .filter((status) => !rows.some((row) => row.algorithm === algorithm && row.status === status))
        .map((status) => this.#make(algorithm, status, now)),
    );
    for (const key of await Promise.all(missing)) await this.unitOfWork.insertOnce(SigningKeyEntity, key);
    if (missing.length > 0) this.keys.forget();
  }

  async #refuseUnknown(algorithms: readonly SigningAlgorithm[]): Promise<void> {
    const rows = await this.#rows.findBy({ algorithm: In(algorithms) });
    const pairs = algorithms.map((algorithm) => pairOf(rows, algorithm));
    if (pairs.every(({ current, next }) => !next || knownFrom(next, current) <= this.clock.now())) return;
    throw new DomainError('resource.conflict', {
      publicDetail: 'A next key is too new to be known to everybody who verifies tokens.',
    });
  }

  async #rotate(algorithms: readonly SigningAlgorithm[], reason: string): Promise<void> {
    const rows = await this.#rows.find();
    const now = this.clock.now();
    const successions = await Promise.all(
      algorithms.map(async (algorithm): Promise<Succession> => {
        const { current, next } = pairOf(rows, algorithm);
        if (!current || !next) throw rotatedMeanwhile();
        return { current, next, afterNext: await this.#make(algorithm, 'next', now) };
      }),
    );
    await this.#change(reason, algorithms, async () => {
      for (const succession of successions) await this.#succeed(succession);
    });
  }

  async #succeed({ current, next, afterNext }: Succession): Promise<void> {
    const now = this.clock.now();
    const changes = [
      await this.#rows.update({ kid: current.kid, status: 'current' }, { status: 'retired', retiredAt: now }),
      await this.#rows.update({ kid: next.kid, status: 'next' }, { status: 'current', activatedAt: now }),
    ];
    if (changes.some(({ affected }) => affected !== 1)) throw rotatedMeanwhile();
    await this.#insert(afterNext);
  }

  async #replace(algorithm: SigningAlgorithm | undefined): Promise<void> {
    const replaced = await this.#rows.find({
      select: { kid: true },
      ...(algorithm !== undefined && { where: { algorithm } }),
    });
    const algorithms = this.#algorithms.filter((one) => algorithm === undefined || one === algorithm);
    const now = this.clock.now();
    const made = await Promise.all(
      algorithms.flatMap((one) => [this.#make(one, 'current', now), this.#make(one, 'next', now)]),
    );
    await this.#change('revoked', algorithm === undefined ? algorithms : [algorithm], async () => {
      const { affected } = await this.#rows.delete({ kid: In(replaced.map(({ kid }) => kid)) });
      if (affected !== replaced.length) throw rotatedMeanwhile();
      for (const key of made) await this.#insert(key);
    });
  }

  async #change(reason: string, algorithms: readonly string[], work: () => Promise<void>): Promise<void> {
    await this.unitOfWork.run(async () => {
      await work();
      for (const algorithm of algorithms) {
        await this.audit.record({
          event: 'signing-keys.rotated',
          outcome: 'success',
          reason: `${reason} ${algorithm}`,
        });
      }
      this.unitOfWork.afterCommit(() => this.keys.forget());
    });
    this.#logger.log({ reason, algorithms }, 'signing keys were rotated');
  }

  async #insert(key: SigningKeyEntity): Promise<void> {
    if (!(await this.unitOfWork.insertOnce(SigningKeyEntity, key))) throw rotatedMeanwhile();
  }

  /**
   * What is no longer in SIGNING_ALGS signs no more; what it signed is verified until it has ended. A young key may be of
   * an algorithm that was just added, by a replica that has the new setting already.
   */
  async #dropOtherAlgorithms(): Promise<void> {
    const others = { algorithm: Not(In([...this.#algorithms])), createdAt: LessThan(this.clock.now() - DAY_MS) };
    const changes = [
      await this.#rows.delete({ ...others, status: 'next' }),
      await this.#rows.update({ ...others, status: 'current' }, { status: 'retired', retiredAt: this.clock.now() }),
    ];
    if (changes.some(({ affected }) => affected)) this.keys.forget();
  }

  async #make(algorithm: SigningAlgorithm, status: SigningKeyStatus, now: number): Promise<SigningKeyEntity> {
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true, modulusLength: RSA_BITS });
    const jwk = await exportJWK(publicKey);
    const kid = await calculateJwkThumbprint(jwk);
    const envelope = this.envelopes.create({ table: SIGNING_KEYS_TABLE, id: kid });
    return {
      kid,
      algorithm,
      status,
      publicJwk: { ...jwk, kid, alg: algorithm, use: 'sig' },
      privateKey: envelope.seal('private_key', new Secret(await exportPKCS8(privateKey))),
      ...envelope.wrapped,
      createdAt: now,
      activatedAt: status === 'current' ? now : null,
      retiredAt: null,
    };
  }

  get #algorithms(): readonly SigningAlgorithm[] {
    return this.configuration.environment.SIGNING_ALGS;
  }

  get #rows() {
    return this.unitOfWork.repository(SigningKeyEntity);
  }
}

function pairOf(rows: readonly SigningKeyEntity[], algorithm: string) {
  const find = (status: SigningKeyStatus) => rows.find((row) => row.algorithm === algorithm && row.status === status);
  return { current: find('current'), next: find('next') };
}

/** At once where no key set was ever published that has the current one and not the next: when both were made at the same time. */
function knownFrom({ createdAt }: SigningKeyEntity, current: SigningKeyEntity | undefined): number {
  return current && createdAt <= current.createdAt ? createdAt : createdAt + KNOWN_AFTER_MS;
}

function rotatedMeanwhile(): DomainError {
  return new DomainError('resource.conflict', { publicDetail: 'The keys were rotated meanwhile.' });
}
