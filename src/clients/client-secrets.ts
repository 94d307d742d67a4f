import { hash, verify } from '@node-rs/argon2';
import { digest, equalInConstantTime } from '../common/random.js';
import type { Secret } from '../common/secret.js';

const RANDOM = 'sha256:';
/** 256 bits as base64url or hex: what we and any generator make; a shorter secret is taken for a human's. */
const RANDOM_SECRET = /^[A-Za-z0-9_+/=-]{43,}$/;

/**
 * What is stored of a client secret. SHA-256 is safe for 256 random bits and fast; a secret that a human may have
 * made up gets Argon2id.
 */
export async function makeVerifier(secret: Secret): Promise<string> {
  const value = secret.reveal();
  return RANDOM_SECRET.test(value) ? RANDOM + digest(value) : hash(value);
}

export async function matches(secret: Secret, verifier: string): Promise<boolean> {
  const value = secret.reveal();
  return verifier.startsWith(RANDOM)
    ? equalInConstantTime(digest(value), verifier.slice(RANDOM.length))
    : verify(verifier, value);
}
