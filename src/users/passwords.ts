import { hash, verify } from '@node-rs/argon2';
import type { Secret } from '../common/secret.js';

/** OWASP's Argon2id profile of 19 MiB, two passes, one lane. */
const PROFILE = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Verified against when there is nothing to verify against, so that an unknown name takes as long as a wrong password. */
let decoy: Promise<string> | undefined;

/** Argon2id in PHC string format. @see RFC 9106 */
export function hashPassword(password: Secret): Promise<string> {
  return hash(password.reveal(), PROFILE);
}

export async function verifyPassword(password: Secret, passwordHash: string | null): Promise<boolean> {
  decoy ??= hash('no password is this one', PROFILE);
  const matches = await verify(passwordHash ?? (await decoy), password.reveal());
  return matches && passwordHash !== null;
}
