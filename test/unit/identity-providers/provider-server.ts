import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { Clock } from '../../../src/common/clock.js';
import { Secret } from '../../../src/common/secret.js';
import { DEFAULT_OPTIONS, type IdentityProvider } from '../../../src/identity-providers/identity-provider.js';
import { UpstreamError } from '../../../src/identity-providers/upstream-error.js';

export const NOW = Date.UTC(2030, 0, 1);

export class SteppedClock extends Clock {
  constructor(public time = NOW) {
    super();
  }

  now(): number {
    return this.time;
  }
}

export interface ListeningServer {
  port: number;
  origin: string;
  close(): Promise<void>;
}

export async function listen(handler: RequestListener): Promise<ListeningServer> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('not listening on a port');
  const { port } = address;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function sendJson(response: ServerResponse, body: unknown, status = 200, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function directoryEntry(issuer: string, changes: Partial<IdentityProvider> = {}): IdentityProvider {
  return {
    ...DEFAULT_OPTIONS,
    privateKey: undefined,
    id: 'campus',
    type: 'oidc',
    displayName: 'Campus',
    issuer,
    clientId: 'broker',
    clientSecret: new Secret('correcthorse'),
    tokenEndpointAuthMethod: 'client_secret_basic',
    scope: 'openid',
    offlineAccess: true,
    signUp: false,
    authorizationParameters: {},
    version: '1',
    ...changes,
  };
}

/** The same server as a provider that is no OpenID provider: all that is known of it stands in the entry. */
export function oauth2Entry(origin: string, changes: Partial<IdentityProvider> = {}): IdentityProvider {
  return directoryEntry(origin, {
    type: 'oauth2',
    scope: '',
    endpoints: { authorization: `${origin}/authorize`, token: `${origin}/token`, userinfo: `${origin}/me` },
    claims: { sub: 'sub' },
    ...changes,
  });
}

export async function upstreamFailure(call: Promise<unknown>): Promise<UpstreamError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UpstreamError)) throw new Error(`no UpstreamError but ${String(error)}`);
  return error;
}

export interface SigningKey {
  kid: string;
  alg: string;
  privateKey: CryptoKey;
  publicJwk: JWK;
}

export async function signingKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** Claims to put in, or with `undefined` to leave out. */
export type Changes = Record<string, unknown>;

export interface ReceivedRequest {
  method: string;
  path: string;
  body: string;
  headers: IncomingMessage['headers'];
  form: URLSearchParams;
}

type Answer = (response: ServerResponse, request: ReceivedRequest) => void;

/** A provider whose every answer a test can replace, for what a well-behaved one never says. */
export class ProviderServer {
  readonly received: ReceivedRequest[] = [];
  readonly answers: Record<string, Answer> = {
    '/.well-known/openid-configuration': (response) => sendJson(response, this.metadata),
    '/keys': (response) => sendJson(response, { keys: this.keys.map((key) => key.publicJwk) }),
  };
  keys: SigningKey[] = [];
  metadata: Record<string, unknown> = {};
  #server: ListeningServer | undefined;

  static async start(...keys: SigningKey[]): Promise<ProviderServer> {
    const provider = new ProviderServer();
    provider.keys = keys;
    const server = await listen((request, response) => void provider.#serve(request, response));
    provider.#server = server;
    provider.metadata = {
      issuer: server.origin,
      authorization_endpoint: `${server.origin}/authorize`,
      token_endpoint: `${server.origin}/token`,
      jwks_uri: `${server.origin}/keys`,
      userinfo_endpoint: `${server.origin}/me`,
    };
    return provider;
  }

  get issuer(): string {
    return this.#server?.origin ?? '';
  }

  countOf(path: string): number {
    return this.received.filter((request) => request.path === path).length;
  }

  idToken(key: SigningKey, changes: Changes = {}): Promise<string> {
    const iat = NOW / 1000;
    const claims = { iss: this.issuer, aud: 'broker', sub: 'alice', iat, exp: iat + 300, ...changes };
    return new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid }).sign(key.privateKey);
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const path = request.url ?? '';
    const { method = '', headers } = request;
    const received = { method, path, headers, body, form: new URLSearchParams(body) };
    this.received.push(received);
    const answer = this.answers[path];
    if (answer) answer(response, received);
    else response.writeHead(404).end('not here');
  }
}
