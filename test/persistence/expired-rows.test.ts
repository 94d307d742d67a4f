import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectTickets } from '../../src/idp-offline-access/connect-tickets.js';
import { PostedParameters } from '../../src/sessions/posted-parameters.js';
import { databases } from '../support/databases.js';
import { openStorage, type Storage } from './support/storage.js';

const AN_HOUR_MS = 3_600_000;
const ADA = { userId: 'ada', identityProvider: 'mobypay' };

describe.each(databases)('expired rows on $name', (kind) => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await openStorage(kind);
  });
  afterAll(async () => {
    await storage.close();
  });

  it('go a day after they expired, and nothing else goes', async () => {
    const { unitOfWork, clock, randomness, configuration, expiredRows } = storage.first;
    const tickets = new ConnectTickets(unitOfWork, clock, randomness, configuration, expiredRows);
    await tickets.connectUrl(ADA);
    storage.clock.advance(24 * AN_HOUR_MS);
    await tickets.connectUrl(ADA);
    expect(await expiredRows.sweep()).toBe(0);
    storage.clock.advance(AN_HOUR_MS);
    expect(await expiredRows.sweep()).toBe(1);
    expect(await storage.database.query('SELECT user_id FROM connect_tickets')).toHaveLength(1);
    expect(await expiredRows.sweep()).toBe(0);
  });

  it('go at once where strangers can make them without a cookie', async () => {
    const { unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows } = storage.first;
    const posted = new PostedParameters(unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows);
    await posted.keep('here', new Map([['code', 'a code']]));
    expect(await expiredRows.sweep()).toBe(0);
    storage.clock.advance(5 * 60_000 + 1);
    expect(await expiredRows.sweep()).toBe(1);
    expect(await storage.database.query('SELECT digest FROM posted_parameters')).toEqual([]);
  });
});
