import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import type { Actor } from './contract-row.js';

/** Access tokens that look like ours and are not, each made out of a good one; none may be accepted anywhere. */
export const FORGED_TOKENS: Record<string, (actor: Actor) => string | Promise<string>> = {
  'other claims under the old signature': ({ token }) => {
    const [header, , signature] = token.split('.');
    const claims = { ...decodeJwt(token), scope: 'federated-identity:token admin' };
    return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
  },
  'another signature': ({ token }) => `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}`,
  'the algorithm none': ({ token }) => {
    const [, claims] = new UnsecuredJWT(decodeJwt(token)).encode().split('.');
    return `${Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url')}.${claims}.`;
  },
  'our public key as an HMAC secret': async ({ token, world }) => {
    const { keys } = (await world.request('/jwks')).json<{ keys: { kid: string }[] }>();
    const { kid } = decodeProtectedHeader(token);
    const secret = Buffer.from(JSON.stringify(keys.find((key) => key.kid === kid)));
    return new SignJWT(decodeJwt(token))
      .setProtectedHeader({ ...decodeProtectedHeader(token), alg: 'HS256' })
      .sign(secret);
  },
  'a key of somebody else under our key id': async ({ token }) => {
    const { privateKey } = await generateKeyPair('ES256');
    return new SignJWT(decodeJwt(token))
      .setProtectedHeader({ ...decodeProtectedHeader(token), alg: 'ES256' })
      .sign(privateKey);
  },
};
