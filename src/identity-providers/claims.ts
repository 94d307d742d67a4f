import { z } from 'zod';
import { isObject, isStorable } from './said-values.js';

const MAX_GROUPS = 200;
const MAX_GROUP_LENGTH = 500;

const storable = z.string().refine(isStorable);
/** A claim of the wrong type counts as absent: `"email_verified": "false"` must not be truthy. */
const optionalText = storable.optional().catch(undefined);
const optionalNames = z.array(storable.max(MAX_GROUP_LENGTH)).max(MAX_GROUPS).optional().catch(undefined);
/** At most as long as its index takes. @see OpenID Connect Core 1.0 section 2 */
const subject = storable.min(1).max(255);
/** Apple says `"true"`, in quotation marks. */
const optionalFlag = z
  .preprocess((value) => (value === 'true' ? true : value), z.boolean().optional())
  .catch(undefined);

const profile = {
  name: optionalText,
  given_name: optionalText,
  family_name: optionalText,
  preferred_username: optionalText,
  picture: optionalText,
  locale: optionalText,
  email: optionalText,
  email_verified: optionalFlag,
  groups: optionalNames,
  entitlements: optionalNames,
};

/** The first five are required: a token without `exp` would be good for ever. */
export const idTokenClaims = z.looseObject({
  iss: z.string(),
  sub: subject,
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
  iat: z.number(),
  // Of the wrong type, these must not count as absent: their checks would be skipped.
  azp: z.string().optional(),
  at_hash: z.string().optional(),
  nonce: optionalText,
  auth_time: z.number().optional().catch(undefined),
  ...profile,
});

const userinfoClaims = z.looseObject({ sub: z.string(), ...profile });

/** The claims of a verified id_token, the unlisted ones as `unknown`. @see OpenID Connect Core 1.0 sections 2 and 5.1 */
export type IdTokenClaims = z.infer<typeof idTokenClaims>;

/** The claims of the userinfo endpoint. @see OpenID Connect Core 1.0 section 5.3.2 */
export type UserinfoClaims = z.infer<typeof userinfoClaims>;

/** What came beside the code, believed for no more than a name. */
export type PostedProfile = Pick<UserinfoClaims, 'name' | 'given_name' | 'family_name'>;

/** What a provider says about a user, in our words: what stands at the paths, and what it says under our names anyway. */
export function claimsIn(
  said: Record<string, unknown>,
  paths: Readonly<Record<string, string>>,
  sub: string,
): UserinfoClaims {
  const mapped = Object.fromEntries(Object.entries(paths).map(([claim, path]) => [claim, valueAt(said, path)]));
  // What is verified is the address that the provider calls `email`; of another one it says nothing.
  if ('email' in paths && !('email_verified' in paths)) mapped['email_verified'] = undefined;
  return withoutAbsent(userinfoClaims.parse({ ...said, ...mapped, sub }));
}

/** @param path names separated by dots; a name that holds dots itself, such as a URL, is tried first */
export function valueAt(said: Record<string, unknown>, path: string): unknown {
  if (Object.hasOwn(said, path)) return said[path];
  let value: unknown = said;
  for (const name of path.split('.')) {
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

/**
 * One claim set out of two, where the first wins. Verified is the address that stands beside the flag, so the two are
 * taken from one place.
 */
export function merged(first: UserinfoClaims, second: Partial<UserinfoClaims>): UserinfoClaims {
  const { email, email_verified } = first.email === undefined ? second : first;
  return withoutAbsent({ ...second, ...first, email, email_verified });
}

/** A number becomes a string, unless it is so large that two users' numbers may have been read as one. */
export function subjectIn(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  return subject.safeParse(value).data;
}

function withoutAbsent<Claims extends object>(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined)) as Claims;
}
