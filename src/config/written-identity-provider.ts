import { createPrivateKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { Secret } from '../common/secret.js';
import { providerId, scope } from './declaration-fields.js';

export const PRESET_NAMES = ['apple', 'auth0', 'entra', 'github', 'gitlab', 'google', 'keycloak', 'okta'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** Where a claim stands in what the provider says: names separated by dots. */
const claimPath = z.string().regex(/^[^.\s]+(\.[^.\s]+)*$/, 'must be a dotted path, such as profile.display_name');

/** What is kept of what a provider says about a user, and so what can be mapped: who the user is, not how a token was made. */
export const PROFILE_CLAIMS = [
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

const GUID = /^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;

const endpoint = z.url({ protocol: /^https?$/, error: 'must be an absolute https URL' });

const MAX_LIFETIME_SECONDS = 10 * 365 * 86_400;
/** Reads are noted to the hour, and what is due is looked for each minute: less could not be kept to. */
const MIN_RETENTION_SECONDS = 3600;

const retention = z
  .int('must be a number of seconds')
  .min(MIN_RETENTION_SECONDS, `must be at least ${MIN_RETENTION_SECONDS}, an hour`)
  .max(MAX_LIFETIME_SECONDS);

/** An entry as it is written, in CONFIG_FILE or to the admin API, where a preset may still fill in what it leaves out. */
export const writtenIdentityProvider = z.strictObject({
  id: providerId,
  preset: z
    .enum(PRESET_NAMES, `must be one of ${PRESET_NAMES.join(', ')}`)
    .optional()
    .describe('Fills in what is known of that provider, where this entry leaves it out.'),
  type: z.enum(['oidc', 'oauth2'], 'must be oidc or oauth2').optional(),
  name: z.string().min(1).max(100).optional(),
  issuer: z
    .url({ protocol: /^https?$/, error: "must be the provider's issuer URL" })
    .optional()
    .describe('The exact iss of its id_tokens; {tenantid} in it stands for each of tenants.'),
  domain: z
    .string()
    .regex(/^[a-z0-9.-]+(:\d+)?$/i, 'must be a host name, such as tenant.example.com')
    .optional()
    .describe('The host of your organisation, for presets that need one.'),
  client_id: z.string().min(1).max(512),
  client_secret: z
    .string()
    .min(1)
    .transform((text) => new Secret(text))
    .optional(),
  private_key: z
    .string()
    .refine((text) => privateKeyIn(text) !== undefined, 'must be a private key, in PEM (PKCS#8) or as a JWK')
    .transform((text) => new Secret(text))
    .optional()
    .describe('PEM (PKCS#8) or a JWK: signs client assertions, or the client secret where there is a team_id.'),
  private_key_id: z.string().min(1).max(128).optional().describe('The kid of what the key signs.'),
  team_id: z.string().min(1).max(128).optional().describe('Whose key signs the client secret, as Apple wants it.'),
  token_endpoint_auth_method: z
    .enum(
      ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
      'must be client_secret_basic, client_secret_post, private_key_jwt or none',
    )
    .optional(),
  client_assertion_audience: z
    .enum(['issuer', 'token_endpoint'], 'must be issuer or token_endpoint')
    .optional()
    .describe('Whom assertions of private_key_jwt name as their audience.'),
  scope: scope.optional(),
  offline_access: z.boolean().optional(),
  sign_up: z
    .union([z.boolean(), z.array(z.string().min(1)).min(1)], 'must be true, false or a list of e-mail domains')
    .optional(),
  trust_verified_email: z
    .boolean()
    .optional()
    .describe('Links an unknown account to the user who has the same verified e-mail address.'),
  authorization_parameters: z
    .record(z.string(), z.string())
    .optional()
    .describe('Sent with every authorization request.'),
  response_mode: z.enum(['query', 'form_post'], 'must be query or form_post').optional(),
  endpoints: z
    .strictObject({
      authorization: endpoint.optional(),
      token: endpoint.optional(),
      userinfo: endpoint.optional(),
      emails: endpoint
        .optional()
        .describe("Answers a list of the user's addresses, each with email, primary and verified."),
      jwks: endpoint.optional(),
      revocation: endpoint
        .optional()
        .describe('As in RFC 7009; with {client_id} in it, one that is sent DELETE with the token in JSON.'),
    })
    .optional()
    .describe('They win over what is discovered; type oauth2 needs authorization, token and userinfo.'),
  claims: z
    .partialRecord(z.enum(PROFILE_CLAIMS, `must be one of ${PROFILE_CLAIMS.join(', ')}`), claimPath)
    .optional()
    .describe('Where our claims stand in what the provider says, as dotted paths; type oauth2 needs sub.'),
  tenants: z
    .array(z.string().toLowerCase().regex(GUID, 'must be the id of a tenant, a GUID'))
    .min(1)
    .optional()
    .describe('The tenants whose users are admitted, where the issuer holds {tenantid}.'),
  access_token_lifetime: z
    .union([z.int().min(1).max(MAX_LIFETIME_SECONDS), z.literal('none')], 'must be a number of seconds, or none')
    .optional()
    .describe('Seconds, where the provider does not say; none: its tokens do not expire.'),
  refresh_token_idle_lifetime: z
    .int('must be a number of seconds')
    .min(60, 'must be at least 60')
    .max(MAX_LIFETIME_SECONDS)
    .optional()
    .describe('Seconds that a refresh token lives unused at the provider; it is refreshed in time.'),
  retention: z
    .strictObject({
      idle: retention.optional().describe('Seconds after which an account that nobody reads is forgotten.'),
      absolute: retention.optional().describe('Seconds after which its user has to link an account again.'),
    })
    .optional()
    .describe('For how long the tokens of an account are kept; for ever where it says nothing.'),
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
