import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { databases, type Row } from '../support/databases.js';
import type { BrowserResponse, RequestOptions } from '../support/http-browser.js';
import type { Service } from '../support/service.js';
import { endBackOff, eventually, linkedAccount, read, setRemaining, updateAccount } from '../support/vault.js';
import { startWebhookReceiver, verify, type Received, type WebhookReceiver } from '../support/webhook-receiver.js';
import { createWorld, PROVIDER, type World } from '../support/world.js';

const ADMIN_API_KEY = 'admin-key-0123456789abcdef0123456789abcdef';
const INVALID_GRANT = { status: 400, body: { error: 'invalid_grant' } };

interface Hook {
  id: string;
  path: string;
  secret: string;
}

interface DeliveryRecord {
  id: string;
  event: string;
  state: string;
  attempts: number;
  last_error?: string;
  next_attempt_at?: string;
  ended_at?: string;
}

describe.each(databases)('webhooks on $name', (kind) => {
  let world: World;
  let receiver: WebhookReceiver;
  let paths = 0;
  beforeAll(async () => {
    receiver = await startWebhookReceiver();
    world = await createWorld(kind, { env: { ADMIN_API_KEY } });
  });
  afterAll(async () => {
    await world.stop();
    await receiver.stop();
  });
  // What one test left waiting is not the next one's.
  afterEach(async () => {
    await world.database.query('DELETE FROM webhooks');
    await world.database.query('DELETE FROM upstream_circuits');
  });

  const ask = async (method: string, path: string, options: RequestOptions = {}, at: Service = world.service) => {
    const headers = { authorization: `Bearer ${ADMIN_API_KEY}`, ...options.headers };
    const answer = await world.browser().request(`${at.url}/admin${path}`, { ...options, method, headers });
    if (answer.status >= 400) throw new Error(`${answer.status} ${answer.text()}`);
    return answer;
  };
  const remember = (answer: BrowserResponse): string => {
    const { secret } = answer.json<{ secret: string }>();
    world.ledger.add(secret, 'the secret of a webhook');
    world.ledger.add(secret.slice('whsec_'.length), 'the key of a webhook');
    return secret;
  };
  const hook = async (settings: object = {}): Promise<Hook> => {
    const path = `/hook-${(paths += 1)}`;
    const answer = await ask('POST', '/webhooks', { json: { url: receiver.url(path), ...settings } });
    return { id: answer.json<{ id: string }>().id, path, secret: remember(answer) };
  };
  const test = async ({ id }: Hook, at?: Service): Promise<string> =>
    (await ask('POST', `/webhooks/${id}/test`, {}, at)).json<DeliveryRecord>().id;
  const deliveries = async ({ id }: Hook, query = ''): Promise<DeliveryRecord[]> =>
    (await ask('GET', `/webhooks/${id}/deliveries?limit=100${query}`)).json<{ data: DeliveryRecord[] }>().data;
  const delivery = async (of: Hook, id: string): Promise<DeliveryRecord | undefined> =>
    (await deliveries(of)).find((one) => one.id === id);
  const becomes = (of: Hook, id: string, expected: Partial<DeliveryRecord>) =>
    eventually(`a delivery is ${JSON.stringify(expected)}`, async () => {
      const found: Row = { ...(await delivery(of, id)) };
      return Object.entries(expected).every(([name, value]) => found[name] === value);
    });
  /** As if the wait were over; of who holds a message, too, where it died. */
  const hurry = () => world.database.query('UPDATE outbox_messages SET next_attempt_at = 1 WHERE outcome IS NULL');
  const events = ({ path }: Hook): [type: string, reason: unknown][] =>
    receiver.received(path).map(({ event }) => [event.type, event.data['reason']]);
  const hears = async (of: Hook, type: string, reason?: string): Promise<Received> => {
    await eventually(`${type} is told`, () => events(of).some(([told, why]) => told === type && why === reason));
    return receiver.received(of.path).find(({ event }) => event.type === type && event.data['reason'] === reason)!;
  };
  const userOf = async (login: string): Promise<string> => String((await linkedAccount(world, login))['user_id']);
  const refuseRefresh = async (login: string, token: string): Promise<void> => {
    await endBackOff(world);
    await setRemaining(world, login, -1);
    world.upstream.failNext(1, INVALID_GRANT);
    await read(world, token);
  };

  it('are told of each thing that happens to an account, in its order, signed, and without any token', async () => {
    const hooked = await hook();
    const { access_token: token } = await world.signIn({ login: 'eve' });
    const linked = await hears(hooked, 'identity.linked');
    const account = await linkedAccount(world, 'eve');
    expect(linked.event).toStrictEqual({
      id: linked.headers['webhook-id'],
      type: 'identity.linked',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
      data: {
        user_id: account['user_id'],
        account_id: account['id'],
        identity_provider: PROVIDER,
        subject: 'eve',
      },
    });
    expect(linked.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'symbolon' });
    await setRemaining(world, 'eve', -1);
    expect((await read(world, token)).status).toBe(200);
    await hears(hooked, 'upstream-token.refreshed');
    await refuseRefresh('eve', token);
    const required = await hears(hooked, 'identity.reauthentication-required', 'invalid_grant');
    expect(required.event.data).toStrictEqual({ ...linked.event.data, reason: 'invalid_grant' });
    await world.signIn({ login: 'eve' });
    await hears(hooked, 'identity.recovered');
    // Nothing that anybody has to be told: it was linked, and is.
    await world.signIn({ login: 'eve' });
    await ask('DELETE', `/users/${await userOf('eve')}/identities/${PROVIDER}`);
    await hears(hooked, 'identity.unlinked');
    expect(events(hooked).map(([type]) => type)).toEqual([
      'identity.linked',
      'upstream-token.refreshed',
      'identity.reauthentication-required',
      'identity.recovered',
      'identity.unlinked',
    ]);
    await world.signIn({ login: 'eve' });
    await eventually('it is linked again', () => events(hooked).length === 6);
    const received = receiver.received(hooked.path);
    expect(received.at(-1)?.event.type).toBe('identity.linked');
    for (const one of received) expect(verify(one, hooked.secret)).toEqual(one.event);
    expect(new Set(received.map(({ event }) => event.id)).size).toBe(6);
    await eventually('all is delivered', async () => (await deliveries(hooked, '&state=delivered')).length === 6);
  });

  it('are told that a rotated refresh token was lost, and of the end of a user', async () => {
    const hooked = await hook({ events: ['identity.reauthentication-required', 'identity.unlinked'] });
    const { access_token: token } = await world.signIn({ login: 'lost' });
    // As whoever died after redeeming it has left it.
    await updateAccount(world, 'lost', { refresh_intent_at: 1 });
    await refuseRefresh('lost', token);
    await hears(hooked, 'identity.reauthentication-required', 'rotation_lost');
    await ask('DELETE', `/users/${await userOf('lost')}`);
    await hears(hooked, 'identity.unlinked');
    expect(events(hooked)).toHaveLength(2);
  });

  it('name a user who has a name', async () => {
    const hooked = await hook({ events: ['identity.linked'] });
    await world.signIn({ login: 'ada' });
    expect((await hears(hooked, 'identity.linked')).event.data).toMatchObject({ username: 'ada', subject: 'ada' });
  });

  it('are sent to each who wants to hear of it, under one id', async () => {
    const [one, other, uninterested] = [await hook(), await hook(), await hook({ events: ['identity.unlinked'] })];
    await world.signIn({ login: 'both' });
    const ids = [await hears(one, 'identity.linked'), await hears(other, 'identity.linked')].map(
      ({ event }) => event.id,
    );
    expect(ids[0]).toBe(ids[1]);
    expect(events(uninterested)).toEqual([]);
    // Everybody hears a test.
    const id = await test(uninterested);
    await becomes(uninterested, id, { state: 'delivered', attempts: 1 });
    const tested = await hears(uninterested, 'webhook.test');
    expect(verify(tested, uninterested.secret)).toMatchObject({
      type: 'webhook.test',
      data: { webhook_id: uninterested.id },
    });
  });

  it.each([
    ['an error', { status: 500, body: 'x'.repeat(100_000) }, 'status 500'],
    ['no such thing', { status: 404 }, 'status 404'],
    ['a redirect, which is not followed', { status: 307, headers: { location: '/elsewhere' } }, 'status 307'],
  ])('are tried again under the same id, signed anew: %s', async (_, answer, lastError) => {
    const hooked = await hook();
    receiver.behave(hooked.path, () => answer);
    const id = await test(hooked);
    await becomes(hooked, id, { state: 'pending', attempts: 1, last_error: lastError });
    expect(Date.parse((await delivery(hooked, id))?.next_attempt_at ?? '')).toBeGreaterThan(Date.now());
    // An answer that is large is not read to its end, and accepts all the same.
    receiver.behave(hooked.path, () => ({ status: 200, body: 'x'.repeat(1024 * 1024) }));
    await hurry();
    await becomes(hooked, id, { state: 'delivered', attempts: 2 });
    const received = receiver.received(hooked.path);
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([id, id]);
    for (const one of received) expect(verify(one, hooked.secret)).toEqual(one.event);
    expect(receiver.received('/elsewhere')).toEqual([]);
  });

  it('leave a receiver alone that asks for it, with all that waits for it', async () => {
    const hooked = await hook();
    receiver.behave(hooked.path, () => ({ status: 429, headers: { 'retry-after': '1800' } }));
    const first = await test(hooked);
    await becomes(hooked, first, { last_error: 'status 429' });
    const second = await test(hooked);
    await becomes(hooked, second, { last_error: 'paused', attempts: 0 });
    for (const { next_attempt_at: at } of await deliveries(hooked)) {
      expect(Date.parse(at ?? '')).toBeGreaterThan(Date.now() + 1_700_000);
    }
    expect(receiver.received(hooked.path)).toHaveLength(1);
  });

  it('are disabled by a receiver that is gone, and get what they missed by asking for it', async () => {
    const hooked = await hook();
    receiver.behave(hooked.path, () => ({ status: 410 }));
    const id = await test(hooked);
    await becomes(hooked, id, { state: 'disabled', attempts: 1 });
    expect((await ask('GET', `/webhooks/${hooked.id}`)).json()).toMatchObject({ enabled: false });
    const [audited] = await world.database.query('SELECT * FROM audit_events WHERE reason = ?', [`${hooked.id} gone`]);
    expect(audited).toMatchObject({ event: 'webhook.updated', actor: null });
    await world.signIn({ login: 'unheard' });
    expect(await deliveries(hooked)).toHaveLength(1);
    await expect(test(hooked)).rejects.toThrow('The webhook is disabled.');
    receiver.behave(hooked.path, undefined);
    await ask('PATCH', `/webhooks/${hooked.id}`, { json: { enabled: true } });
    await ask('POST', `/webhooks/${hooked.id}/deliveries/${id}/redeliver`);
    await becomes(hooked, id, { state: 'delivered', attempts: 1 });
    const received = receiver.received(hooked.path);
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([id, id]);
    await expect(ask('POST', `/webhooks/${hooked.id}/deliveries/${id}/redeliver`)).rejects.toThrow('409');
  });

  it('do not hold each other up where one hangs, nor a stop; it hears it from the next process', async () => {
    const [hanging, other] = [await hook(), await hook()];
    receiver.behave(hanging.path, () => new Promise(() => undefined));
    const waiting: string[] = [];
    for (let count = 0; count < 10; count += 1) waiting.push(await test(hanging));
    await eventually('it hangs', () => receiver.received(hanging.path).length === 4);
    const id = await test(other);
    await becomes(other, id, { state: 'delivered' });
    expect(receiver.received(hanging.path)).toHaveLength(4);
    await world.service.stop();
    const held = await world.database.query('SELECT 1 FROM outbox_messages WHERE lease_owner IS NOT NULL');
    expect(held).toEqual([]);
    receiver.behave(hanging.path, undefined);
    await world.restart('kill');
    for (const each of waiting) await becomes(hanging, each, { state: 'delivered', attempts: 1 });
  });

  it('hear it again where a process died before it knew that they had, under the same id', async () => {
    const hooked = await hook();
    receiver.behave(hooked.path, () => new Promise(() => undefined));
    const id = await test(hooked);
    await eventually('it is heard', () => receiver.received(hooked.path).length === 1);
    await world.restart('kill');
    receiver.behave(hooked.path, undefined);
    await hurry();
    await becomes(hooked, id, { state: 'delivered', attempts: 2 });
    expect(receiver.received(hooked.path).map(({ event }) => event.id)).toEqual([id, id]);
  });

  it('verify what comes while the secret is rotated, whichever of the two they know', async () => {
    const hooked = await hook();
    const rotate = async (json?: object) =>
      remember(await ask('POST', `/webhooks/${hooked.id}/rotate-secret`, json && { json }));
    const tests: Promise<string>[] = [];
    const send = () => {
      for (let count = 0; count < 5; count += 1) tests.push(test(hooked));
    };
    send();
    const rotated = rotate();
    send();
    const second = await rotated;
    send();
    const ids = await Promise.all(tests);
    for (const id of ids) await becomes(hooked, id, { state: 'delivered' });
    const received = receiver.received(hooked.path);
    expect(received).toHaveLength(15);
    // Who has not changed over yet verifies all of it, and who has, the latest.
    for (const one of received) expect(verify(one, hooked.secret)).toEqual(one.event);
    const afterwards = received.find(({ event }) => event.id === ids.at(-1))!;
    expect(verify(afterwards, second)).toEqual(afterwards.event);

    const third = await rotate({ previous_valid_for: 0 });
    const id = await test(hooked);
    await becomes(hooked, id, { state: 'delivered' });
    const latest = receiver.received(hooked.path).at(-1)!;
    expect(verify(latest, third)).toEqual(latest.event);
    for (const old of [hooked.secret, second]) expect(() => verify(latest, old)).toThrow('No matching signature');
  });

  it('of several processes are told everything, whatever fails meanwhile', async () => {
    const hooked = await hook({ events: ['upstream-token.refreshed'] });
    const at = kind.name === 'postgres' ? await world.startReplica() : world.service;
    const failed = new Set<string>();
    receiver.behave(hooked.path, ({ event }) => {
      if (failed.has(event.id) || failed.size % 2 === 1) return { status: 200 };
      failed.add(event.id);
      return { status: 500 };
    });
    const logins = Array.from({ length: 6 }, (_, index) => `many-${index}`);
    const tokens = new Map<string, string>();
    for (const login of logins) tokens.set(login, (await world.signIn({ login })).access_token);
    for (let round = 0; round < 3; round += 1) {
      for (const login of logins) await setRemaining(world, login, -1);
      await Promise.all(
        [...tokens.values()].flatMap((token) => [read(world, token), read(world, token, { at, face: 'onezone' })]),
      );
    }
    await eventually('all of it is delivered', async () => {
      await world.database.query(
        'UPDATE outbox_messages SET next_attempt_at = 1 WHERE outcome IS NULL AND lease_owner IS NULL',
      );
      return (await deliveries(hooked, '&state=delivered')).length === 18;
    });
    const ids = new Set(receiver.received(hooked.path).map(({ event }) => event.id));
    expect(ids.size).toBe(18);
    expect((await deliveries(hooked)).every(({ id }) => ids.has(id))).toBe(true);
    if (at !== world.service) await at.stop();
  });

  it('of an address that may not be reached any more get nothing, and say why', async () => {
    const hooked = await hook();
    await world.restart('stop', { OUTBOUND_ALLOW: '127.0.0.2' });
    try {
      const id = await test(hooked);
      await becomes(hooked, id, { state: 'pending', attempts: 1, last_error: 'refused-address' });
      expect(receiver.received(hooked.path)).toEqual([]);
    } finally {
      await world.restart('stop', { OUTBOUND_ALLOW: '127.0.0.1' });
    }
  });

  it('that are deleted get nothing of what waits', async () => {
    const hooked = await hook();
    receiver.behave(hooked.path, () => ({ status: 500 }));
    const id = await test(hooked);
    await becomes(hooked, id, { last_error: 'status 500' });
    await ask('DELETE', `/webhooks/${hooked.id}`);
    await hurry();
    const row = async () =>
      (await world.database.query('SELECT * FROM outbox_messages WHERE subject_id = ?', [hooked.id]))[0];
    await eventually('it ends', async () => (await row())?.['outcome'] === 'removed');
    expect(await row()).toMatchObject({ payload: null });
    expect(receiver.received(hooked.path)).toHaveLength(1);
  });

  it('are shown no secret but their own, and nobody else is shown that', async () => {
    await world.assertNoLeaks();
    expect(world.ledger.findLeaks(receiver.everything(), 'what the receiver got')).toEqual([]);
  });
});
