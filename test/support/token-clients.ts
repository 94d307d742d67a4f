import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import type { RequestOptions } from './http-browser.js';
import type { SecretLedger } from './secret-ledger.js';
import { PROVIDER, READ_SCOPE, REDIRECT_URI } from './world.js';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Clients that may refresh: one with a secret, one without, one that signs. */
export const KEEPER = { client_id: 'keeper', client_secret: 'keeper-secret-0123456789abcdef0123456789abcde' };
export const WANDERER = { client_id: 'wanderer' };
export const SIGNER = { client_id: 'signer' };
export const KEEPER_SCOPE = `${READ_SCOPE} offline_access reports:read`;

export interface SignerKey {
  privateKey: CryptoKey;
  jwk: JWK;
}

export async function signerKey(): Promise<SignerKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: 'signer-key', alg: 'ES256' } };
}

/** For CONFIG_FILE. */
export function tokenClients({ jwk }: SignerKey): unknown[] {
  const common = {
    redirect_uris: [REDIRECT_URI],
    scope: KEEPER_SCOPE,
    consent: 'implicit',
    upstream_providers: [PROVIDER],
    grant_types: ['authorization_code', 'refresh_token'],
  };
  return [
    { ...common, ...KEEPER, grant_types: [...common.grant_types, 'client_credentials'] },
    { ...common, ...WANDERER, token_endpoint_auth_method: 'none' },
    {
      ...SIGNER,
      scope: 'reports:read',
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    },
  ];
}

/** The signer's proof of itself for one request; `changes` go over its claims. */
export async function clientAssertion(
  { privateKey }: SignerKey,
  issuer: string,
  changes: Record<string, unknown> = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const { client_id: id } = SIGNER;
  return new SignJWT({ iss: id, sub: id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 60, ...changes })
    .setProtectedHeader({ alg: 'ES256', kid: 'signer-key' })
    .sign(privateKey);
}

export function assertionRequest(assertion: string, ledger: SecretLedger): Pick<RequestOptions, 'form'> {
  ledger.add(assertion, 'client assertion');
  return {
    form: {
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: assertion,
      scope: 'reports:read',
    },
  };
}
