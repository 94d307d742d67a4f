import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghijklmnopqrstuv';
const XID = /^[0-9a-v]{20}$/;

/** The caller's `Request-Id` where it is an xid (20 characters of base32hex), a new one otherwise. */
export function requestId(received: string | undefined): string {
  return received !== undefined && XID.test(received) ? received : newRequestId();
}

function newRequestId(): string {
  let bits = 0n;
  for (const byte of randomBytes(12)) bits = (bits << 8n) | BigInt(byte);
  let id = '';
  // 96 bits in 20 characters of 5: the last one is padded with four zero bits.
  for (bits <<= 4n; id.length < 20; bits >>= 5n) id = ALPHABET[Number(bits & 31n)]! + id;
  return id;
}
