import type { Secret } from '../../common/secret.js';

/** What a request says about which client it is, already decoded by the face it came through. */
export type PresentedClient =
  | {
      method: 'client_secret_basic' | 'client_secret_post';
      clientId: string;
      secret: Secret;
      /** Its face documents the secret in the form for clients that are registered for Basic, too. */
      orBasic?: true;
    }
  | { method: 'none'; clientId: string }
  | {
      /** `client_secret_jwt` or `private_key_jwt`: which of them, the registration says. */
      method: 'client_assertion';
      /** Where the request names it beside the assertion, whose `sub` it has to be. */
      clientId: string | undefined;
      assertion: Secret;
      /** The paths of ours that the assertion may name beside the issuer. */
      endpoints: readonly string[];
    };
