/** With what we can sign; which of them this installation signs with, SIGNING_ALGS says. @see RFC 7518 section 3.1, RFC 8037 */
export const SIGNING_ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];
