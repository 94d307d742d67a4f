import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { DomainError } from '../../common/domain-error.js';
import { requestContext } from '../../common/request-context.js';
import type { Secret } from '../../common/secret.js';
import { UnitOfWork } from '../../database/index.js';
import { Throttling } from '../../throttling/index.js';
import type { Client } from '../client.js';
import { isGuessable, matches } from '../client-secrets.js';
import { ClientsRepository } from '../clients.repository.js';
import { ClientAssertions } from './client-assertions.js';
import type { PresentedClient } from './presented-client.js';

const ASSERTION_METHODS = ['client_secret_jwt', 'private_key_jwt'];
/** When a client was used last is known to within this. */
const USE_NOTED_EVERY_MS = 60_000;
const MAX_NOTED = 10_000;

/**
 * Authenticates a client by the one method it is registered for. Unknown, disabled, wrong method and wrong proof
 * are one public answer; the difference goes to the log. @see RFC 6749 section 2.3
 */
@Injectable()
export class ClientAuthentication {
  readonly #logger = new Logger('ClientAuthentication');
  readonly #notedAt = new Map<string, number>();

  constructor(
    @Inject(ClientsRepository) private readonly clients: ClientsRepository,
    @Inject(ClientAssertions) private readonly assertions: ClientAssertions,
    @Inject(Throttling) private readonly throttling: Throttling,
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @throws DomainError `client.unauthenticated`, `request.rate-limited` */
  async authenticate(presented: PresentedClient | undefined): Promise<Client> {
    if (!presented) throw unauthenticated('no client credentials');
    const clientId =
      presented.method === 'client_assertion' ? this.assertions.claimedClient(presented) : presented.clientId;
    if (clientId === undefined) throw unauthenticated('assertion: of nobody, or of another client than is named');
    const client = await this.clients.find(clientId);
    if (!client) throw unauthenticated('unknown client');
    if (!client.enabled) throw unauthenticated('disabled client');
    const refusal = await this.#refusal(client, presented);
    if (refusal !== undefined) throw unauthenticated(refusal);
    this.#noteUse(client);
    return client;
  }

  async #refusal(client: Client, presented: PresentedClient): Promise<string | undefined> {
    const { tokenEndpointAuthMethod: registered } = client;
    if (presented.method === 'client_assertion') {
      if (!ASSERTION_METHODS.includes(registered)) return 'an assertion is not the registered method';
      return this.assertions.refusal(client, presented);
    }
    const orBasic =
      presented.method === 'client_secret_post' && presented.orBasic && registered === 'client_secret_basic';
    if (presented.method !== registered && !orBasic) return `method ${presented.method} is not the registered one`;
    if (presented.method === 'none') return undefined;
    return (await this.#secretMatches(client, presented.secret)) ? undefined : 'wrong secret';
  }

  /** What a human made up can be guessed, so guesses are counted. @throws DomainError `request.rate-limited` */
  async #secretMatches(client: Client, secret: Secret): Promise<boolean> {
    const live = await this.clients.secrets(client);
    const judge = async (): Promise<boolean> => {
      for (const { verifier } of live) if (await matches(secret, verifier)) return true;
      return false;
    };
    if (!live.some(({ verifier }) => isGuessable(verifier))) return judge();
    const { accepted, retryAfterSeconds } = await this.throttling.attempt(client.clientId, judge, { by: 'client' });
    if (retryAfterSeconds === undefined) return accepted;
    throw new DomainError('request.rate-limited', {
      meta: { retryAfterSeconds },
      privateDetail: 'guesses at a secret',
    });
  }

  /** Nobody waits for it, and it is nobody's failure. */
  #noteUse({ clientId }: Client): void {
    const now = this.clock.now();
    if (Math.abs(now - (this.#notedAt.get(clientId) ?? 0)) < USE_NOTED_EVERY_MS) return;
    if (this.#notedAt.size >= MAX_NOTED) this.#notedAt.clear();
    this.#notedAt.set(clientId, now);
    void requestContext.exit(() =>
      this.unitOfWork.outside(() =>
        this.clients
          .noteUse(clientId)
          .catch((error: unknown) => this.#logger.warn({ error, clientId }, 'the use of a client was not noted')),
      ),
    );
  }
}

function unauthenticated(privateDetail: string): DomainError {
  return new DomainError('client.unauthenticated', { publicDetail: 'Client authentication failed.', privateDetail });
}
