import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { z } from 'zod';
import { Secret } from '../common/secret.js';
import { providerId, SCOPE } from './declaration-fields.js';
import { parseEntry } from './entry.js';
import { SIGNING_ALGORITHMS } from './signing-algorithms.js';

const identifier = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/,
    'must have 1 to 128 letters, digits, ".", "_", "~" or "-" and start with a letter or digit',
  );
const secret = z
  .string()
  // A secret that a human made is allowed, and stored with Argon2id; this catches the empty variable and the placeholder.
  .min(8, 'must have at least 8 characters')
  .transform((text) => new Secret(text));
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** RFC 9700 section 2.6: no http redirect URI but a loopback one; RFC 6749 section 3.1.2: absolute, no fragment. */
const redirectUri = z.string().refine((text) => {
  const url = URL.parse(text);
  if (!url || /[#\s\p{Cc}\p{Cs}]/u.test(text) || url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  if (url.protocol === 'http:') return LOOPBACK.has(url.hostname);
  return /^[a-z][a-z0-9+.-]*\.[a-z0-9+.-]*:$/.test(url.protocol);
}, 'must be an absolute https URL (http only for localhost, 127.0.0.1 and [::1]; or a private scheme in reverse domain notation) without fragment');

/** Of somebody else's; whether it may be asked is the outbound policy's to say. */
const webUrl = z.string().refine((text) => {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}, 'must be an absolute http(s) URL without a user');

/** A client may be allowed nothing: that is what a declared administrator has left once it is no longer declared. */
const scope = z.string().regex(new RegExp(`^$|${SCOPE.source}`), 'must be scope names separated by single spaces');

/** Of RSA each prime is as good as the whole. @see RFC 7518 sections 6.2.2, 6.3.2 and 6.4 */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const MIN_RSA_BITS = 2048;

function isUsable(key: object): boolean {
  try {
    const { modulusLength } = createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).asymmetricKeyDetails ?? {};
    return modulusLength === undefined || modulusLength >= MIN_RSA_BITS;
  } catch {
    return false;
  }
}

/** Public keys only: who sends us a private one has just lost it. @see RFC 7517 section 5 */
const jwks = z
  .object({
    keys: z
      .array(
        z
          .object({
            kty: z.enum(['RSA', 'EC', 'OKP'], 'must be RSA, EC or OKP'),
            kid: z.string().min(1).max(255).optional(),
          })
          .catchall(z.union([z.string(), z.boolean(), z.array(z.string())], 'must be a string, or a list of strings'))
          .refine((key) => !PRIVATE_MEMBERS.some((member) => member in key), 'must be a public key')
          .refine(isUsable, 'must be a public key that can be used (RSA of 2048 bits at least)'),
      )
      .min(1, 'needs at least one key')
      .max(20, 'has more than 20 keys'),
  })
  .refine((set) => JSON.stringify(set).length <= 32_768, 'is longer than 32 KiB');

/** How a client proves to be itself. @see RFC 7591 section 2, OpenID Connect Core 1.0 section 9 */
export const CLIENT_AUTHENTICATION_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'none',
] as const;
export type ClientAuthenticationMethod = (typeof CLIENT_AUTHENTICATION_METHODS)[number];

/** With what clients sign their assertions: HS256 with the secret, the others with a key of their own. */
export const ASSERTION_ALGORITHMS = ['ES256', 'PS256', 'RS256', 'EdDSA', 'HS256'] as const;
export type AssertionAlgorithm = (typeof ASSERTION_ALGORITHMS)[number];

/** The longest life of an access token: its signing key has to be kept for as long. */
const MAX_ACCESS_TOKEN_SECONDS = 86_400;
const MAX_REFRESH_TOKEN_SECONDS = 10 * 365 * 86_400;
/** 256 bits as base64url: HS256 is worth what its key is. @see RFC 7518 section 3.2 */
const MIN_HMAC_SECRET = 43;

/** One client, in the names of RFC 7591 where it has one: as CONFIG_FILE and the admin API write it. */
export const clientDeclaration = z
  .strictObject({
    client_id: identifier,
    /** People are shown it when they are asked to consent: it is not to change the direction of what stands around it. */
    client_name: z
      .string()
      .regex(
        /^[^\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]{1,200}$/u,
        'must have 1 to 200 characters without control characters',
      )
      .optional(),
    client_secret: secret.optional(),
    token_endpoint_auth_method: z
      .enum(CLIENT_AUTHENTICATION_METHODS, `must be one of ${CLIENT_AUTHENTICATION_METHODS.join(', ')}`)
      .default('client_secret_basic'),
    token_endpoint_auth_signing_alg: z
      .enum(ASSERTION_ALGORITHMS, `must be one of ${ASSERTION_ALGORITHMS.join(', ')}`)
      .optional(),
    jwks: jwks.optional(),
    jwks_uri: webUrl.optional(),
    grant_types: z.array(z.string().min(1).max(255)).max(20).default(['authorization_code']),
    redirect_uris: z.array(redirectUri).max(100).default([]),
    scope: scope.default('openid'),
    access_token_format: z.enum(['jwt', 'opaque'], 'must be jwt or opaque').default('jwt'),
    /** Seconds; those of the environment where nothing is said. */
    access_token_lifetime: z.int().min(1).max(MAX_ACCESS_TOKEN_SECONDS).optional(),
    refresh_token_lifetime: z.int().min(1).max(MAX_REFRESH_TOKEN_SECONDS).optional(),
    upstream_providers: z.array(providerId).default([]),
    upstream_refresh_token: z.boolean().default(false),
    consent: z.enum(['explicit', 'implicit'], 'must be explicit or implicit').default('explicit'),
    require_pkce: z.boolean().default(true),
    profile: z.enum(['openid'], 'must be openid (the fapi2 profile is not available yet)').default('openid'),
    introspection: z.enum(['own', 'any'], 'must be own or any').default('own'),
    id_token_signed_response_alg: z
      .enum(SIGNING_ALGORITHMS, `must be one of ${SIGNING_ALGORITHMS.join(', ')}`)
      .default('RS256'),
    client_uri: webUrl.optional(),
    logo_uri: webUrl.optional(),
    tos_uri: webUrl.optional(),
    policy_uri: webUrl.optional(),
    contacts: z.array(z.string().min(1).max(320)).max(20).optional(),
    software_id: z.string().min(1).max(255).optional(),
    software_version: z.string().min(1).max(255).optional(),
  })
  .superRefine((value, context) => {
    const refuse = (path: keyof typeof value, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    const method = value.token_endpoint_auth_method;
    const isPublic = method === 'none';
    const bySecret = method.startsWith('client_secret_');
    if (value.client_secret && !bySecret) {
      refuse('client_secret', `must be left out where token_endpoint_auth_method is ${method}`);
    }
    if (method === 'client_secret_jwt' && (value.client_secret?.reveal().length ?? MIN_HMAC_SECRET) < MIN_HMAC_SECRET) {
      refuse('client_secret', `must have at least ${MIN_HMAC_SECRET} characters for client_secret_jwt`);
    }
    if (value.jwks && value.jwks_uri !== undefined) refuse('jwks', 'must be left out where there is a jwks_uri');
    if (method === 'private_key_jwt' && !value.jwks && value.jwks_uri === undefined) {
      refuse('jwks', 'or jwks_uri is required for private_key_jwt');
    }
    const symmetric = value.token_endpoint_auth_signing_alg === 'HS256';
    if (value.token_endpoint_auth_signing_alg !== undefined && symmetric !== (method === 'client_secret_jwt')) {
      refuse(
        'token_endpoint_auth_signing_alg',
        'must be HS256 for client_secret_jwt, and another one for private_key_jwt',
      );
    }
    if (isPublic && !value.require_pkce) refuse('require_pkce', 'can be waived for confidential clients only');
    if (isPublic && value.grant_types.includes('client_credentials')) {
      refuse('grant_types', 'cannot hold client_credentials where token_endpoint_auth_method is none');
    }
    const needsRedirect =
      value.grant_types.includes('authorization_code') && value.client_id !== DOCUMENTATION_CLIENT_ID;
    if (needsRedirect && value.redirect_uris.length === 0) {
      refuse('redirect_uris', 'needs at least one entry for the authorization_code grant');
    }
  });

/** The public client of our own API documentation; its redirect URI is known. */
export const DOCUMENTATION_CLIENT_ID = 'swagger-ui';

/** In CONFIG_FILE the secret stands beside the client, or nobody would have it. */
export const declaredClient = clientDeclaration.superRefine((value, context) => {
  if (value.token_endpoint_auth_method.startsWith('client_secret_') && !value.client_secret) {
    context.addIssue({
      code: 'custom',
      path: ['client_secret'],
      message: `is required where token_endpoint_auth_method is ${value.token_endpoint_auth_method}`,
    });
  }
});

export type ClientDeclaration = z.output<typeof clientDeclaration>;
/** One client as it is written. */
export type ClientEntry = z.input<typeof clientDeclaration>;

/** @throws InvalidEntry */
export function parseClient(entry: unknown): ClientDeclaration {
  return parseEntry(clientDeclaration, entry);
}

/** The schema of an entry as it is written, in the words of OpenAPI 3.0. */
export function clientJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(clientDeclaration, { io: 'input', target: 'openapi-3.0' });
}
