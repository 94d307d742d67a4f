import { createHash, randomBytes } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';

export interface Received {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
  /** The body, where it is a form. */
  form: URLSearchParams;
}

export interface Answer {
  /** Default 200. */
  status?: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON. */
  body?: string | object;
}

/** A request that is not as the provider documents it. */
export class Complaint extends Error {
  constructor(
    readonly answer: Answer,
    what: string,
  ) {
    super(what);
  }
}

export type Handler = (request: Received) => Answer | Promise<Answer>;

export interface Registration {
  client_id: string;
  client_secret: string;
}

/** What an authorization code stands for. */
export interface Authorization {
  login: string;
  scope: string;
  nonce: string | undefined;
}

interface Code extends Authorization {
  redirectUri: string;
  challenge: string;
}

/**
 * A well-known provider, played on loopback: it answers as that provider documents, and complains of every request that
 * the real one would refuse.
 */
export abstract class StandIn {
  readonly received: Received[] = [];
  /** What was wrong with the requests; a test of a client that does right expects nothing. */
  readonly complaints: string[] = [];
  /** Every code, token and secret that passed. */
  readonly secrets = new Set<string>();
  /** The one that is registered. */
  redirectUri = '';
  readonly #codes = new Map<string, Code>();
  readonly #scripted = new Map<string, Answer[]>();
  #server: Server | undefined;
  #origin = '';

  /** By method and path. */
  protected abstract readonly routes: Record<string, Handler>;

  constructor(readonly client: Registration) {
    this.secrets.add(client.client_secret);
  }

  get origin(): string {
    return this.#origin;
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (typeof address !== 'object' || !address) throw new Error('not listening on a port');
    this.#server = server;
    this.#origin = `http://127.0.0.1:${address.port}`;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  /** Answers the next such request, such as `POST /token`, with this instead. */
  answerNext(route: string, answer: Answer): void {
    this.#scripted.set(route, [...(this.#scripted.get(route) ?? []), answer]);
  }

  requests(route: string): Received[] {
    return this.received.filter(({ method, path }) => `${method} ${path}` === route);
  }

  /** A new secret, spelled as the provider spells such things. */
  protected issue(prefix: string): string {
    const value = prefix + randomBytes(32).toString('base64url');
    this.secrets.add(value);
    return value;
  }

  protected demand(isFine: boolean, what: string, answer: Answer = { status: 400, body: what }): asserts isFine {
    if (!isFine) throw new Complaint(answer, what);
  }

  /** The checks that every provider makes before it sends the browser back. @returns the code */
  protected authorize({ query }: Received): string {
    this.demand(query.get('client_id') === this.client.client_id, 'authorization: client_id');
    this.demand(query.get('redirect_uri') === this.redirectUri, 'authorization: redirect_uri');
    this.demand(query.get('response_type') === 'code', 'authorization: response_type');
    this.demand((query.get('state') ?? '').length >= 22, 'authorization: state');
    this.demand(query.get('code_challenge_method') === 'S256', 'authorization: code_challenge_method');
    const challenge = query.get('code_challenge') ?? '';
    this.demand(challenge.length === 43, 'authorization: code_challenge');
    const code = this.issue(this.codePrefix);
    this.#codes.set(code, {
      login: query.get('login_hint') ?? 'someone',
      scope: query.get('scope') ?? '',
      nonce: query.get('nonce') ?? undefined,
      redirectUri: this.redirectUri,
      challenge,
    });
    return code;
  }

  protected readonly codePrefix: string = '';

  /** Spends a code. @param refused what the provider answers to one that it does not know */
  protected redeem({ form }: Received, refused: Answer): Authorization {
    const presented = form.get('code') ?? '';
    const code = this.#codes.get(presented);
    this.#codes.delete(presented);
    this.demand(code !== undefined, 'token: code', refused);
    this.demand(form.get('redirect_uri') === code.redirectUri, 'token: redirect_uri', refused);
    const verifier = form.get('code_verifier') ?? '';
    this.demand(
      createHash('sha256').update(verifier).digest('base64url') === code.challenge,
      'token: code_verifier',
      refused,
    );
    this.secrets.add(verifier);
    return code;
  }

  protected backToClient(parameters: Record<string, string>): Answer {
    const url = new URL(this.redirectUri);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return { status: 302, headers: { location: url.href } };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { pathname, searchParams } = new URL(request.url ?? '/', this.#origin);
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
    const received: Received = {
      method: request.method ?? '',
      path: pathname,
      query: searchParams,
      headers: request.headers,
      body,
      form: new URLSearchParams(isForm ? body : ''),
    };
    this.received.push(received);
    const { status = 200, headers = {}, body: answer = '' } = await this.#answer(received);
    const isJson = typeof answer !== 'string';
    response
      .writeHead(status, { ...(isJson && { 'content-type': 'application/json; charset=utf-8' }), ...headers })
      .end(isJson ? JSON.stringify(answer) : answer);
  }

  async #answer(received: Received): Promise<Answer> {
    const route = `${received.method} ${received.path}`;
    const scripted = this.#scripted.get(route)?.shift();
    if (scripted) return scripted;
    try {
      const handler = this.routes[route];
      this.demand(handler !== undefined, `no such address: ${route}`, { status: 404, body: { message: 'Not Found' } });
      return await handler(received);
    } catch (error) {
      this.complaints.push(error instanceof Error ? error.message : String(error));
      return error instanceof Complaint ? error.answer : { status: 500, body: String(error) };
    }
  }
}

/** The key of a provider that signs id_tokens with RS256, as all of the well-known ones do. */
export class IdTokenKey {
  private constructor(
    readonly publicJwk: JWK,
    private readonly privateKey: CryptoKey,
  ) {}

  static async generate(kid: string): Promise<IdTokenKey> {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    return new IdTokenKey({ ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }, privateKey);
  }

  sign(claims: JWTPayload): Promise<string> {
    const { kid = '' } = this.publicJwk;
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' }).sign(this.privateKey);
  }
}

/** @see OpenID Connect Core 1.0 section 3.1.3.6 */
export function atHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
}

export const epochSeconds = (): number => Math.floor(Date.now() / 1000);

/** Name and password of HTTP Basic authentication, as they were meant. @see RFC 6749 section 2.3.1 */
export function basicCredentials({ headers }: Received): { name: string; password: string } | undefined {
  const encoded = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [name = '', password = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return { name: decodeURIComponent(name), password: decodeURIComponent(password) };
}

export function bearerToken({ headers }: Received): string {
  return /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
}
