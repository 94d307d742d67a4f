import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/common/secret.js';
import { databases } from '../support/databases.js';
import { encryptionKeys } from '../support/service.js';
import { fiftyTimes, openStorage, type Storage } from './support/storage.js';
import { webhooksOf } from './support/webhooks-room.js';

const URL = 'https://receiver.example/hook';
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const A_DAY_MS = 24 * 3_600_000;

/** What is waiting is not sent here: nothing delivers. */
describe.each(databases)('webhooks on $name', (kind) => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await openStorage(kind);
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    for (const table of ['webhooks', 'outbox_messages', 'audit_events']) {
      await storage.database.query(`DELETE FROM ${table}`);
    }
  });

  const room = () => webhooksOf(storage.first);
  const create = async (settings: object = {}) => (await room().webhooks.create(URL, settings)).webhook.id;
  const emit = () => room().webhooks.emit('identity.linked', () => Promise.resolve({ subject: 'ada' }));
  const messages = () => storage.database.query('SELECT * FROM outbox_messages');
  const receiver = (id: string) => room().repository.receiver(id);
  const secretsOf = async (id: string) => (await receiver(id))?.secrets.map((secret) => secret.reveal());

  it('are told what is committed, each of them once and under the same id, and nothing that is rolled back', async () => {
    const [one, other] = [await create(), await create()];
    const work = async () => {
      await emit();
      throw new Error('on second thoughts');
    };
    await expect(storage.first.unitOfWork.run(work)).rejects.toThrow('on second thoughts');
    expect(await messages()).toEqual([]);
    await storage.first.unitOfWork.run(emit);
    const sent = await messages();
    expect(sent.map(({ subject_id: subject, kind: what, topic }) => [subject, what, topic]).toSorted()).toEqual(
      [one, other].toSorted().map((id) => [id, 'webhook', 'identity.linked']),
    );
    const ids = sent.map(({ id, subject_id: subject }) => String(id).slice(String(subject).length + 1));
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('are told what they want to hear, from the moment on that they are there, on every replica', async () => {
    const id = await create({ events: ['identity.linked'] });
    await create({ events: ['identity.unlinked'] });
    await create({ enabled: false });
    const elsewhere = webhooksOf(storage.second).webhooks;
    await elsewhere.emit('identity.linked', () => Promise.resolve({}));
    expect((await messages()).map((message) => message['subject_id'])).toEqual([id]);
    await room().webhooks.change(id, { enabled: false });
    await elsewhere.emit('identity.linked', () => Promise.resolve({}));
    expect(await messages()).toHaveLength(1);
  });

  it('cost nothing where nobody listens: what happened is not even described', async () => {
    await create({ events: ['identity.unlinked'] });
    await room().webhooks.emit('identity.linked', () => Promise.reject(new Error('nobody asked')));
    expect(await messages()).toEqual([]);
  });

  it('keep their secrets as ciphertext that belongs to the row and the column', async () => {
    const { webhook, secret } = await room().webhooks.create(URL, {}, new Secret(SECRET));
    expect(secret.reveal()).toBe(SECRET);
    expect(await secretsOf(webhook.id)).toEqual([SECRET]);
    expect(await storage.database.dump()).not.toContain(SECRET.slice(6));
    const other = await create();
    await storage.database.query(
      'UPDATE webhooks SET secret = (SELECT secret FROM webhooks WHERE id = ?) WHERE id = ?',
      [webhook.id, other],
    );
    await expect(receiver(other)).rejects.toThrow('a ciphertext does not belong to its row');
    await storage.database.query('UPDATE webhooks SET previous_secret = secret, previous_secret_expires_at = ?', [
      storage.clock.now() + A_DAY_MS,
    ]);
    await expect(receiver(webhook.id)).rejects.toThrow('a ciphertext does not belong to its row');
    const withoutKey = storage.first.configured({ keys: encryptionKeys('other') });
    webhooksOf(withoutKey);
    expect(await withoutKey.encryptedTables.unusableKeys()).toEqual(['k1']);
  });

  it('sign with the secret before, too, until it expires', async () => {
    const { webhook, secret: first } = await room().webhooks.create(URL, {});
    const rotate = (previousValidForMs: number) => room().webhooks.rotateSecret(webhook.id, { previousValidForMs });
    const { secret: second, webhook: rotated } = await rotate(A_DAY_MS);
    expect(rotated.previousSecretExpiresAt).toBe(storage.clock.now() + A_DAY_MS);
    expect(await secretsOf(webhook.id)).toEqual([second.reveal(), first.reveal()]);
    storage.clock.advance(A_DAY_MS - 1);
    expect(await secretsOf(webhook.id)).toEqual([second.reveal(), first.reveal()]);
    storage.clock.advance(1);
    expect(await secretsOf(webhook.id)).toEqual([second.reveal()]);
    const { secret: third } = await rotate(0);
    expect(await secretsOf(webhook.id)).toEqual([third.reveal()]);
  });

  it('are rotated by fifty at once one after the other: the last two that were handed out are valid', async () => {
    const id = await create();
    const answers = await fiftyTimes([storage.first, storage.second], async (replica) => {
      const { secret } = await webhooksOf(replica).webhooks.rotateSecret(id, { previousValidForMs: A_DAY_MS });
      return secret.reveal();
    });
    const valid = await secretsOf(id);
    expect(valid).toHaveLength(2);
    for (const secret of valid ?? []) expect(answers).toContain(secret);
    expect(await storage.database.query("SELECT 1 FROM audit_events WHERE event = 'webhook.updated'")).toHaveLength(50);
  });

  it('are at most a hundred', async () => {
    const insert = () => room().repository.insert(URL, {}, new Secret(SECRET));
    for (let count = 0; count < 100; count += 1) await insert();
    await expect(create()).rejects.toMatchObject({ code: 'resource.conflict' });
    expect(await storage.database.query('SELECT 1 FROM webhooks')).toHaveLength(100);
  });

  it('are disabled by what an address says only while they have that address', async () => {
    const id = await create();
    await room().webhooks.disableGone(id, 'https://receiver.example/before');
    expect(await receiver(id)).toMatchObject({ disabled: false });
    await room().webhooks.disableGone(id, URL);
    await room().webhooks.disableGone(id, URL);
    expect(await receiver(id)).toMatchObject({ disabled: true });
    const events = await storage.database.query("SELECT reason FROM audit_events WHERE event = 'webhook.updated'");
    expect(events).toEqual([{ reason: `${id} gone` }]);
  });
});
