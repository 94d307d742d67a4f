import { Audit } from '../../../src/audit/index.js';
import { Readiness } from '../../../src/health/index.js';
import { Jobs } from '../../../src/jobs/index.js';
import { SigningKeyRotation } from '../../../src/tokens/signing/signing-key-rotation.js';
import { SigningKeys } from '../../../src/tokens/signing/signing-keys.js';
import type { Replica } from './storage.js';

/** The signing keys on one replica, as the service puts them together. */
export function signingRoomOf({ unitOfWork, clock, randomness, envelopes, encryptedTables, configuration }: Replica) {
  const keys = new SigningKeys(unitOfWork, clock, envelopes, encryptedTables, new Readiness());
  const audit = new Audit(unitOfWork, clock, randomness);
  const jobs = new Jobs(unitOfWork, clock, randomness);
  const rotation = new SigningKeyRotation(unitOfWork, clock, configuration, envelopes, keys, audit, jobs);
  return { keys, rotation };
}
