import { randomUUID } from 'node:crypto';
import { ClientSecrets, makeVerifier, type StoredSecret } from '../../../src/clients/client-secrets.js';
import { ClientAssertions } from '../../../src/clients/authentication/client-assertions.js';
import { ClientAuthentication } from '../../../src/clients/authentication/client-authentication.js';
import { ClientKeys } from '../../../src/clients/authentication/client-keys.js';
import type { ClientsRepository } from '../../../src/clients/clients.repository.js';
import { Throttling } from '../../../src/throttling/index.js';
import { toNewClient } from '../../../src/clients/client-entry.js';
import type { NewClient } from '../../../src/clients/client.js';
import type { Secret } from '../../../src/common/secret.js';
import { clientDeclaration } from '../../../src/config/index.js';
import type { Replica } from './storage.js';

/** A client as CONFIG_FILE would write it. */
export function newClient(entry: object): NewClient {
  return toNewClient(clientDeclaration.parse(entry));
}

export function clientSecretsOf({ envelopes, randomness, encryptedTables }: Replica): ClientSecrets {
  return new ClientSecrets(envelopes, randomness, encryptedTables);
}

/** What is kept of a secret that a client presents. */
export async function storedSecret(secret: Secret): Promise<StoredSecret> {
  const verifier = await makeVerifier(secret);
  return { id: randomUUID(), verifier, secret: null, dataKey: null, encryptionKeyId: null };
}

export function clientAuthenticationOf(replica: Replica, clients: ClientsRepository): ClientAuthentication {
  const { unitOfWork, clock, configuration, expiredRows } = replica;
  const keys = new ClientKeys(configuration, clock);
  const secrets = clientSecretsOf(replica);
  const assertions = new ClientAssertions(keys, secrets, clients, unitOfWork, clock, configuration, expiredRows);
  return new ClientAuthentication(
    clients,
    assertions,
    new Throttling(unitOfWork, clock, expiredRows),
    unitOfWork,
    clock,
  );
}
