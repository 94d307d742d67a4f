import { createPrivateKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { Secret } from '../common/secret.js';
import { providerId, scope } from './declaration-fields.js';

export const PRESET_NAMES = ['apple', 'auth0', 'entra', 'github', 'gitlab', 'google', 'keycloak', 'okta'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** Where a claim stands in what the provider says: names separated by dots. */
const claimPath = z.string().regex(/^[^.\s]+(\.[^.\s]+)*$/, 'must be a dotted path, such as profile.display_name');

const CLAIMS = [
  'sub',
  'name',
  'given_name',
  'family_name',
  'preferred_username',
  'picture',
  'locale',
  'email',
  'email_verified',
  'groups',
  'entitlements',
] as const;

const endpoint = z.url({ protocol: /^https?$/, error: 'must be an absolute https URL' });

/** An entry as it is written, in CONFIG_FILE or to the admin API, where a preset may still fill in what it leaves out. */
export const writtenIdentityProvider = z.strictObject({
  id: providerId,
  preset: z.enum(PRESET_NAMES, `must be one of ${PRESET_NAMES.join(', ')}`).optional(),
  type: z.enum(['oidc', 'oauth2'], 'must be oidc or oauth2').optional(),
  name: z.string().min(1).max(100).optional(),
  /** The exact `iss` of its id_tokens; `{tenantid}` in it stands for each of `tenants`. */
  issuer: z.url({ protocol: /^https?$/, error: "must be the provider's issuer URL" }).optional(),
  /** The host that presets with a host per customer are made for. */
  domain: z
    .string()
    .regex(/^[a-z0-9.-]+(:\d+)?$/i, 'must be a host name, such as tenant.example.com')
    .optional(),
  client_id: z.string().min(1).max(512),
  client_secret: z
    .string()
    .min(1)
    .transform((text) => new Secret(text))
    .optional(),
  /** What signs our client assertions, or the client secret where there is a `team_id`. */
  private_key: z
    .string()
    .refine((text) => privateKeyIn(text) !== undefined, 'must be a private key, in PEM (PKCS#8) or as a JWK')
    .transform((text) => new Secret(text))
    .optional(),
  private_key_id: z.string().min(1).max(128).optional(),
  team_id: z.string().min(1).max(128).optional(),
  token_endpoint_auth_method: z
    .enum(
      ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
      'must be client_secret_basic, client_secret_post, private_key_jwt or none',
    )
    .optional(),
  client_assertion_audience: z.enum(['issuer', 'token_endpoint'], 'must be issuer or token_endpoint').optional(),
  scope: scope.optional(),
  offline_access: z.boolean().optional(),
  sign_up: z
    .union([z.boolean(), z.array(z.string().min(1)).min(1)], 'must be true, false or a list of e-mail domains')
    .optional(),
  trust_verified_email: z.boolean().optional(),
  authorization_parameters: z.record(z.string(), z.string()).optional(),
  response_mode: z.enum(['query', 'form_post'], 'must be query or form_post').optional(),
  endpoints: z
    .strictObject({
      authorization: endpoint.optional(),
      token: endpoint.optional(),
      userinfo: endpoint.optional(),
      /** Answers a list of the user's addresses, each with `email`, `primary` and `verified`. */
      emails: endpoint.optional(),
      jwks: endpoint.optional(),
      /** RFC 7009's; with `{client_id}` in it, one that is sent DELETE and the token in JSON. */
      revocation: endpoint.optional(),
    })
    .optional(),
  claims: z.partialRecord(z.enum(CLAIMS, `must be one of ${CLAIMS.join(', ')}`), claimPath).optional(),
  tenants: z
    .array(z.string().regex(/^[A-Za-z0-9.-]{1,128}$/, 'must be the id of a tenant'))
    .min(1)
    .optional(),
  access_token_lifetime: z
    .union([z.int().min(1), z.literal('none')], 'must be a number of seconds, or none')
    .optional(),
});

export type WrittenIdentityProvider = z.output<typeof writtenIdentityProvider>;

/** A private key as it is written: in PEM, or as a JWK, which may name its algorithm and itself. */
export interface WrittenPrivateKey {
  key: KeyObject;
  algorithm: string | undefined;
  id: string | undefined;
}

/** @returns `undefined` if the text is none */
export function privateKeyIn(text: string): WrittenPrivateKey | undefined {
  try {
    if (!text.trimStart().startsWith('{')) return { key: createPrivateKey(text), algorithm: undefined, id: undefined };
    const jwk = JSON.parse(text) as Record<string, unknown>;
    const { alg, kid } = jwk;
    return {
      key: createPrivateKey({ key: jwk, format: 'jwk' }),
      algorithm: typeof alg === 'string' ? alg : undefined,
      id: typeof kid === 'string' ? kid : undefined,
    };
  } catch {
    return undefined;
  }
}
