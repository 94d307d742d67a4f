import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { makeVerifier, matches } from '../../../src/clients/client-secrets.js';
import { Secret } from '../../../src/common/secret.js';

const RIGHT = 'Zm9yIHRoZSB0ZXN0cyBvZiBjbGllbnQgc2VjcmV0cyE';
const DIGEST_BYTES = 32;

describe('a client secret of 256 random bits is "compared in constant time"', () => {
  let compare: MockInstance<typeof crypto.timingSafeEqual>;
  let verifier: string;
  beforeEach(async () => {
    compare = vi.spyOn(crypto, 'timingSafeEqual');
    syncBuiltinESMExports();
    verifier = await makeVerifier(new Secret(RIGHT));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  it.each([
    ['the right one', RIGHT, true],
    ['one that differs at its start', `A${RIGHT.slice(1)}`, false],
    ['one that differs at its end', `${RIGHT.slice(0, -1)}A`, false],
    ['the beginning of it', RIGHT.slice(0, -1), false],
    ['one that goes on', `${RIGHT}A`, false],
    ['nothing', '', false],
  ])('%s: once, over as many bytes as any other', async (_, presented, expected) => {
    expect(await matches(new Secret(presented), verifier)).toBe(expected);
    const lengths = compare.mock.calls.map((sides) => sides.map(({ byteLength }) => byteLength));
    expect(lengths).toEqual([[DIGEST_BYTES, DIGEST_BYTES]]);
  });

  it('by nothing else', async () => {
    compare.mockReturnValueOnce(true);
    expect(await matches(new Secret('another'), verifier)).toBe(true);
    compare.mockReturnValueOnce(false);
    expect(await matches(new Secret(RIGHT), verifier)).toBe(false);
  });
});
