import { randomUUID } from 'node:crypto';

const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const SIGNATURE = Buffer.alloc(64, 1).toString('base64url');
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** Tokens that nobody made here, for an issuer; each unique, so that none can be found where it must not be by accident. */
export function badTokens(issuer: string): Record<string, string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: 'signer', aud: issuer, iat: now, exp: now + 60, jti: randomUUID() };
  const of = (header: unknown, payload: unknown = { ...claims, jti: randomUUID() }): string =>
    `${part(header)}.${part(payload)}.${SIGNATURE}`;
  const header = { alg: 'ES256', typ: 'at+jwt', kid: 'signer-key' };
  return {
    'alg none': `${part({ alg: 'none', typ: 'at+jwt' })}.${part(claims)}.`,
    'alg None in other letters': of({ ...header, alg: 'nOnE' }),
    'an unknown algorithm': of({ ...header, alg: 'XX999' }),
    'an algorithm that is no text': of({ ...header, alg: ['ES256'] }),
    'HS256 where keys are public': of({ ...header, alg: 'HS256' }),
    'an unknown critical extension': of({ ...header, crit: ['x'], x: 1 }),
    'a key of its own': of({ ...header, jwk: { kty: 'oct', k: 'AAAA' }, jku: 'https://attacker.example/jwks' }),
    'a kid that is a path': of({ ...header, kid: '../../etc/passwd' }),
    'a wrong signature': of(header),
    'a deeply nested payload': of(header, nested(1_500)),
    'a deeply nested header': of(`{"alg":"ES256","typ":"at+jwt","x":${nested(1_500)}}`),
    'a payload that is no JSON': of(header, 'not json'),
    'a payload that is no object': of(header, 'null'),
    'two parts': `${part(header)}.${part(claims)}`,
    'five parts': `${of(header)}.a.b`,
    'no base64url': `${randomUUID()}.!!!!.????`,
    dots: '..',
  };
}

/** As long as a JWT of more than 16 KiB, and one that is nested as deep as that allows. */
export function giantTokens(issuer: string): Record<string, string> {
  const header = part({ alg: 'ES256', typ: 'at+jwt' });
  return {
    'of more than 16 KiB': `${header}.${part({ iss: issuer, jti: randomUUID(), x: 'a'.repeat(16_384) })}.${SIGNATURE}`,
    'nested 5,000 deep': `${header}.${part(nested(5_000))}.${SIGNATURE}`,
  };
}
