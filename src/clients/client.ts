import type { AssertionAlgorithm, ClientAuthenticationMethod, SigningAlgorithm } from '../config/index.js';

/** A key set as it was registered. @see RFC 7517 section 5 */
export interface RegisteredKeys {
  keys: readonly Readonly<Record<string, unknown>>[];
}

/** A registered client, in the names of RFC 7591 section 2 where it has one. */
export interface Client {
  clientId: string;
  clientName: string;
  tokenEndpointAuthMethod: ClientAuthenticationMethod;
  /** The one algorithm of its assertions; any that its method and keys allow where nothing is said. */
  tokenEndpointAuthSigningAlg: AssertionAlgorithm | undefined;
  jwks: RegisteredKeys | undefined;
  jwksUri: string | undefined;
  grantTypes: readonly string[];
  redirectUris: readonly string[];
  scope: readonly string[];
  accessTokenFormat: 'jwt' | 'opaque';
  /** Seconds; those of the service where it says nothing, and so the next. */
  accessTokenLifetime: number | undefined;
  refreshTokenLifetime: number | undefined;
  /** Whose upstream tokens it may read for its users. */
  upstreamProviders: readonly string[];
  /** Whether it may receive upstream refresh tokens where a face has the field. */
  upstreamRefreshToken: boolean;
  consent: 'explicit' | 'implicit';
  requirePkce: boolean;
  /** Whose tokens it may ask about: those it was given or is the audience of, or everybody's. */
  introspection: 'own' | 'any';
  idTokenSignedResponseAlg: SigningAlgorithm;
  /** What people are shown: client_uri, logo_uri, tos_uri, policy_uri, contacts, software_id, software_version. */
  metadata: Readonly<Record<string, unknown>>;
  enabled: boolean;
  /** Changes with every change of the registration or its secrets. */
  version: string;
  /** Milliseconds since the epoch, as the next two. */
  createdAt: number;
  updatedAt: number;
  /** To within a minute; undefined where it never was. */
  lastUsedAt: number | undefined;
}

/** What is written of a client; the rest is the registry's own. */
export type NewClient = Omit<Client, 'enabled' | 'version' | 'createdAt' | 'updatedAt' | 'lastUsedAt'>;
