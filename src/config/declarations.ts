import { z } from 'zod';
import { Secret } from '../common/secret.js';
import { providerId, scope } from './declaration-fields.js';
import { identityProviderDeclaration } from './identity-provider-declaration.js';

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
  if (!url || text.includes('#') || url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  if (url.protocol === 'http:') return LOOPBACK.has(url.hostname);
  return /^[a-z][a-z0-9+.-]*\.[a-z0-9+.-]*:$/.test(url.protocol);
}, 'must be an absolute https URL (http only for localhost, 127.0.0.1 and [::1]; or a private scheme in reverse domain notation) without fragment');

/** The public client of our own API documentation; its redirect URI is known. */
export const DOCUMENTATION_CLIENT_ID = 'swagger-ui';

export const clientDeclaration = z
  .strictObject({
    client_id: identifier,
    client_name: z.string().min(1).max(200).optional(),
    client_secret: secret.optional(),
    token_endpoint_auth_method: z
      .enum(
        ['client_secret_basic', 'client_secret_post', 'none'],
        'must be client_secret_basic, client_secret_post or none',
      )
      .default('client_secret_basic'),
    grant_types: z.array(z.string().min(1)).default(['authorization_code']),
    redirect_uris: z.array(redirectUri).default([]),
    scope: scope.default('openid'),
    access_token_format: z.enum(['jwt'], 'must be jwt (opaque access tokens are not available yet)').default('jwt'),
    upstream_providers: z.array(providerId).default([]),
    upstream_refresh_token: z.boolean().default(false),
    consent: z.enum(['explicit', 'implicit'], 'must be explicit or implicit').default('explicit'),
    require_pkce: z.boolean().default(true),
    profile: z.enum(['openid'], 'must be openid (the fapi2 profile is not available yet)').default('openid'),
    introspection: z.enum(['own', 'any'], 'must be own or any').default('own'),
    id_token_signed_response_alg: z.enum(['RS256', 'ES256'], 'must be RS256 or ES256').default('RS256'),
  })
  .superRefine((value, context) => {
    const isPublic = value.token_endpoint_auth_method === 'none';
    if (isPublic && value.client_secret) {
      context.addIssue({
        code: 'custom',
        path: ['client_secret'],
        message: 'must be left out where token_endpoint_auth_method is none',
      });
    }
    if (!isPublic && !value.client_secret) {
      context.addIssue({
        code: 'custom',
        path: ['client_secret'],
        message: 'is required where token_endpoint_auth_method is not none',
      });
    }
    if (isPublic && !value.require_pkce) {
      context.addIssue({
        code: 'custom',
        path: ['require_pkce'],
        message: 'can be waived for confidential clients only',
      });
    }
    const needsRedirect =
      value.grant_types.includes('authorization_code') && value.client_id !== DOCUMENTATION_CLIENT_ID;
    if (needsRedirect && value.redirect_uris.length === 0) {
      context.addIssue({
        code: 'custom',
        path: ['redirect_uris'],
        message: 'needs at least one entry for the authorization_code grant',
      });
    }
  });

const user = z
  .strictObject({
    username: z
      .string()
      .regex(/^[^\s:\p{C}]{1,128}$/u, 'must have 1 to 128 characters without spaces, colons or control characters'),
    password: z
      .string()
      .min(8, 'must have at least 8 characters')
      .transform((text) => new Secret(text))
      .optional(),
    basic_auth: z.boolean().default(false),
    full_name: z.string().min(1).max(200).optional(),
    email: z.email('must be an e-mail address').optional(),
    /** Upstream subjects this user is known by; signing in with one of them is signing in as this user. */
    identities: z
      .array(z.strictObject({ identity_provider: providerId, subject: z.string().min(1).max(255) }))
      .default([]),
  })
  .superRefine((value, context) => {
    if (value.basic_auth && !value.password) {
      context.addIssue({ code: 'custom', path: ['password'], message: 'is required where basic_auth is true' });
    }
  });

const scopeDeclaration = z.strictObject({ name: scope, description: z.string().min(1).max(500) });

const unique =
  <Key extends string>(key: Key) =>
  (entries: readonly Record<Key, string>[], context: z.core.$RefinementCtx<readonly Record<Key, string>[]>): void => {
    const seen = new Set<string>();
    for (const [index, entry] of entries.entries()) {
      if (seen.has(entry[key]))
        context.addIssue({ code: 'custom', path: [index, key], message: 'is declared twice', input: entries });
      seen.add(entry[key]);
    }
  };

/** An account at a provider is one user's. */
function uniqueIdentities(
  users: readonly { identities: readonly { identity_provider: string; subject: string }[] }[],
  context: z.core.$RefinementCtx,
): void {
  const seen = new Set<string>();
  for (const [index, { identities }] of users.entries()) {
    for (const { identity_provider: provider, subject } of identities) {
      const name = JSON.stringify([provider, subject]);
      if (seen.has(name))
        context.addIssue({
          code: 'custom',
          path: [index, 'identities'],
          message: `declares a subject at ${provider} twice`,
          input: users,
        });
      seen.add(name);
    }
  }
}

/** The shape of CONFIG_FILE. */
export const declarations = z.strictObject({
  clients: z.array(clientDeclaration).superRefine(unique('client_id')).default([]),
  identity_providers: z.array(identityProviderDeclaration).superRefine(unique('id')).default([]),
  users: z.array(user).superRefine(unique('username')).superRefine(uniqueIdentities).default([]),
  scopes: z.array(scopeDeclaration).superRefine(unique('name')).default([]),
  /** Accepted so that one file serves the releases to come; without effect until resource indicators and foreign assertions are. */
  resources: z.array(z.url()).default([]),
  trusted_issuers: z.array(z.looseObject({ issuer: z.string() })).default([]),
});

export type Declarations = z.output<typeof declarations>;
export type ClientDeclaration = Declarations['clients'][number];
export type UserDeclaration = Declarations['users'][number];
export type ScopeDeclaration = Declarations['scopes'][number];
