import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SystemRandomness } from '../../../src/common/random.js';
import { Secret } from '../../../src/common/secret.js';
import { DecryptionError, Envelopes } from '../../../src/encryption/index.js';

const randomness = new SystemRandomness();
const k1 = { id: 'k1', key: randomBytes(32) };
const k2 = { id: 'k2', key: randomBytes(32) };
const envelopes = new Envelopes([k1], randomness);

const row = { table: 'accounts', id: 'one' };
const secret = new Secret('a token of the provider');

/** Each byte of a base64 text changed in turn. */
function* tampered(ciphertext: string): Generator<string> {
  const bytes = Buffer.from(ciphertext, 'base64');
  for (const index of bytes.keys()) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
    yield changed.toString('base64');
  }
}

describe('an envelope', () => {
  it('gives back what was sealed, to the row and column it was sealed for', () => {
    const envelope = envelopes.create(row);
    const sealed = envelope.seal('access_token', secret);
    const opened = envelopes.open(row, envelope.wrapped);
    expect(opened.unseal('access_token', sealed).reveal()).toBe(secret.reveal());
    for (const value of ['', 'ünïcode 🔑', 'x'.repeat(100_000)]) {
      expect(opened.unseal('c', envelope.seal('c', new Secret(value))).reveal()).toBe(value);
    }
  });

  it('shows nothing of the secret, and looks different every time', () => {
    const [one, other] = [envelopes.create(row), envelopes.create(row)];
    const texts = [one.seal('c', secret), one.seal('c', secret), other.seal('c', secret)];
    expect(new Set(texts).size).toBe(3);
    expect(one.wrapped.dataKey).not.toBe(other.wrapped.dataKey);
    expect(
      inspect(one.wrapped) + texts.join(' ') + Buffer.from(texts[0] ?? '', 'base64').toString('latin1'),
    ).not.toContain(secret.reveal());
  });

  it.each([
    ['another row', { table: 'accounts', id: 'two' }],
    ['another table', { table: 'clients', id: 'one' }],
    ['a row whose names only look alike when joined', { table: 'accounts","one', id: '' }],
  ])('does not open for %s, even when its data key is moved along', (_what, elsewhere) => {
    const envelope = envelopes.create(row);
    const sealed = envelope.seal('access_token', secret);
    expect(() => envelopes.open(elsewhere, envelope.wrapped)).toThrow(DecryptionError);
    const target = envelopes.create(elsewhere);
    expect(() => target.unseal('access_token', sealed)).toThrow(DecryptionError);
  });

  it('does not give a column the ciphertext of another', () => {
    const envelope = envelopes.create(row);
    const sealed = envelope.seal('refresh_token', secret);
    expect(() => envelope.unseal('access_token', sealed)).toThrow(DecryptionError);
  });

  it('does not open a ciphertext of the same row from before it was written anew', () => {
    const sealed = envelopes.create(row).seal('access_token', secret);
    expect(() => envelopes.create(row).unseal('access_token', sealed)).toThrow(DecryptionError);
  });

  it('notices every changed byte, of the ciphertext and of the data key', () => {
    const envelope = envelopes.create(row);
    for (const text of tampered(envelope.seal('c', secret))) {
      expect(() => envelope.unseal('c', text)).toThrow(DecryptionError);
    }
    for (const dataKey of tampered(envelope.wrapped.dataKey)) {
      expect(() => envelopes.open(row, { ...envelope.wrapped, dataKey })).toThrow(DecryptionError);
    }
  });

  it.each(['', 'AAAA', '!', randomBytes(28).toString('base64')])('refuses %j, which was never sealed', (text) => {
    const envelope = envelopes.create(row);
    expect(() => envelope.unseal('c', text)).toThrow(DecryptionError);
    expect(() => envelopes.open(row, { ...envelope.wrapped, dataKey: text })).toThrow(DecryptionError);
  });

  it('says in its error which table is affected, and nothing of the secret or the keys', () => {
    const envelope = envelopes.create(row);
    const unseal = () => envelope.unseal('c', envelope.seal('d', secret));
    expect(unseal).toThrow(/^accounts: /);
    expect(unseal).not.toThrow(secret.reveal());
  });
});

describe('the keys', () => {
  it('that are old decrypt, and new writes use the first', () => {
    const old = envelopes.create(row);
    const sealed = old.seal('c', secret);
    const rotated = new Envelopes([k2, k1], randomness);
    expect(rotated.open(row, old.wrapped).unseal('c', sealed).reveal()).toBe(secret.reveal());
    expect(rotated.create(row).wrapped.encryptionKeyId).toBe('k2');
  });

  it('that are missing are named, and cannot be passed off as another', () => {
    const { wrapped } = envelopes.create(row);
    const without = new Envelopes([k2], randomness);
    expect(() => without.open(row, wrapped)).toThrow('accounts: the encryption key k1 is not configured');
    expect(() => without.open(row, { ...wrapped, encryptionKeyId: 'k2' })).toThrow(DecryptionError);
    const sameKeyOtherName = new Envelopes([{ ...k1, id: 'k3' }], randomness);
    expect(() => sameKeyOtherName.open(row, { ...wrapped, encryptionKeyId: 'k3' })).toThrow(DecryptionError);
  });

  it('are needed', () => {
    expect(() => new Envelopes([], randomness)).toThrow('at least one key');
  });
});
