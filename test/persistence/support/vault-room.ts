import { Audit } from '../../../src/audit/index.js';
import { AppliedDeclarations } from '../../../src/config/index.js';
import { IdentityProvidersRepository, UpstreamClients } from '../../../src/identity-providers/index.js';
import { AccountJournal } from '../../../src/idp-offline-access/account-journal.js';
import { LinkedAccountsRepository } from '../../../src/idp-offline-access/linked-accounts.repository.js';
import { LinkedAccounts } from '../../../src/idp-offline-access/linked-accounts.js';
import { UpstreamCircuits } from '../../../src/idp-offline-access/upstream-circuits.js';
import { UpstreamRevocation } from '../../../src/idp-offline-access/upstream-revocation.js';
import { Outbox } from '../../../src/outbox/index.js';
import { OutboxMessages } from '../../../src/outbox/outbox-messages.js';
import { UsersRepository } from '../../../src/users/index.js';
import type { Replica } from './storage.js';
import { webhooksOf } from './webhooks-room.js';

/** The vault's rooms on one replica, as the service puts them together. */
export function roomOf(replica: Replica) {
  const { unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows, configuration } = replica;
  const accounts = new LinkedAccountsRepository(unitOfWork, clock, randomness, envelopes, encryptedTables);
  const providers = new IdentityProvidersRepository(unitOfWork, clock, randomness, envelopes, encryptedTables);
  const audit = new Audit(unitOfWork, clock, randomness);
  const circuits = new UpstreamCircuits(unitOfWork, clock, randomness, configuration);
  const messages = new OutboxMessages(unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows);
  const outbox = new Outbox(messages, unitOfWork, clock, randomness);
  const upstreamClients = new UpstreamClients({ allow: [], tokenTimeoutMs: 1_000, clock });
  const revocation = new UpstreamRevocation(outbox, providers, upstreamClients, circuits, accounts, audit, clock);
  const users = new UsersRepository(unitOfWork, clock, randomness);
  const { webhooks } = webhooksOf(replica, outbox);
  const linkedAccounts = new LinkedAccounts(
    accounts,
    users,
    providers,
    revocation,
    circuits,
    unitOfWork,
    audit,
    new AccountJournal(audit, webhooks, users),
    clock,
    configuration,
    new AppliedDeclarations(unitOfWork, clock, configuration),
  );
  return { accounts, providers, circuits, outbox, linkedAccounts };
}
