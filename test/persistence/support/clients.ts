import { randomUUID } from 'node:crypto';
import { makeVerifier, type StoredSecret } from '../../../src/clients/client-secrets.js';
import { toNewClient } from '../../../src/clients/client-entry.js';
import type { NewClient } from '../../../src/clients/client.js';
import type { Secret } from '../../../src/common/secret.js';
import { clientDeclaration } from '../../../src/config/index.js';

/** A client as CONFIG_FILE would write it. */
export function newClient(entry: object): NewClient {
  return toNewClient(clientDeclaration.parse(entry));
}

/** What is kept of a secret that a client presents. */
export async function storedSecret(secret: Secret): Promise<StoredSecret> {
  const verifier = await makeVerifier(secret);
  return { id: randomUUID(), verifier, secret: null, dataKey: null, encryptionKeyId: null };
}
