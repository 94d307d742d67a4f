import { Inject, Injectable } from '@nestjs/common';
import { IsNull, MoreThan } from 'typeorm';
import { Clock } from '../common/clock.js';
import { digest, Randomness } from '../common/random.js';
import { Configuration } from '../config/index.js';
import { ExpiredRows, UnitOfWork } from '../database/index.js';
import { ConnectTicketEntity } from './connect-ticket.entity.js';

const LIFETIME_MS = 10 * 60_000;

export interface ConnectTicket {
  userId: string;
  identityProvider: string;
}

/**
 * One-time tickets that name the user whose account is to be linked. A ticket signs nobody in: the browser that
 * brings it has to be, or sign in as, that user; so a link that falls into other hands links nothing.
 */
@Injectable()
export class ConnectTickets {
  constructor(
    @Inject(UnitOfWork) private readonly unitOfWork: UnitOfWork,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Randomness) private readonly randomness: Randomness,
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(ExpiredRows) expiredRows: ExpiredRows,
  ) {
    expiredRows.register(ConnectTicketEntity);
  }

  /** The URL at which the user links an account of that provider. */
  async connectUrl({ userId, identityProvider }: ConnectTicket): Promise<string> {
    const ticket = this.randomness.token();
    await this.#rows.insert({
      digest: digest(ticket),
      userId,
      identityProvider,
      expiresAt: this.clock.now() + LIFETIME_MS,
      consumedAt: null,
    });
    return this.configuration.url(`/connect/${encodeURIComponent(identityProvider)}?ticket=${ticket}`);
  }

  async find(ticket: string): Promise<ConnectTicket | undefined> {
    return (await this.#rows.findOneBy(this.#live(ticket))) ?? undefined;
  }

  async consume(ticket: string): Promise<boolean> {
    const { affected } = await this.#rows.update(this.#live(ticket), { consumedAt: this.clock.now() });
    return affected === 1;
  }

  #live(ticket: string) {
    return { digest: digest(ticket), consumedAt: IsNull(), expiresAt: MoreThan(this.clock.now()) };
  }

  get #rows() {
    return this.unitOfWork.repository(ConnectTicketEntity);
  }
}
