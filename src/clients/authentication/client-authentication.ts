import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import type { Client } from '../client.js';
import { ClientsRepository } from '../clients.repository.js';
import { matches } from '../client-secrets.js';
import type { PresentedClient } from './presented-client.js';

/**
 * Authenticates a client by the one method it is registered for. Unknown, disabled, wrong method and wrong secret
 * are one public answer; the difference goes to the log. @see RFC 6749 section 2.3
 */
@Injectable()
export class ClientAuthentication {
  constructor(@Inject(ClientsRepository) private readonly clients: ClientsRepository) {}

  /** @throws DomainError `client.unauthenticated` */
  async authenticate(presented: PresentedClient | undefined): Promise<Client> {
    if (!presented || presented.method === 'client_assertion') throw unauthenticated('no client credentials');
    const client = await this.clients.find(presented.clientId);
    if (!client) throw unauthenticated('unknown client');
    if (!client.enabled) throw unauthenticated('disabled client');
    const { tokenEndpointAuthMethod: registered } = client;
    const orBasic =
      presented.method === 'client_secret_post' && presented.orBasic && registered === 'client_secret_basic';
    if (registered !== presented.method && !orBasic)
      throw unauthenticated(`method ${presented.method} is not the registered one`);
    if (presented.method !== 'none' && !(await this.#secretMatches(presented))) throw unauthenticated('wrong secret');
    return client;
  }

  async #secretMatches({
    clientId,
    secret,
  }: PresentedClient & { method: `client_secret_${string}` }): Promise<boolean> {
    for (const verifier of await this.clients.secretVerifiers(clientId)) {
      if (await matches(secret, verifier)) return true;
    }
    return false;
  }
}

function unauthenticated(privateDetail: string): DomainError {
  return new DomainError('client.unauthenticated', { publicDetail: 'Client authentication failed.', privateDetail });
}
