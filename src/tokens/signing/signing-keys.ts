import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair, type JWK } from 'jose';
import { Clock } from '../../common/clock.js';
import { Secret } from '../../common/secret.js';
import { Configuration, type SigningAlgorithm } from '../../config/index.js';
import { UnitOfWork } from '../../database/index.js';
import { EncryptedTables, Envelopes } from '../../encryption/index.js';
import { Readiness } from '../../health/index.js';
import { SigningKeyEntity } from './signing-key.entity.js';

const TABLE = 'signing_keys';
const PRIVATE_COLUMN = 'private_key';
const CACHE_MS = 30_000;
/** However many unknown `kid`s arrive, the keys are read again at most this often. */
const MISS_COOLDOWN_MS = 1_000;

interface SigningKey {
  kid: string;
  algorithm: SigningAlgorithm;
  status: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  publicJwk: JWK;
}

/**
 * Our signing keys. They live in the database, private halves as ciphertext, so that every replica signs with the
 * same ones and a restart changes nothing; memory holds a short-lived copy.
 */
@Injectable()
export class SigningKeys implements OnModuleInit {
  #cache: { keys: readonly SigningKey[]; readAt: number } | undefined;

  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(EncryptedTables) encryptedTables: EncryptedTables,
    @Inject(Readiness) readiness: Readiness,
  ) {
    encryptedTables.register(SigningKeyEntity);
    readiness.register('signing keys', async () => {
      await this.current('ES256');
    });
  }

  /** Several replicas may start at once: the unique index lets one key per algorithm win. */
  async onModuleInit(): Promise<void> {
    for (const algorithm of this.configuration.environment.SIGNING_ALGS) {
      if (!(await this.#rows.existsBy({ algorithm, status: 'current' }))) await this.#generate(algorithm);
    }
  }

  async current(algorithm: SigningAlgorithm): Promise<SigningKey> {
    const key = (await this.#keys()).find(
      (candidate) => candidate.algorithm === algorithm && candidate.status === 'current',
    );
    if (!key) throw new Error(`there is no current ${algorithm} key`);
    return key;
  }

  /** The key that verifies a token of ours; a `kid` that another replica just introduced is found, too. */
  async verificationKey(kid: string | undefined, algorithm: string | undefined): Promise<KeyObject | undefined> {
    const known = async () => (await this.#keys()).find((key) => key.kid === kid && key.algorithm === algorithm);
    const hit = await known();
    if (hit || kid === undefined) return hit?.publicKey;
    if (this.#cache && this.clock.now() - this.#cache.readAt > MISS_COOLDOWN_MS) this.#cache = undefined;
    return (await known())?.publicKey;
  }

  /** @see RFC 7517 section 5 */
  async publicJwks(): Promise<JWK[]> {
    return (await this.#keys()).map(({ publicJwk }) => publicJwk);
  }

  async #generate(algorithm: SigningAlgorithm): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true, modulusLength: 2048 });
    const jwk = await exportJWK(publicKey);
    const kid = await calculateJwkThumbprint(jwk);
    const envelope = this.envelopes.create({ table: TABLE, id: kid });
    await this.unitOfWork.insertOnce(SigningKeyEntity, {
      kid,
      algorithm,
      status: 'current',
      publicJwk: { ...jwk, kid, alg: algorithm, use: 'sig' },
      privateKey: envelope.seal(PRIVATE_COLUMN, new Secret(await exportPKCS8(privateKey))),
      ...envelope.wrapped,
      createdAt: this.clock.now(),
      activatedAt: this.clock.now(),
      retiredAt: null,
    });
  }

  async #keys(): Promise<readonly SigningKey[]> {
    const now = this.clock.now();
    if (this.#cache && now - this.#cache.readAt < CACHE_MS) return this.#cache.keys;
    const rows = await this.#rows.find({ order: { createdAt: 'ASC' } });
    const keys = rows.map((row): SigningKey => {
      const pem = this.envelopes.open({ table: TABLE, id: row.kid }, row).unseal(PRIVATE_COLUMN, row.privateKey);
      const privateKey = createPrivateKey(pem.reveal());
      return {
        kid: row.kid,
        algorithm: row.algorithm as SigningAlgorithm,
        status: row.status,
        privateKey,
        publicKey: createPublicKey(privateKey),
        publicJwk: row.publicJwk,
      };
    });
    this.#cache = { keys, readAt: now };
    return keys;
  }

  get #rows() {
    return this.unitOfWork.repository(SigningKeyEntity);
  }
}
