import type { Secret } from '../../common/secret.js';
import type { ClientAuthenticationMethod } from '../clients.repository.js';

/** What a request says about which client it is, already decoded by the face it came through. */
export interface PresentedClient {
  method: ClientAuthenticationMethod;
  clientId: string;
  secret?: Secret;
}
