import type { JWTPayload } from 'jose';

/** A client of the upstream provider; the names are RFC 7591's except for the two short ones. */
export interface UpstreamClient {
  client_id: string;
  client_secret: string;
  redirect_uris: string[];
  /** Default `client_secret_basic`. */
  auth_method?: 'client_secret_basic' | 'client_secret_post' | undefined;
  /** Default authorization_code and refresh_token; without the latter no refresh token is issued. */
  grant_types?: string[] | undefined;
  /** Default ES256. */
  id_token_alg?: 'ES256' | 'RS256' | undefined;
  /** False: it is given no id_token, as if this were an OAuth 2.0 provider that knows nothing of OpenID Connect. */
  id_token?: boolean | undefined;
}

export interface UpstreamUser {
  sub: string;
  preferred_username: string;
  name: string;
  email: string;
  email_verified: boolean;
  groups: string[];
}

export interface UpstreamOptions {
  /** Default: any free port. Rejects with EADDRINUSE when it is taken. */
  port?: number | undefined;
  clients: UpstreamClient[];
  /** Default 3600. */
  accessTokenTtlSeconds?: number | undefined;
  /** Default 14 days. */
  refreshTokenTtlSeconds?: number | undefined;
  /** Rotate refresh tokens; a reused one revokes its family. Default true. */
  rotate?: boolean | undefined;
  /** For so long a rotated refresh token is taken again and revokes nothing. Default 0. */
  graceMs?: number | undefined;
  /** Where something stands in front of it and has another port. Default: where it listens. */
  issuer?: string | undefined;
  /** Added to alice, bob (e-mail not verified), carol and dave. A name nobody declared can sign in too. */
  users?: Record<string, Partial<UpstreamUser>> | undefined;
}

export interface TokenRequestCount {
  /** Requests that arrived, whatever became of them. */
  attempted: number;
  /** Requests that the provider itself answered with tokens, even if the answer was then withheld, altered or lost. */
  succeeded: number;
}

export interface UpstreamFailure {
  /** Default 500. */
  status?: number | undefined;
  headers?: Record<string, string> | undefined;
  /** An object is sent as JSON. */
  body?: string | Record<string, unknown> | undefined;
  /** Process the request (redeem, rotate) and then send the failure: the answer is lost, the old token is used up. */
  afterProcessing?: boolean | undefined;
  /** Cut the connection instead of answering. */
  reset?: boolean | undefined;
  /** Neither answer nor cut the connection. */
  hang?: boolean | undefined;
}

/** Whose answers a test may script. */
export type ScriptedEndpoint = 'token' | 'userinfo' | 'jwks';

export interface Upstream {
  readonly issuer: string;
  readonly port: number;
  /** Where it listens. */
  readonly url: string;
  /** Live: change or add claims while it runs. */
  readonly users: Map<string, UpstreamUser>;
  /** POSTs to the token endpoint by grant type. */
  readonly counts: {
    readonly authorizationCode: TokenRequestCount;
    readonly refresh: TokenRequestCount;
    readonly other: TokenRequestCount;
  };
  /** Every refresh token presented, in order. */
  readonly refreshTokensSeen: string[];
  /** Every token presented at the revocation endpoint, in order. */
  readonly revocationsSeen: string[];
  /** Unexpected errors inside the provider; a test of ours expects none. */
  readonly serverErrors: unknown[];
  /** Every code, token, code_verifier and client secret that passed. */
  readonly secrets: Set<string>;
  /** Clients may come later than the provider: the redirect URI often needs the port of the service. Replaces by id. */
  addClient: (client: UpstreamClient) => Promise<void>;
  /**
   * Hold the token endpoint until release(): `answer` (default) processes the request first, so that the tokens are
   * already rotated; `request` holds it before anything happened.
   */
  withhold: (stage?: 'answer' | 'request') => void;
  /** Let everything that is held go on, and hold nothing more. */
  release: () => void;
  /** Resolves as soon as so many requests (default 1) are being held. */
  waitForTokenRequest: (count?: number) => Promise<void>;
  /** Every token request takes so long from now on. */
  setLatency: (ms: number) => void;
  /** Whose access token this is, as a login name; undefined where it was not given by this provider or is not valid (any more). */
  holderOf: (accessToken: string) => string | undefined;
  /** Invalidates all access tokens of this user, as if they had expired, and says which. */
  expireAccessTokens: (login: string) => string[];
  /**
   * Answer the next token (or other) requests with a failure; they count as attempted. Queues up behind earlier calls
   * for the same endpoint.
   */
  failNext: (count: number, failure?: UpstreamFailure, endpoint?: ScriptedEndpoint) => void;
  /** Let the provider answer the next requests, then change the body. Shares the queue of failNext(). */
  alterNext: (
    count: number,
    alter: (body: Record<string, unknown>) => Record<string, unknown> | Promise<Record<string, unknown>>,
    endpoint?: ScriptedEndpoint,
  ) => void;
  /** Takes back what failNext() and alterNext() still have in store. */
  forgetScript: () => void;
  /** Sets all counts to zero and forgets refreshTokensSeen. */
  resetCounts: () => void;
  /** New keys sign from now on. The old public keys stay published unless `keepOld` is false. */
  rotateSigningKeys: (options?: { keepOld?: boolean }) => Promise<void>;
  /** Signs any claims with the provider's current key: for ID tokens that are wrong in one claim only. */
  signIdToken: (claims: JWTPayload, alg?: 'ES256' | 'RS256') => Promise<string>;
  /** Off the network: connections are refused until reconnect() listens on the same port again; nothing is forgotten. */
  disconnect: () => Promise<void>;
  reconnect: () => Promise<void>;
  stop: () => Promise<void>;
}

export function startUpstream(options: UpstreamOptions): Promise<Upstream>;
