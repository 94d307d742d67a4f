import { createCipheriv, createDecipheriv } from 'node:crypto';
import { DomainError } from '../common/domain-error.js';
import type { Randomness } from '../common/random.js';
import { Secret } from '../common/secret.js';
import type { EncryptionKey } from '../config/index.js';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The row an envelope belongs to; part of what is authenticated, so that ciphertexts cannot be swapped. */
export interface RowReference {
  table: string;
  id: string;
}

/** What a row keeps beside its ciphertexts: its data key, wrapped, and the id of the key that wraps it. */
export interface WrappedDataKey {
  dataKey: string;
  encryptionKeyId: string;
}

/** After this, a replica that did not know a key has been restarted with it, or another one answers. */
const RETRY_SECONDS = 5;

/**
 * The key of an encrypted row is not among the configured ones (`server.unavailable`: other replicas may have it, and
 * nothing is lost), or the row was tampered with (`server.error`).
 */
export class DecryptionError extends DomainError {
  constructor(code: 'server.unavailable' | 'server.error', privateDetail: string) {
    super(code, {
      privateDetail,
      ...(code === 'server.unavailable' && { meta: { retryAfterSeconds: RETRY_SECONDS } }),
    });
    this.name = 'DecryptionError';
  }
}

/**
 * Envelope encryption: every row has a data key of its own (AES-256-GCM), wrapped by the first of the configured
 * keys; older keys still unwrap. A dump of the database holds no usable secret, and a ciphertext moved to another
 * row or column does not decrypt.
 */
export class Envelopes {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #current: EncryptionKey;

  constructor(
    keys: readonly EncryptionKey[],
    private readonly randomness: Randomness,
  ) {
    const [first] = keys;
    if (!first) throw new Error('at least one key is needed');
    this.#current = first;
    this.#keys = new Map(keys.map(({ id, key }) => [id, key]));
  }

  /** The id of the key that wraps what is written now. */
  get currentKeyId(): string {
    return this.#current.id;
  }

  /** The ids of all configured keys, the current one first. */
  get keyIds(): string[] {
    return [...this.#keys.keys()];
  }

  /** An envelope with a new data key. */
  create(row: RowReference): Envelope {
    const dataKey = this.randomness.bytes(32);
    return new Envelope(row, dataKey, this.#wrap(row, dataKey), this.randomness);
  }

  /** @throws DecryptionError when the key is missing or the wrapped key does not belong to the row. */
  open(row: RowReference, wrapped: WrappedDataKey): Envelope {
    return new Envelope(row, this.#unwrap(row, wrapped), wrapped, this.randomness);
  }

  /**
   * The same data key, wrapped by the current key: what it sealed stays as it is.
   * @throws DecryptionError as `open`
   */
  rewrap(row: RowReference, wrapped: WrappedDataKey): WrappedDataKey {
    return this.#wrap(row, this.#unwrap(row, wrapped));
  }

  #wrap(row: RowReference, dataKey: Buffer): WrappedDataKey {
    const { id, key } = this.#current;
    return { dataKey: encrypt(key, dataKey, wrapContext(row, id), this.randomness), encryptionKeyId: id };
  }

  #unwrap(row: RowReference, { dataKey, encryptionKeyId }: WrappedDataKey): Buffer {
    const key = this.#keys.get(encryptionKeyId);
    if (!key) {
      throw new DecryptionError(
        'server.unavailable',
        `${row.table}: the encryption key ${encryptionKeyId} is not configured`,
      );
    }
    return decrypt(key, dataKey, wrapContext(row, encryptionKeyId), row.table);
  }
}

/** One row's open envelope. */
export class Envelope {
  readonly #dataKey: Buffer;

  constructor(
    private readonly row: RowReference,
    dataKey: Buffer,
    readonly wrapped: WrappedDataKey,
    private readonly randomness: Randomness,
  ) {
    this.#dataKey = dataKey;
  }

  seal(column: string, value: Secret): string {
    return encrypt(this.#dataKey, Buffer.from(value.reveal()), this.#context(column), this.randomness);
  }

  /** @throws DecryptionError when the ciphertext was not sealed for this row and column. */
  unseal(column: string, ciphertext: string): Secret {
    return new Secret(decrypt(this.#dataKey, ciphertext, this.#context(column), this.row.table).toString());
  }

  #context(column: string): string {
    return JSON.stringify(['symbolon', 'column', this.row.table, this.row.id, column]);
  }
}

function wrapContext(row: RowReference, keyId: string): string {
  return JSON.stringify(['symbolon', 'data-key', row.table, row.id, keyId]);
}

function encrypt(key: Buffer, plaintext: Buffer, context: string, randomness: Randomness): string {
  const iv = randomness.bytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(context));
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

function decrypt(key: Buffer, ciphertext: string, context: string, table: string): Buffer {
  try {
    const bytes = Buffer.from(ciphertext, 'base64');
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new DecryptionError(
      'server.error',
      `${table}: a ciphertext does not belong to its row, or was tampered with`,
    );
  }
}
