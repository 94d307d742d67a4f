import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { epochSeconds } from '../../../src/common/clock.js';
import { SystemRandomness } from '../../../src/common/random.js';
import { Secret } from '../../../src/common/secret.js';
import { isWebhookSecret, newWebhookSecret, signaturesOf } from '../../../src/webhooks/webhook-signature.js';

const body = '{"type":"identity.linked","data":{"subject":"ädä"}}';
const message = () => ({ id: '0b7c7b3e-2f0c-4f0e-8f1e-3a1d3c5b7e9f', timestamp: epochSeconds(Date.now()), body });
const headersOf = ({ id, timestamp }: ReturnType<typeof message>, signature: string) => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
});
const secret = () => newWebhookSecret(new SystemRandomness());
const ofBytes = (length: number) => `whsec_${randomBytes(length).toString('base64')}`;

describe('the signature of a message to a webhook', () => {
  it('is the one of the published example', () => {
    // @see Standard Webhooks, libraries: the vector that all of them are tested with.
    const payload = '{"test": 2432232314}';
    const signature = signaturesOf({ id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: payload }, [
      new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'),
    ]);
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('satisfies the receivers of Standard Webhooks, and one for each secret', () => {
    const [current, previous, stranger] = [secret(), secret(), secret()];
    const sent = message();
    const headers = headersOf(sent, signaturesOf(sent, [current, previous]));
    expect(headers['webhook-signature']).toMatch(/^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/);
    for (const known of [current, previous]) {
      expect(new Webhook(known.reveal()).verify(body, headers)).toEqual(JSON.parse(body));
    }
    expect(() => new Webhook(stranger.reveal()).verify(body, headers)).toThrow('No matching signature');
  });

  it.each([
    ['id', { id: 'another' }],
    ['timestamp', { timestamp: epochSeconds(Date.now()) - 60 }],
    ['body', { body: body.replace('linked', 'unlinked') }],
  ])('is not the one of another %s', (_, change) => {
    const one = secret();
    const sent = message();
    const forged = { ...sent, ...change };
    const headers = headersOf(forged, signaturesOf(sent, [one]));
    expect(() => new Webhook(one.reveal()).verify(forged.body, headers)).toThrow('No matching signature');
  });
});

describe('the secret of a webhook', () => {
  it('is 32 random bytes in the form of Standard Webhooks', () => {
    const [one, other] = [secret().reveal(), secret().reveal()];
    expect(one).not.toBe(other);
    expect(isWebhookSecret(one)).toBe(true);
    expect(Buffer.from(one.slice(6), 'base64')).toHaveLength(32);
  });

  it.each([24, 32, 64])('may be chosen, of %i bytes', (length) => {
    expect(isWebhookSecret(ofBytes(length))).toBe(true);
  });

  it.each([
    ['too short', ofBytes(23)],
    ['too long', ofBytes(65)],
    ['without its prefix', ofBytes(32).slice(6)],
    ['base64url', `whsec_${Buffer.alloc(32, 0xff).toString('base64url')}`],
    ['with a space', `${ofBytes(32)} `],
    ['nothing', 'whsec_'],
    ['a password', 'correct horse battery staple'],
  ])('may not be %s', (_, text) => {
    expect(isWebhookSecret(text)).toBe(false);
  });
});
