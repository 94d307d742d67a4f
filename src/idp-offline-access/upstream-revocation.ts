import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Audit } from '../audit/index.js';
import { remainingPauseMs } from '../common/backoff.js';
import { Clock } from '../common/clock.js';
import { Secret } from '../common/secret.js';
import {
  IdentityProvidersRepository,
  UpstreamClients,
  UpstreamError,
  type IdentityProvider,
  type UpstreamClient,
} from '../identity-providers/index.js';
import { DeliveryError, DeliveryPaused, Outbox, type Delivery, type OutboxHandler } from '../outbox/index.js';
import { isFrom, type LinkedAccount, type OpenedTokens } from './linked-account.js';
import { LinkedAccountsRepository } from './linked-accounts.repository.js';
import { UpstreamCircuits } from './upstream-circuits.js';

const KIND = 'upstream-revocation';
/** After a provider did not answer; the next message then finds out whether it does. */
const PAUSE_MS = 60_000;

/** How far the revocation of an unlinked account's tokens has come at its provider. */
export interface Revocation {
  accountId: string;
  /**
   * `unsupported`: the provider has no way to revoke; `provider-changed`: it is another one by now, or gone, and was
   * not told; `superseded`: the account was linked again, and was not told because many providers end all that they
   * gave for an account with any token of it; `failed`: it was asked for days in vain.
   */
  state: 'pending' | 'revoked' | 'unsupported' | 'provider-changed' | 'superseded' | 'failed';
  /** When that became so, epoch ms. */
  at: number;
}

const payload = z.object({
  userId: z.string(),
  identityProvider: z.string(),
  subject: z.string(),
  issuer: z.string().optional(),
  upstreamClientId: z.string().optional(),
  accessToken: z.string().optional(),
  refreshToken: z.string().optional(),
});
type Payload = z.infer<typeof payload>;

/**
 * Gives the tokens of unlinked accounts back to their providers. Here they are erased first; what the provider makes
 * of it comes later, through the outbox, and cannot keep a user from unlinking. @see RFC 7009
 */
@Injectable()
export class UpstreamRevocation implements OutboxHandler {
  /** Until when this process leaves a provider alone that did not answer: its messages must not hold up the others'. */
  readonly #pausedUntil = new Map<string, number>();

  constructor(
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(UpstreamClients) private readonly upstreamClients: UpstreamClients,
    @Inject(UpstreamCircuits) private readonly circuits: UpstreamCircuits,
    @Inject(LinkedAccountsRepository) private readonly accounts: LinkedAccountsRepository,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    outbox.register(KIND, this);
  }

  /** Inside the transaction that erases the tokens, or finds that they have come too late to be kept. */
  async request(account: LinkedAccount, { accessToken, refreshToken }: OpenedTokens): Promise<void> {
    if (!accessToken && !refreshToken) return;
    const { id, userId, identityProvider, subject, issuer, upstreamClientId } = account;
    const message: Payload = {
      userId,
      identityProvider,
      subject,
      issuer,
      upstreamClientId,
      accessToken: accessToken?.reveal(),
      refreshToken: refreshToken?.reveal(),
    };
    await this.outbox.put({ kind: KIND, subjectId: id, payload: new Secret(JSON.stringify(message)) });
  }

  /** Of these accounts, the latest first. */
  async of(accountIds: readonly string[]): Promise<Revocation[]> {
    const messages = await this.outbox.statesOf(KIND, accountIds);
    return messages.map(({ subjectId, outcome, at }) => ({
      accountId: subjectId,
      state: (outcome ?? 'pending') as Revocation['state'],
      at,
    }));
  }

  async deliver(delivery: Delivery): Promise<Exclude<Revocation['state'], 'pending' | 'failed'>> {
    const message = read(delivery);
    const provider = await this.providers.find(message.identityProvider);
    if (!provider || !isFrom(provider, message)) return 'provider-changed';
    const current = await this.accounts.findBySubject(provider.id, message.subject);
    if (current?.status === 'active') return 'superseded';
    // Somebody who asked to be left alone is not asked for this either.
    const pausedMs = Math.max(await this.circuits.pausedMs(provider.id), this.#pausedMs(provider.id));
    if (pausedMs > 0) throw new DeliveryPaused(pausedMs);
    // Of the messages for somebody who was away one finds out; the others wait for what comes of it.
    if (this.#pausedUntil.has(provider.id)) this.#pause(provider.id);
    const outcome = await this.#tell(provider, message);
    this.#pausedUntil.delete(provider.id);
    return outcome;
  }

  async #tell(provider: IdentityProvider, { accessToken, refreshToken }: Payload): Promise<'revoked' | 'unsupported'> {
    const client = this.upstreamClients.for(provider);
    try {
      if (!(await client.revocable())) return 'unsupported';
      // First the one that lives longer; many providers end the other one along with it.
      const outcomes = [await revoke(client, refreshToken, 'refresh_token')];
      outcomes.push(await revoke(client, accessToken, 'access_token'));
      return outcomes.includes('revoked') ? 'revoked' : 'unsupported';
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.kind === 'unavailable') this.#pause(provider.id, error.retryAfterMs);
      else this.#pausedUntil.delete(provider.id);
      throw new DeliveryError(error.kind, { retryAfterMs: error.retryAfterMs });
    }
  }

  #pause(identityProvider: string, askedMs = 0): void {
    this.#pausedUntil.set(identityProvider, this.clock.now() + Math.max(PAUSE_MS, askedMs));
  }

  #pausedMs(identityProvider: string): number {
    return remainingPauseMs(this.#pausedUntil.get(identityProvider) ?? 0, this.clock.now());
  }

  async ended(delivery: Delivery, outcome: string): Promise<void> {
    const { userId, identityProvider } = whose(delivery);
    const revoked = outcome === ('revoked' satisfies Revocation['state']);
    await this.audit.record({
      event: 'upstream-token.revoked',
      outcome: revoked ? 'success' : 'failure',
      userId,
      identityProvider,
      reason: revoked ? undefined : outcome,
    });
  }
}

function read(delivery: Delivery): Payload {
  return payload.parse(JSON.parse(delivery.payload.reveal()));
}

async function revoke(
  client: UpstreamClient,
  token: string | undefined,
  hint: 'refresh_token' | 'access_token',
): Promise<'revoked' | 'unsupported'> {
  if (token === undefined) return 'unsupported';
  try {
    await client.revoke(new Secret(token), hint);
    return 'revoked';
  } catch (error) {
    // Many revoke refresh tokens only. @see RFC 7009 section 2.2.1
    if (error instanceof UpstreamError && error.oauthError === 'unsupported_token_type') return 'unsupported';
    throw error;
  }
}

/** A message that cannot be read ends all the same. */
function whose(delivery: Delivery): Partial<Payload> {
  try {
    return read(delivery);
  } catch {
    return {};
  }
}
