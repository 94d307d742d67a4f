import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requestContext } from '../../src/common/request-context.js';
import { Throttling } from '../../src/throttling/index.js';
import { databases } from '../support/databases.js';
import { fiftyTimes, openStorage, type Replica, type Storage } from './support/storage.js';

const throttling = ({ unitOfWork, clock, expiredRows }: Replica) => new Throttling(unitOfWork, clock, expiredRows);
const from = <Result>(address: string, work: () => Promise<Result>): Promise<Result> =>
  requestContext.run({ requestId: 'a request', address }, work);

const WRONG = { accepted: false };
const RIGHT = { accepted: true };
const throttled = (retryAfterSeconds: number) => ({ accepted: false, retryAfterSeconds });
const AN_HOUR_MS = 3_600_000;

describe.each(databases)('throttles on $name', (kind) => {
  let storage: Storage;
  let first: Throttling;
  let second: Throttling;
  let judged = 0;
  let addresses = 0;
  beforeAll(async () => {
    storage = await openStorage(kind);
    first = throttling(storage.first);
    second = throttling(storage.second);
  });
  afterAll(() => storage.close());

  const anotherAddress = () => `198.51.${Math.floor((addresses += 1) / 250)}.${addresses % 250}`;
  /** An address of its own for every test, unless one is given. */
  let here: string;
  beforeEach(() => {
    here = anotherAddress();
  });
  const attempt = (account: string, accepted: boolean, at: { address?: string; by?: Throttling } = {}) =>
    from(at.address ?? here, () =>
      (at.by ?? first).attempt(account, () => {
        judged += 1;
        return Promise.resolve(accepted);
      }),
    );
  const failingClient = (clientId: string) =>
    from(here, () => first.attempt(clientId, () => Promise.resolve(false), { by: 'client' }));
  const failed = (address: string) => from(address, () => first.failed('something else'));
  const failing = async (account: string, times: number, at = {}) => {
    for (let count = 0; count < times; count += 1) expect(await attempt(account, false, at)).toEqual(WRONG);
  };

  it('let five failures of an address on an account pass, then ask for 1, 2, 4 … seconds, a quarter of an hour at most', async () => {
    await failing('growing', 5);
    const delays: number[] = [];
    for (let count = 0; count < 14; count += 1) {
      const { retryAfterSeconds = 0 } = await attempt('growing', true);
      delays.push(retryAfterSeconds);
      storage.clock.advance(retryAfterSeconds * 1000);
      expect(await attempt('growing', false)).toEqual(WRONG);
    }
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
  });

  it('let fifty of them pass where a client fails, and keep no user waiting for it', async () => {
    for (let count = 0; count < 50; count += 1) expect(await failingClient('a name')).toEqual(WRONG);
    expect(await failingClient('a name')).toEqual(throttled(1));
    for (let count = 0; count < 10; count += 1) expect(await failingClient('another client')).toEqual(WRONG);
    expect(await attempt('a name', true)).toEqual(RIGHT);
  });

  it('judge no throttled attempt, and are not prolonged by one', async () => {
    await failing('waiting', 5);
    const before = judged;
    for (let count = 0; count < 10; count += 1) expect(await attempt('waiting', true)).toEqual(throttled(1));
    expect(judged).toBe(before);
    storage.clock.advance(1000);
    expect(await attempt('waiting', true)).toEqual(RIGHT);
  });

  it('let nobody exceed the allowance with fifty guesses at once, on two replicas', async () => {
    const before = judged;
    const answers = await fiftyTimes([storage.first, storage.second], (replica, index) =>
      attempt('parallel', false, { by: replica === storage.first ? first : second, address: `2001:db8:2:2::${index}` }),
    );
    expect(judged - before).toBe(5);
    expect(answers.filter(({ retryAfterSeconds }) => retryAfterSeconds === undefined)).toHaveLength(5);
  });

  it('of strangers elsewhere keep nobody out, until they come from a hundred addresses', async () => {
    const stranger = anotherAddress();
    await failing('wanted', 5, { address: stranger });
    for (let count = 0; count < 8; count += 1) {
      storage.clock.advance(15 * 60_000);
      await failing('wanted', 1, { address: stranger });
    }
    expect(await attempt('wanted', true, { address: stranger })).toEqual(throttled(256));
    expect(await attempt('wanted', true)).toEqual(RIGHT);
    const before = judged;
    await Promise.all(
      Array.from({ length: 120 }, (_, index) =>
        attempt('wanted', false, { by: index % 2 ? first : second, address: anotherAddress() }),
      ),
    );
    expect(judged - before).toBe(100);
    expect(await attempt('wanted', true)).toEqual(throttled(1));
    expect(await attempt('unwanted', true)).toEqual(RIGHT);
    storage.clock.advance(1000);
    expect(await attempt('wanted', true)).toEqual(RIGHT);
    expect(await attempt('wanted', true, { address: anotherAddress() })).toEqual(RIGHT);
  });

  it('of one patient stranger never close an account to the others', async () => {
    for (let count = 0; count < 120; count += 1) {
      const { retryAfterSeconds = 0 } = await attempt('besieged', false);
      storage.clock.advance(Math.max(1, retryAfterSeconds) * 1000);
    }
    expect(await attempt('besieged', true, { address: anotherAddress() })).toEqual(RIGHT);
  });

  it('that closed an account close it to whoever has worn out their own address on it, too', async () => {
    const worn = anotherAddress();
    await failing('closed', 5, { address: worn });
    storage.clock.advance(1000);
    await failing('closed', 1, { address: worn });
    for (let count = 0; count < 95; count += 1) await failing('closed', 1, { address: anotherAddress() });
    for (const seconds of [1, 2, 4]) {
      storage.clock.advance(seconds * 1000);
      await failing('closed', 1, { address: anotherAddress() });
    }
    expect(await attempt('closed', true, { address: worn })).toEqual(throttled(8));
  });

  it('take fifty right attempts at once for what they are', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => attempt('busy', true, { address: '192.0.2.7' })),
    );
    expect(answers).toEqual(answers.map(() => RIGHT));
  });

  it('forget the failures of an account after an hour of quiet, or a success', async () => {
    await failing('quiet', 5);
    storage.clock.advance(AN_HOUR_MS);
    await failing('quiet', 4);
    expect(await attempt('quiet', true)).toEqual(RIGHT);
    await failing('quiet', 5);
    expect(await attempt('quiet', true)).toEqual(throttled(1));
  });

  it('forget what was counted before the clock was turned back', async () => {
    await failing('earlier', 5);
    expect(await attempt('earlier', true)).toMatchObject({ accepted: false });
    storage.clock.advance(-AN_HOUR_MS);
    await failing('earlier', 5);
    expect(await attempt('earlier', true)).toMatchObject({ accepted: false });
    storage.clock.advance(AN_HOUR_MS);
  });

  it('take another spelling for another name, as whoever looks it up does', async () => {
    await failing('Ada', 5);
    expect(await attempt('Ada', true)).toEqual(throttled(1));
    for (const other of ['ada', 'Ａda']) expect(await attempt(other, true)).toEqual(RIGHT);
  });

  it('hold on the other replica and after a restart', async () => {
    await failing('shared', 5);
    expect(await attempt('shared', true, { by: second })).toEqual(throttled(1));
    expect(await attempt('shared', true, { by: throttling(storage.first) })).toEqual(throttled(1));
  });

  it('let fifty failures of an address pass, whatever the account; a success takes back only its own', async () => {
    const address = '192.0.2.1';
    for (let count = 0; count < 49; count += 1) await failing(`account ${count}`, 1, { address });
    expect(await attempt('somebody', true, { address })).toEqual(RIGHT);
    await failing('account 49', 1, { address });
    expect(await attempt('somebody', true, { address })).toEqual(throttled(1));
    expect(await attempt('somebody', true, { address: '192.0.2.2' })).toEqual(RIGHT);
    storage.clock.advance(1000);
    expect(await attempt('somebody', true, { address })).toEqual(RIGHT);
    await failing('account 50', 1, { address });
    expect(await attempt('somebody', true, { address })).toEqual(throttled(2));
  });

  it('count each thing that is attempted by itself: what fails elsewhere keeps nobody from signing in', async () => {
    for (let count = 0; count < 50; count += 1) expect(await failed(here)).toEqual(WRONG);
    expect(await failed(here)).toEqual(throttled(1));
    expect(await attempt('somebody', true)).toEqual(RIGHT);
    for (let count = 0; count < 50; count += 1) await failing(`an account ${count}`, 1);
    expect(await attempt('somebody', true)).toEqual(throttled(1));
  });

  it('take a network of IPv6 for one address, and IPv4 in IPv6 for itself', async () => {
    for (let count = 0; count < 50; count += 1) expect(await failed(`2001:db8:1:1::${count}`)).toEqual(WRONG);
    expect(await failed('2001:db8:1:1:ffff::1')).toEqual(throttled(1));
    expect(await failed('2001:db8:1:2::1')).toEqual(WRONG);
    for (let count = 0; count < 50; count += 1) await failed('::ffff:192.0.2.9');
    expect(await failed('192.0.2.9')).toEqual(throttled(1));
  });

  it('name nobody in the database, and leave it a day after they are forgotten', async () => {
    await failing('a-name-to-look-for', 1, { address: '192.0.2.77' });
    const dump = await storage.database.dump();
    expect(dump).not.toContain('a-name-to-look-for');
    expect(dump).not.toContain('192.0.2.77');
    storage.clock.advance(26 * AN_HOUR_MS);
    await storage.first.expiredRows.sweep();
    expect(await storage.database.query('SELECT * FROM throttles')).toEqual([]);
  });
});
