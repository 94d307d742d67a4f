import { toNewClient } from '../../../src/clients/client-entry.js';
import type { NewClient } from '../../../src/clients/client.js';
import { clientDeclaration } from '../../../src/config/index.js';

/** A client as CONFIG_FILE would write it. */
export function newClient(entry: object): NewClient {
  return toNewClient(clientDeclaration.parse(entry));
}
