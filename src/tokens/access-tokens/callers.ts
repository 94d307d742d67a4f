import { Inject, Injectable } from '@nestjs/common';
import { ClientsRepository, type Client } from '../../clients/index.js';
import { DomainError } from '../../common/domain-error.js';
import { UsersRepository } from '../../users/index.js';
import { GrantsRepository } from '../grants/grants.repository.js';
import type { Caller } from './caller.js';

/** Whom a token names. */
export interface TokenHolder {
  userId: string;
  /** What it was issued from, and to which client; nothing where the user's own credentials made it. */
  through?: { grantId: string; clientId: string };
}

/**
 * Whom a token stands for, whatever its kind, while all that it rests on stands: revocation, a disabled client and a
 * blocked user are read from the database each time, so that they take effect at once on every replica.
 */
@Injectable()
export class Callers {
  constructor(
    @Inject(GrantsRepository) private readonly grants: GrantsRepository,
    @Inject(ClientsRepository) private readonly clients: ClientsRepository,
    @Inject(UsersRepository) private readonly users: UsersRepository,
  ) {}

  /**
   * A blocked user is answered, too: which error that is, and when, is the face's knowledge.
   * @throws DomainError `credentials.token-revoked` or `credentials.token-invalid`
   */
  async find({ userId, through }: TokenHolder): Promise<Omit<Caller, 'scope'>> {
    const [user, grant, client] = await Promise.all([
      this.users.find(userId),
      through && this.grants.find(through.grantId),
      through && this.clients.find(through.clientId),
    ]);
    if (through && (!grant || grant.revoked)) throw new DomainError('credentials.token-revoked');
    // What was allowed to a former client of the same id was not allowed to this one.
    if (through && (!client?.enabled || (grant && grant.createdAt < client.createdAt))) throw clientGone();
    if (!user) throw new DomainError('credentials.token-invalid', { privateDetail: 'user gone' });
    return {
      user,
      ...(client && { client }),
      ...(grant && { grantId: grant.id }),
      ...(grant?.sessionId !== undefined && { sessionId: grant.sessionId }),
    };
  }

  /**
   * The client that acts for itself.
   * @throws DomainError `credentials.token-invalid`
   */
  async findClient(clientId: string): Promise<Client> {
    const client = await this.clients.find(clientId);
    if (!client?.enabled) throw clientGone();
    return client;
  }
}

function clientGone(): DomainError {
  return new DomainError('credentials.token-invalid', { privateDetail: 'client gone or disabled' });
}
