import { z } from 'zod';
import { Secret } from '../common/secret.js';
import { declaredClient } from './client-declaration.js';
import { providerId, scope } from './declaration-fields.js';
import { identityProviderDeclaration } from './identity-provider-declaration.js';

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
  clients: z.array(declaredClient).superRefine(unique('client_id')).default([]),
  identity_providers: z.array(identityProviderDeclaration).superRefine(unique('id')).default([]),
  users: z.array(user).superRefine(unique('username')).superRefine(uniqueIdentities).default([]),
  scopes: z.array(scopeDeclaration).superRefine(unique('name')).default([]),
  /** Accepted so that one file serves the releases to come; without effect until resource indicators and foreign assertions are. */
  resources: z.array(z.url()).default([]),
  trusted_issuers: z.array(z.looseObject({ issuer: z.string() })).default([]),
});

export type Declarations = z.output<typeof declarations>;
export type UserDeclaration = Declarations['users'][number];
export type ScopeDeclaration = Declarations['scopes'][number];
