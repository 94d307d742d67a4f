import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PendingRequests } from '../../src/authorization/pending-requests.js';
import { Secret } from '../../src/common/secret.js';
import { LoginAttempts } from '../../src/federated-identities/login-attempts.js';
import { ConnectTickets } from '../../src/idp-offline-access/connect-tickets.js';
import { PostedParameters } from '../../src/sessions/posted-parameters.js';
import { AuthorizationCodes } from '../../src/tokens/grants/authorization-codes.js';
import { GrantsRepository } from '../../src/tokens/grants/grants.repository.js';
import { databases } from '../support/databases.js';
import { fiftyTimes, openStorage, type Replica, type Storage } from './support/storage.js';

const AN_HOUR_MS = 3_600_000;
const browser = new Secret('the browser that started it');
const otherBrowser = new Secret('another browser');

const codes = ({ unitOfWork, clock, randomness, configuration, expiredRows }: Replica) =>
  new AuthorizationCodes(
    unitOfWork,
    clock,
    randomness,
    configuration,
    new GrantsRepository(unitOfWork, clock, randomness),
    expiredRows,
  );
const attempts = ({ unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows }: Replica) =>
  new LoginAttempts(unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows);
const tickets = ({ unitOfWork, clock, randomness, configuration, expiredRows }: Replica) =>
  new ConnectTickets(unitOfWork, clock, randomness, configuration, expiredRows);
const requests = ({ unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows }: Replica) =>
  new PendingRequests(unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows);
const posted = ({ unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows }: Replica) =>
  new PostedParameters(unitOfWork, clock, randomness, envelopes, encryptedTables, expiredRows);

const authorizationRequest = {
  clientId: 'app',
  redirectUri: 'https://app.example/callback',
  scope: ['openid'],
  state: 'the state',
  prompt: [],
};

/** Each kind of single-use credential: how one is made, and how it is spent. */
const credentials = [
  {
    what: 'authorization code',
    make: async (replica: Replica) =>
      (
        await codes(replica).issue({
          grant: {
            userId: 'alice',
            clientId: 'app',
            scope: ['openid'],
            sessionId: undefined,
            authTime: 0,
            claims: { name: 'Alice' },
          },
          redirectUri: 'https://app.example/callback',
          codeChallenge: undefined,
          nonce: undefined,
        })
      ).reveal(),
    spend: (replica: Replica, code: string) => codes(replica).consume(new Secret(code)),
  },
  {
    what: 'login attempt',
    make: (replica: Replica) =>
      attempts(replica).start(
        { identityProvider: 'corp', browser, returnTo: '/account', scope: 'openid' },
        { nonce: 'nonce', codeVerifier: 'verifier' },
      ),
    spend: async (replica: Replica, state: string) =>
      (await attempts(replica).finish(state, 'corp', browser)) !== undefined,
  },
  {
    what: 'connect ticket',
    make: async (replica: Replica) => {
      const url = new URL(await tickets(replica).connectUrl({ userId: 'alice', identityProvider: 'corp' }));
      return url.searchParams.get('ticket') ?? '';
    },
    spend: (replica: Replica, ticket: string) => tickets(replica).consume(ticket),
  },
  {
    what: 'pending authorization request',
    make: (replica: Replica) => requests(replica).keep(authorizationRequest, browser),
    spend: (replica: Replica, handle: string) => requests(replica).consume(handle, browser),
  },
  {
    what: 'handle of posted parameters',
    make: (replica: Replica) => posted(replica).keep('here', new Map([['code', 'a code']])),
    spend: async (replica: Replica, handle: string) => (await posted(replica).take('here', handle)) !== undefined,
  },
];

describe.each(databases)('what may be used once, on $name', (kind) => {
  let storage: Storage;
  let first: Replica;
  beforeAll(async () => {
    storage = await openStorage(kind);
    ({ first } = storage);
  });
  afterAll(() => storage.close());

  describe.each(credentials)('a $what', ({ make, spend }) => {
    it('is won by one of fifty callers and spent for good', async () => {
      const credential = await make(first);
      const won = await fiftyTimes([first, storage.second], (replica) => spend(replica, credential));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await spend(first, credential)).toBe(false);
    });

    it('is won by nobody once it has expired, nor when it never was one', async () => {
      const credential = await make(first);
      storage.clock.advance(AN_HOUR_MS);
      const won = await fiftyTimes([first, storage.second], (replica) => spend(replica, credential));
      expect(won.filter(Boolean)).toEqual([]);
      expect(await spend(first, 'made up')).toBe(false);
    });

    it('is still good when the transaction that spent it was rolled back', async () => {
      const credential = await make(first);
      const failing = first.unitOfWork.run(async () => {
        expect(await spend(first, credential)).toBe(true);
        throw new Error('could not issue');
      });
      await expect(failing).rejects.toThrow('could not issue');
      expect(await spend(storage.second, credential)).toBe(true);
    });

    it('is not in the database', async () => {
      expect(await storage.database.dump()).not.toContain(await make(first));
    });
  });

  it('tells nobody an authorization code, only that it was used', async () => {
    const code = new Secret((await credentials[0]?.make(first)) ?? '');
    expect(await codes(first).find(code)).toMatchObject({ clientId: 'app', consumed: false });
    await codes(first).consume(code);
    expect(await codes(storage.second).find(code)).toMatchObject({ clientId: 'app', consumed: true });
  });

  it('opens a login attempt only at its provider and in its browser, and a wrong caller does not spend it', async () => {
    const state = await attempts(first).start(
      { identityProvider: 'corp', browser, returnTo: '/account', scope: 'openid', connectUserId: 'alice' },
      { nonce: 'nonce', codeVerifier: 'verifier' },
    );
    expect(await attempts(first).finish(state, 'other', browser)).toBeUndefined();
    expect(await attempts(first).finish(state, 'corp', otherBrowser)).toBeUndefined();
    expect(await attempts(storage.second).finish(state, 'corp', browser)).toMatchObject({
      nonce: 'nonce',
      codeVerifier: 'verifier',
      returnTo: '/account',
      scope: 'openid',
      connectUserId: 'alice',
    });
  });

  it('opens a pending request only in its browser, and a wrong one does not spend it', async () => {
    const handle = await requests(first).keep(authorizationRequest, browser);
    expect(await requests(first).find(handle, otherBrowser)).toBeUndefined();
    expect(await requests(first).consume(handle, otherBrowser)).toBe(false);
    expect((await requests(storage.second).find(handle, browser))?.request).toEqual(authorizationRequest);
    expect(await requests(storage.second).consume(handle, browser)).toBe(true);
    expect(await requests(first).find(handle, browser)).toBeUndefined();
  });

  it('opens posted parameters only for what they were posted for, and another purpose does not spend them', async () => {
    const parameters = new Map([
      ['code', 'the code that was posted'],
      ['state', 'é"\\ '],
    ]);
    const handle = await posted(first).keep('here', parameters);
    expect(await storage.database.dump()).not.toContain('the code that was posted');
    expect(await posted(first).take('there', handle)).toBeUndefined();
    expect(await posted(storage.second).take('here', handle)).toEqual(parameters);
  });

  it('tells whose account and which provider a connect ticket is for, until it is spent', async () => {
    const ticket = (await credentials[2]?.make(first)) ?? '';
    expect(await tickets(storage.second).find(ticket)).toMatchObject({ userId: 'alice', identityProvider: 'corp' });
    await tickets(first).consume(ticket);
    expect(await tickets(storage.second).find(ticket)).toBeUndefined();
  });
});
