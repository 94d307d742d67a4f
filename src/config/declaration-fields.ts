import { z } from 'zod';

export const providerId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'must have 1 to 64 letters, digits, ".", "_" or "-" and start with a letter or digit',
  );

/** One or more names, separated by single spaces. @see RFC 6749 section 3.3 */
export const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$/;

export const scope = z.string().regex(SCOPE, 'must be scope names separated by single spaces');
