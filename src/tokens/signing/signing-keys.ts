import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { JWK } from 'jose';
import { Clock } from '../../common/clock.js';
import type { SigningAlgorithm } from '../../config/index.js';
import { UnitOfWork } from '../../database/index.js';
import { EncryptedTables, Envelopes } from '../../encryption/index.js';
import { Readiness } from '../../health/index.js';
import { SIGNING_KEYS_TABLE, SigningKeyEntity, type SigningKeyStatus } from './signing-key.entity.js';

/** So old may be what a process knows: so soon all of them refuse what a key that was removed had signed. */
const CACHE_MS = 1_000;
/** However many unknown `kid`s arrive, the keys are read again at most this often. */
const MISS_COOLDOWN_MS = 100;

/** The key that signs stands first, for readers of the key set who take the first that fits. */
const ORDER: readonly SigningKeyStatus[] = ['current', 'next', 'retired'];

interface KeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

/**
 * Our signing keys. They live in the database, private halves as ciphertext, so that every replica signs with the
 * same ones and a restart changes nothing; memory holds a short-lived copy.
 */
@Injectable()
export class SigningKeys {
  #cache: { rows: readonly SigningKeyEntity[]; readAt: number } | undefined;
  /** A `kid` is a digest of its key, so that what was opened once stays true while the row is there. */
  readonly #opened = new Map<string, KeyPair>();

  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(EncryptedTables) encryptedTables: EncryptedTables,
    @Inject(Readiness) readiness: Readiness,
  ) {
    encryptedTables.register(SigningKeyEntity);
    readiness.register('signing keys', async () => {
      await this.current('ES256');
    });
  }

  async current(algorithm: SigningAlgorithm): Promise<{ kid: string; privateKey: KeyObject }> {
    const row = (await this.#rows()).find((key) => key.algorithm === algorithm && key.status === 'current');
    if (!row) throw new Error(`there is no current ${algorithm} key`);
    return { kid: row.kid, privateKey: this.#open(row).privateKey };
  }

  /** The key that verifies a token of ours; a `kid` that another replica just introduced is found, too. */
  async verificationKey(kid: string | undefined, algorithm: string | undefined): Promise<KeyObject | undefined> {
    if (kid === undefined) return undefined;
    const known = async () => (await this.#rows()).find((key) => key.kid === kid && key.algorithm === algorithm);
    let row = await known();
    if (!row && this.#cache && this.clock.now() - this.#cache.readAt > MISS_COOLDOWN_MS) {
      this.forget();
      row = await known();
    }
    return row && this.#open(row).publicKey;
  }

  /** @see RFC 7517 section 5 */
  async publicJwks(): Promise<JWK[]> {
    return (await this.#rows()).map(({ publicJwk }) => publicJwk);
  }

  /** For whoever has changed the keys: this process sees it at once. */
  forget(): void {
    this.#cache = undefined;
  }

  /** Only once it is needed: a damaged row ends what its own key has signed, and nothing else. */
  #open({ kid, privateKey: ciphertext, ...wrapped }: SigningKeyEntity): KeyPair {
    const opened = this.#opened.get(kid);
    if (opened) return opened;
    const pem = this.envelopes.open({ table: SIGNING_KEYS_TABLE, id: kid }, wrapped).unseal('private_key', ciphertext);
    const privateKey = createPrivateKey(pem.reveal());
    const pair = { privateKey, publicKey: createPublicKey(privateKey) };
    this.#opened.set(kid, pair);
    return pair;
  }

  async #rows(): Promise<readonly SigningKeyEntity[]> {
    const now = this.clock.now();
    if (this.#cache && now - this.#cache.readAt < CACHE_MS) return this.#cache.rows;
    const rows = inOrder(await this.unitOfWork.repository(SigningKeyEntity).find());
    const kids = new Set(rows.map(({ kid }) => kid));
    for (const kid of this.#opened.keys()) if (!kids.has(kid)) this.#opened.delete(kid);
    this.#cache = { rows, readAt: now };
    return rows;
  }
}

/** By status, the newest first. */
export function inOrder(rows: SigningKeyEntity[]): SigningKeyEntity[] {
  return rows.toSorted(
    (one, other) =>
      ORDER.indexOf(one.status) - ORDER.indexOf(other.status) ||
      other.createdAt - one.createdAt ||
      one.kid.localeCompare(other.kid),
  );
}
