import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases } from '../support/databases.js';
import type { BrowserResponse } from '../support/http-browser.js';
import type { Service } from '../support/service.js';
import { createWorld, PROVIDER, type World } from '../support/world.js';

const RIGHT = 'correct horse battery staple';
const AT_ONCE = 50;

const isRefused = (answer: BrowserResponse): void => {
  expect(answer.status).toBe(401);
  expect(answer.json()).toEqual({
    error: {
      id: 'unauthorized',
      details: { authError: { id: 'badBasicCredentials', description: 'Invalid username or password.' } },
      description: 'Provided authentication is not valid (see details).',
    },
  });
};
/** Right credentials of a user who has no linked account. */
const isAdmitted = (answer: BrowserResponse): void => expect(answer.status).toBe(404);
const delayOf = (answer: BrowserResponse): number => Number(answer.headers.get('retry-after'));

describe.each(databases)('failed passwords on $name', (kind) => {
  let world: World;
  let services: Service[];
  beforeAll(async () => {
    world = await createWorld(kind, {
      configure: (configuration) => ({
        ...configuration,
        users: ['ada', 'bea', 'cleo', 'dora'].map((username) => ({ username, password: RIGHT, basic_auth: true })),
      }),
    });
    services = kind.name === 'postgres' ? [world.service, await world.startReplica()] : [world.service];
  });
  afterAll(() => world.stop());

  function acquire(username: string, password: string, at = world.service): Promise<BrowserResponse> {
    return world.browser().request(`${at.url}/api/v3/onezone/user/idp_access_token/${PROVIDER}`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
    });
  }

  /** As if so much time had passed; or, where it is negative, were still to pass. */
  const wait = (seconds: number): Promise<unknown> =>
    world.database.query('UPDATE throttles SET blocked_until = blocked_until - ?', [seconds * 1000]);
  const forget = (): Promise<unknown> => world.database.query('DELETE FROM throttles');

  /** Five are free; of the delays after them, 1 s, 2 s, …, no more may have passed than the guessing took. */
  async function expectFewJudged(username: string): Promise<void> {
    const startedAt = performance.now();
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) =>
        acquire(username, `wrong password ${index}`, services[index % services.length]),
      ),
    );
    const seconds = (performance.now() - startedAt) / 1000;
    answers.forEach(isRefused);
    const judged = answers.filter(({ headers }) => !headers.has('retry-after')).length;
    expect(judged).toBeGreaterThanOrEqual(5);
    expect(judged).toBeLessThanOrEqual(5 + Math.floor(Math.log2(seconds + 1)));
  }

  it(`judge five of ${AT_ONCE} that come at once, and then not even the right one, on any replica`, async () => {
    await expectFewJudged('ada');
    await wait(-60);
    for (const at of services) isRefused(await acquire('ada', RIGHT, at));
    isAdmitted(await acquire('bea', RIGHT));
    await forget();
  });

  it('say no more of a name that nobody has', async () => {
    await expectFewJudged('nobody-of-that-name');
    expect(await world.database.dump()).not.toContain('nobody-of-that-name');
    await forget();
  });

  it('delay the next attempt over a restart and on every replica, and admit the right one after it', async () => {
    for (let failure = 0; failure < 5; failure += 1) isRefused(await acquire('cleo', 'wrong password'));
    for (const seconds of [1, 2, 4, 8, 16, 32]) {
      await wait(seconds);
      isRefused(await acquire('cleo', 'wrong password', services.at(-1)));
    }
    await world.restart();
    services[0] = world.service;
    for (const at of services) {
      const answer = await acquire('cleo', RIGHT, at);
      isRefused(answer);
      expect(delayOf(answer)).toBeGreaterThan(32);
      expect(delayOf(answer)).toBeLessThanOrEqual(64);
    }
    await wait(64);
    isAdmitted(await acquire('cleo', RIGHT));
    isRefused(await acquire('cleo', 'wrong password'));
    isAdmitted(await acquire('cleo', RIGHT));
    await forget();
  });

  /** Where TRUST_PROXY believes it. */
  const from = (address: string, username: string, password: string) =>
    world.browser().request(`${world.service.url}/api/v3/onezone/user/idp_access_token/${PROVIDER}`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
        'x-forwarded-for': address,
      },
    });

  it('of many users throttle the address, and nobody elsewhere', async () => {
    await world.restart('stop', { TRUST_PROXY: '127.0.0.1' });
    services = [world.service];
    const guesses = Array.from({ length: 50 }, (_, index) => from('2001:db8::1', `account-${index}`, 'wrong password'));
    (await Promise.all(guesses)).forEach(isRefused);
    await wait(-60);
    // Another address of the same subscriber; the fiftieth failure began a delay of one second.
    const throttled = await from('2001:db8::ffff', 'account-50', 'wrong password');
    isRefused(throttled);
    expect(delayOf(throttled)).toBeGreaterThan(1);
    expect(delayOf(throttled)).toBeLessThanOrEqual(61);
    isAdmitted(await from('2001:db8:0:1::1', 'dora', RIGHT));
    await wait(61);
    isAdmitted(await from('2001:db8::1', 'dora', RIGHT));
  });

  it('of a stranger elsewhere keep no user out', async () => {
    await forget();
    const stranger = '2001:db8::1';
    for (let failure = 0; failure < 5; failure += 1) isRefused(await from(stranger, 'dora', 'wrong password'));
    await wait(-60);
    expect(delayOf(await from(stranger, 'dora', RIGHT))).toBeGreaterThan(1);
    isAdmitted(await from('2001:db8:0:1::1', 'dora', RIGHT));
  });

  it(`let ${AT_ONCE} right ones at once pass`, async () => {
    await forget();
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => acquire('dora', RIGHT)));
    answers.forEach(isAdmitted);
  });

  it('leave no secret in any output or in the database', async () => {
    await world.assertNoLeaks();
  });
});
