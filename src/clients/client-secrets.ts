import { hash, verify } from '@node-rs/argon2';
import { Inject, Injectable } from '@nestjs/common';
import { digest, equalInConstantTime, Randomness } from '../common/random.js';
import type { Secret } from '../common/secret.js';
import { EncryptedTables, Envelopes } from '../encryption/index.js';
import { ClientSecretEntity } from './client.entity.js';

const TABLE = 'client_secrets';
const SECRET = 'secret';
const RANDOM = 'sha256:';
/** 256 bits as base64url or hex: what we and any generator make; a shorter secret is taken for a human's. */
const RANDOM_SECRET = /^[A-Za-z0-9_+/=-]{43,}$/;

/** What is kept of a secret. */
export type StoredSecret = Pick<ClientSecretEntity, 'id' | 'verifier' | 'secret' | 'dataKey' | 'encryptionKeyId'>;

/** One that is valid now, and until when, in milliseconds since the epoch. */
export type LiveSecret = StoredSecret & { expiresAt: number | undefined };

/**
 * What is stored of a client secret: a digest, which says whether the right one is presented. The secret itself only of
 * clients that sign with it instead of presenting it, as ciphertext.
 */
@Injectable()
export class ClientSecrets {
  constructor(
    @Inject(Envelopes) private readonly envelopes: Envelopes,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(EncryptedTables) encryptedTables: EncryptedTables,
  ) {
    encryptedTables.register(ClientSecretEntity);
  }

  async seal(secret: Secret, { signs }: { signs: boolean }): Promise<StoredSecret> {
    const id = this.randomness.id();
    const verifier = await makeVerifier(secret);
    if (!signs) return { id, verifier, secret: null, dataKey: null, encryptionKeyId: null };
    const envelope = this.envelopes.create({ table: TABLE, id });
    return { id, verifier, secret: envelope.seal(SECRET, secret), ...envelope.wrapped };
  }

  /** The secret that the client signs with. @throws DecryptionError */
  open({ id, secret, dataKey, encryptionKeyId }: StoredSecret): Secret | undefined {
    if (secret === null || dataKey === null || encryptionKeyId === null) return undefined;
    return this.envelopes.open({ table: TABLE, id }, { dataKey, encryptionKeyId }).unseal(SECRET, secret);
  }
}

/** SHA-256 is safe for 256 random bits and fast; a secret that a human may have made up gets Argon2id. */
export async function makeVerifier(secret: Secret): Promise<string> {
  const value = secret.reveal();
  return RANDOM_SECRET.test(value) ? RANDOM + digest(value) : hash(value);
}

export async function matches(secret: Secret, verifier: string): Promise<boolean> {
  const value = secret.reveal();
  return isGuessable(verifier)
    ? verify(verifier, value)
    : equalInConstantTime(digest(value), verifier.slice(RANDOM.length));
}

/** Whether a human may have made the secret up: then guesses have to be counted. */
export function isGuessable(verifier: string): boolean {
  return !verifier.startsWith(RANDOM);
}
