import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  SignJWT,
  UnsecuredJWT,
  type JWK,
  type JWTPayload,
} from 'jose';
import { UPSTREAM_CLIENT, type World } from '../../support/world.js';

export type Claims = JWTPayload & { iss: string; aud: string; exp: number; iat: number };

/** What comes instead of a genuine id_token that says these claims. */
export type Forge = (claims: Claims, world: World) => Promise<unknown>;

const now = (): number => Math.floor(Date.now() / 1000);

const withClaims =
  (change: (claims: Claims) => object): Forge =>
  (claims, world) =>
    world.upstream.signIdToken(change(claims) as JWTPayload);

/** Signed by a key that the provider never had, under a `kid` it does have where `kid` says so. */
async function foreign(claims: JWTPayload, kid: string): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256');
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);
}

async function publishedKey(world: World): Promise<JWK & { kid: string }> {
  const answer = await world.browser().request(`${world.upstream.issuer}/jwks`);
  const [key] = answer.json<{ keys: (JWK & { kid: string })[] }>().keys;
  if (!key) throw new Error('the provider publishes no key');
  return key;
}

/** A confused verifier takes the public key, which everybody has, for the secret. */
const hmacWith =
  (secretOf: (world: World) => Promise<{ secret: string; kid?: string }>): Forge =>
  async (claims, world) => {
    const { secret, kid } = await secretOf(world);
    const header = { alg: 'HS256', ...(kid !== undefined && { kid }) };
    return new SignJWT(claims).setProtectedHeader(header).sign(new TextEncoder().encode(secret));
  };

/** At a sign-in that is wrong; at a refresh it may be a clock that is, here or there, and costs no user the account. */
export const OUT_OF_TIME: [string, Forge][] = [
  ['an exp in the past', withClaims((claims) => ({ ...claims, iat: now() - 7200, exp: now() - 3600 }))],
  ['an iat in the future', withClaims((claims) => ({ ...claims, iat: now() + 3600, exp: now() + 7200 }))],
  ['an nbf in the future', withClaims((claims) => ({ ...claims, nbf: now() + 3600 }))],
];

/** Wrong however it came: at a sign-in and at a refresh. */
export const ALWAYS_WRONG: [string, Forge][] = [
  ["a foreign key under the provider's kid", async (claims, world) => foreign(claims, (await publishedKey(world)).kid)],
  ['no signature (alg none)', async (claims) => new UnsecuredJWT(claims).encode()],
  ['an HS256 signature made with the client secret', hmacWith(async () => ({ secret: UPSTREAM_CLIENT.client_secret }))],
  [
    'an HS256 signature made with the public key in PEM',
    hmacWith(async (world) => {
      const key = await publishedKey(world);
      const imported = await importJWK(key, 'ES256', { extractable: true });
      if (imported instanceof Uint8Array) throw new Error('not a public key');
      return { secret: await exportSPKI(imported), kid: key.kid };
    }),
  ],
  [
    'an HS256 signature made with the public key as JWK',
    hmacWith(async (world) => {
      const key = await publishedKey(world);
      return { secret: JSON.stringify(key), kid: key.kid };
    }),
  ],
];

/** Wrong in the answer to a sign-in. */
export const WRONG_AT_SIGN_IN: [string, Forge][] = [
  ...OUT_OF_TIME,
  ...ALWAYS_WRONG,
  ['another nonce', withClaims((claims) => ({ ...claims, nonce: 'another' }))],
  ['no nonce', withClaims((claims) => ({ ...claims, nonce: undefined }))],
  ['another audience', withClaims((claims) => ({ ...claims, aud: 'somebody-else' }))],
  ['a further audience without azp', withClaims((claims) => ({ ...claims, aud: [UPSTREAM_CLIENT.client_id, 'else'] }))],
  ['another azp', withClaims((claims) => ({ ...claims, azp: 'somebody-else' }))],
  ['another issuer', withClaims((claims) => ({ ...claims, iss: 'https://evil.example' }))],
  ['no issuer', withClaims((claims) => ({ ...claims, iss: undefined }))],
  ['no exp', withClaims((claims) => ({ ...claims, exp: undefined }))],
  ['no sub', withClaims((claims) => ({ ...claims, sub: undefined }))],
  ['an empty sub', withClaims((claims) => ({ ...claims, sub: '' }))],
  ['a sub that no column takes', withClaims((claims) => ({ ...claims, sub: 'al\u0000ice' }))],
  ['a sub that is no string', withClaims((claims) => ({ ...claims, sub: 5 }))],
  ['the at_hash of another access token', withClaims((claims) => ({ ...claims, at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }))],
  ['the signature of a foreign key', async (claims) => foreign(claims, 'unknown-key')],
  [
    'a key of its own in the header (jwk)',
    async (claims) => {
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', jwk: await exportJWK(publicKey) }).sign(privateKey);
    },
  ],
  ['something that is no JWT', async () => 'no.jwt'],
  ['nothing at all', async () => undefined],
];
