import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';

/** The source of everything unguessable; injected so that a test can make runs repeatable. */
export abstract class Randomness {
  abstract bytes(length: number): Buffer;

  /** A bearer value with 256 bits of entropy, base64url. */
  token(): string {
    return this.bytes(32).toString('base64url');
  }

  /** An identifier that needs to be unique, not secret. */
  abstract id(): string;
}

export class SystemRandomness extends Randomness {
  bytes(length: number): Buffer {
    return randomBytes(length);
  }

  id(): string {
    return randomUUID();
  }
}

/**
 * How a bearer value is stored: SHA-256, base64url. Safe without salt or stretching only because the
 * values have at least 256 random bits; human passwords go through Argon2id instead.
 */
export function digest(value: string): string {
  return createHash('sha256').update(value).digest('base64url');
}

/** Compares two strings in time that does not depend on where they differ. */
export function equalInConstantTime(left: string, right: string): boolean {
  return timingSafeEqual(createHash('sha256').update(left).digest(), createHash('sha256').update(right).digest());
}
