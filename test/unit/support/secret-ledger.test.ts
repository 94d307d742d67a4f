import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SecretLedger } from '../../support/secret-ledger.js';

/** Characters that every encoding treats differently. */
const SECRET = 's3cr3t/+"quote\\slash???>>> ümläut~end';

function ledger(): SecretLedger {
  const fresh = new SecretLedger();
  fresh.add(SECRET, 'the secret');
  return fresh;
}

const lowerCaseEscapes = (text: string): string => text.replaceAll(/%[0-9A-F]{2}/g, (part) => part.toLowerCase());
const encoded = encodeURIComponent(SECRET);

describe('SecretLedger', () => {
  it.each([
    ['raw', SECRET],
    ['json', JSON.stringify({ token: SECRET })],
    ['json in json', JSON.stringify({ message: JSON.stringify({ token: SECRET }) })],
    ['url', `?token=${encoded}&x=1`],
    ['url lower-case', `?token=${lowerCaseEscapes(encoded)}`],
    ['form', new URLSearchParams({ token: SECRET }).toString()],
    ['url twice', encodeURIComponent(`?token=${encoded}`)],
    ['base64', Buffer.from(SECRET).toString('base64')],
    ['base64', Buffer.from(`a${SECRET}b`).toString('base64')],
    ['base64', Buffer.from(`ab${SECRET}`).toString('base64')],
    ['base64', `Basic ${Buffer.from(`client-id:${SECRET}`).toString('base64')}`],
    ['base64url', Buffer.from(SECRET).toString('base64url')],
    ['base64url', Buffer.from(`a${SECRET}`).toString('base64url')],
    ['base64url', Buffer.from(`ab${SECRET}cd`).toString('base64url')],
    ['hex', `\\x${Buffer.from(`before${SECRET}`).toString('hex')}`],
    ['hex upper-case', Buffer.from(SECRET).toString('hex').toUpperCase()],
  ])('finds a planted leak: %s', (encoding, planted) => {
    const leaks = ledger().findLeaks(`some log line ${planted} and more\n`, 'the log');
    expect(leaks).toContainEqual({ label: 'the secret', encoding, where: 'the log' });
  });

  it('searches bytes as well as text', () => {
    const bytes = Buffer.concat([Buffer.from([0, 255, 254]), Buffer.from(SECRET), Buffer.from([0])]);
    expect(
      ledger()
        .findLeaks(bytes, 'a file')
        .map(({ encoding }) => encoding),
    ).toEqual(['raw']);
  });

  it('finds nothing where nothing leaks, and one leak where one leaks often', () => {
    expect(ledger().findLeaks('s3cr3t/+ and the rest elsewhere', 'the log')).toEqual([]);
    expect(ledger().findLeaks(`${SECRET} ${SECRET}`, 'the log')).toHaveLength(1);
  });

  it('finds a leak at the very beginning and at the very end', () => {
    const short = new SecretLedger();
    short.add('eightchr', 'short');
    expect(short.findLeaks('eightchr', 'all of it')).toHaveLength(1);
    expect(short.findLeaks('…eightchr', 'the end')).toHaveLength(1);
  });

  it('ignores values that are too short to mean anything', () => {
    const short = new SecretLedger();
    short.add('1234567', 'short');
    expect(short.size).toBe(0);
  });

  it('searches many secrets in much text without trying each', () => {
    const many = new SecretLedger();
    for (let index = 0; index < 2000; index += 1) many.add(`secret-number-${index}-of-many`, 'one of many');
    many.add('the only one that leaks', 'the leak');
    const text = `${'an ordinary line of a log\n'.repeat(50_000)}the only one that leaks`;
    expect(many.findLeaks(text, 'the log')).toEqual([{ label: 'the leak', encoding: 'raw', where: 'the log' }]);
  });

  it('never shows a secret: not in the report, not when printed', () => {
    const planted = ledger();
    const thrown = (() => {
      try {
        planted.assertNoLeaks({ stdout: 'clean', database: `x${SECRET}` });
      } catch (error) {
        return inspect(error);
      }
      return undefined;
    })();
    expect(thrown).toContain('the secret (raw) in database');
    for (const shown of [thrown, inspect(planted, { depth: 9, showHidden: true }), JSON.stringify(planted)]) {
      expect(shown).not.toContain('s3cr3t');
    }
    expect(() => planted.assertNoLeaks({ stdout: 'clean' })).not.toThrow();
  });
});
