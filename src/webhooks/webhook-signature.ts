import { createHmac } from 'node:crypto';
import type { Randomness } from '../common/random.js';
import { Secret } from '../common/secret.js';

const PREFIX = 'whsec_';
const SECRET_BYTES = 32;
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

/** What is signed, and what the receiver gets. */
export interface SignedMessage {
  /** The event's, without full stops: the same over attempts and for all receivers. */
  id: string;
  /** Of this attempt, seconds since the epoch. */
  timestamp: number;
  body: string;
}

/** A fresh secret in the form that receivers are given it. @see Standard Webhooks 1.0.0, signature scheme */
export function newWebhookSecret(randomness: Randomness): Secret {
  return new Secret(PREFIX + randomness.bytes(SECRET_BYTES).toString('base64'));
}

/** Whether a text that somebody chose can be a secret: `whsec_` and the base64 of 24 to 64 bytes. */
export function isWebhookSecret(text: string): boolean {
  const encoded = text.slice(PREFIX.length);
  const key = Buffer.from(encoded, 'base64');
  const wellFormed = text.startsWith(PREFIX) && key.toString('base64') === encoded;
  return wellFormed && key.length >= MIN_SECRET_BYTES && key.length <= MAX_SECRET_BYTES;
}

/**
 * One signature for each secret that is valid now, so that a receiver verifies with the old or the new one while it is
 * rotated. HMAC-SHA256 over id, timestamp and body: none of them can be exchanged, and an old message be noticed.
 * @see Standard Webhooks 1.0.0, signature scheme
 */
export function signaturesOf({ id, timestamp, body }: SignedMessage, secrets: readonly Secret[]): string {
  return secrets
    .map((secret) => Buffer.from(secret.reveal().slice(PREFIX.length), 'base64'))
    .map((key) => createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64'))
    .map((signature) => `v1,${signature}`)
    .join(' ');
}
