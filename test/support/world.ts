import { createHash, randomBytes } from 'node:crypto';
import { startUpstream, type Upstream, type UpstreamOptions } from '../../scripts/upstream-provider.mjs';
import type { DatabaseKind, DatabaseUnderTest } from './databases.js';
import { Browser, type BrowserResponse, type RequestOptions } from './http-browser.js';
import { SecretLedger } from './secret-ledger.js';
import { startService, type Service, type ServiceOptions } from './service.js';

export const PROVIDER = 'mobypay';
export const READ_SCOPE = 'openid profile email federated-identity:token';
export const UPSTREAM_CLIENT = { client_id: 'symbolon', client_secret: 'upstream-secret-upstream-secret-00' };
export const REDIRECT_URI = 'https://app.example/callback';

type Configuration = Record<string, unknown[]>;

export interface WorldOptions {
  /** Changes the configuration that the world starts with. */
  configure?: (configuration: Configuration, upstream: Upstream) => Configuration;
  env?: Record<string, string>;
  upstream?: Omit<UpstreamOptions, 'clients'>;
  /** What the service is told, where something stands between it and the database. */
  databaseUrl?: string;
}

export interface TokenAnswer {
  access_token: string;
  id_token?: string;
  refresh_token?: string;
  expires_in: number;
  token_type: string;
  scope: string;
}

/** The clients of the world; `reader` is trusted, `asker` asks for consent, `stranger` may read no upstream token. */
export const CLIENTS = {
  reader: { client_id: 'reader', client_secret: 'reader-secret-0123456789abcdef0123456789abcdef' },
  asker: { client_id: 'asker' },
  stranger: { client_id: 'stranger', client_secret: 'stranger-secret-0123456789abcdef0123456789abc' },
  trusted: { client_id: 'trusted', client_secret: 'trusted-secret-0123456789abcdef0123456789abcd' },
} as const;

function configuration(upstream: Upstream): Configuration {
  const common = { redirect_uris: [REDIRECT_URI], scope: READ_SCOPE, grant_types: ['authorization_code'] };
  return {
    clients: [
      { ...CLIENTS.reader, ...common, consent: 'implicit', upstream_providers: [PROVIDER, 'online-only'] },
      {
        ...CLIENTS.asker,
        ...common,
        client_name: 'The Asker',
        token_endpoint_auth_method: 'none',
        upstream_providers: [PROVIDER],
      },
      { ...CLIENTS.stranger, ...common, consent: 'implicit' },
      {
        ...CLIENTS.trusted,
        ...common,
        consent: 'implicit',
        upstream_providers: [PROVIDER],
        upstream_refresh_token: true,
      },
    ],
    identity_providers: [
      {
        id: PROVIDER,
        name: 'MobyPay',
        issuer: upstream.issuer,
        ...UPSTREAM_CLIENT,
        offline_access: true,
        sign_up: true,
      },
      { id: 'online-only', issuer: upstream.issuer, ...UPSTREAM_CLIENT, offline_access: false, sign_up: true },
      { id: 'members-only', issuer: upstream.issuer, ...UPSTREAM_CLIENT, offline_access: true },
    ],
    users: [
      {
        username: 'ada',
        password: 'correct horse battery staple',
        basic_auth: true,
        full_name: 'Ada',
        identities: [{ identity_provider: PROVIDER, subject: 'ada' }],
      },
      { username: 'no-basic', password: 'another fine passphrase' },
    ],
  };
}

/** A real provider, a real database and the built service between them, with every secret that passed on record. */
export interface World {
  readonly upstream: Upstream;
  readonly database: DatabaseUnderTest;
  readonly service: Service;
  readonly ledger: SecretLedger;
  browser(): Browser;
  /** Another process on the same database, behind the same address; the first stays. */
  startReplica(changes?: Pick<ServiceOptions, 'env' | 'port'> & { databaseUrl?: string }): Promise<Service>;
  /** Ends the service (SIGTERM, or SIGKILL) and starts it again, if need be with something changed. */
  restart(how?: 'stop' | 'kill', env?: Record<string, string>): Promise<void>;
  /** Signs in as `login` and brings the code back to the client; what the client receives at its redirect URI. */
  authorize(options?: AuthorizeOptions): Promise<URL>;
  /** The whole code flow. */
  signIn(options?: AuthorizeOptions): Promise<TokenAnswer>;
  request(path: string, options?: RequestOptions): Promise<BrowserResponse>;
  pace(token: string, provider?: string): Promise<BrowserResponse>;
  onezone(token: string, provider?: string): Promise<BrowserResponse>;
  /** Makes all upstream access tokens expire, and every wait after a failure, as a test's clock would. */
  expire(secondsLeft?: number): Promise<void>;
  /** Searches all output and the whole database for every recorded secret. */
  assertNoLeaks(): Promise<void>;
  stop(): Promise<void>;
}

export interface AuthorizeOptions {
  login?: string;
  client?: { client_id: string; client_secret?: string };
  browser?: Browser;
  scope?: string;
  provider?: string;
  parameters?: Record<string, string>;
}

interface Proof {
  verifier: string;
  challenge: string;
}

export function pkce(): Proof {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

export async function createWorld(kind: DatabaseKind, options: WorldOptions = {}): Promise<World> {
  const ledger = new SecretLedger();
  const upstream = await startUpstream({ clients: [], ...options.upstream });
  const database = await kind.create();
  const outputs: Service[] = [];
  const start = async (settings?: Service['settings']): Promise<Service> => {
    const started = await startService(
      settings ?? {
        databaseUrl: options.databaseUrl ?? database.url,
        env: options.env,
        ledger,
        config: async ({ url }) => {
          await upstream.addClient({
            ...UPSTREAM_CLIENT,
            redirect_uris: [PROVIDER, 'online-only', 'members-only'].map((id) => `${url}/login/${id}/callback`),
          });
          return options.configure?.(configuration(upstream), upstream) ?? configuration(upstream);
        },
      },
    );
    outputs.push(started);
    return started;
  };
  let service = await start();
  const program = new Browser(ledger);
  for (const secret of [
    ...Object.values(CLIENTS).flatMap((client) => ('client_secret' in client ? [client.client_secret] : [])),
    'correct horse battery staple',
    'another fine passphrase',
  ]) {
    ledger.add(secret, 'configured secret');
  }

  const authorizeWith = async ({ challenge }: Proof, wanted: AuthorizeOptions): Promise<URL> => {
    const {
      login = 'alice',
      client = CLIENTS.reader,
      scope = READ_SCOPE,
      provider = PROVIDER,
      parameters = {},
    } = wanted;
    const browser = wanted.browser ?? new Browser(ledger);
    const query = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope,
      state: randomBytes(8).toString('hex'),
      nonce: randomBytes(8).toString('hex'),
      code_challenge: challenge,
      code_challenge_method: 'S256',
      identity_provider: provider,
      login_hint: login,
      ...parameters,
    });
    const stopBefore = (url: URL): boolean => url.href.startsWith(REDIRECT_URI);
    let answer = await browser.get(`${service.url}/auth?${query.toString()}`, { stopBefore });
    if (answer.status === 200 && answer.url.includes('/auth')) {
      answer = await browser.submit(answer, { decision: 'allow' }, { having: 'decision', stopBefore });
    }
    if (!answer.location) throw new Error(`no redirect from ${answer.url}: ${answer.status} ${answer.text()}`);
    return answer.location;
  };

  const request = (path: string, wanted: RequestOptions = {}): Promise<BrowserResponse> =>
    program.request(service.url + path, wanted);

  return {
    upstream,
    database,
    ledger,
    get service() {
      return service;
    },
    browser: () => new Browser(ledger),
    startReplica: ({ env, port, databaseUrl } = {}) => {
      const { settings, url } = service;
      const where = { port, databaseUrl: databaseUrl ?? settings.databaseUrl };
      return start({ ...settings, ...where, env: { ...settings.env, ISSUER: url, ...env } });
    },
    restart: async (how = 'stop', env = {}) => {
      await service[how]();
      const { settings } = service;
      service = await start({ ...settings, env: { ...settings.env, ...env } });
    },
    authorize: (wanted = {}) => authorizeWith(pkce(), wanted),
    signIn: async (wanted = {}) => {
      const proof = pkce();
      const location = await authorizeWith(proof, wanted);
      const code = location.searchParams.get('code');
      if (code === null) throw new Error(`no code: ${location.search}`);
      const answer = await request('/token', tokenRequest(wanted.client ?? CLIENTS.reader, code, proof.verifier));
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text()}`);
      return answer.json<TokenAnswer>();
    },
    request,
    pace: (token, provider = PROVIDER) =>
      request(`/federated-identities/${provider}/token`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      }),
    onezone: (token, provider = PROVIDER) =>
      request(`/api/v3/onezone/user/idp_access_token/${provider}`, {
        method: 'POST',
        headers: { 'x-auth-token': token },
      }),
    expire: async (secondsLeft = -1) => {
      await database.query('UPDATE linked_accounts SET expires_at = ?, retry_at = NULL', [
        Date.now() + secondsLeft * 1000,
      ]);
      await database.query('DELETE FROM upstream_circuits');
    },
    assertNoLeaks: async () => {
      ledger.addAll(upstream.secrets, 'at the provider');
      ledger.assertNoLeaks({
        'process output': outputs.map((each) => each.output()).join('\n'),
        'the database': await database.dump(),
      });
    },
    stop: async () => {
      for (const each of outputs) await each.kill();
      await upstream.stop();
      await database.cleanup();
    },
  };
}

/** Basic for a confidential client, the body for a public one. */
export function tokenRequest(
  client: { client_id: string; client_secret?: string },
  code: string,
  verifier: string,
): Pick<RequestOptions, 'form' | 'headers'> {
  return asClient(client, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: verifier,
  });
}

export function refreshRequest(
  client: { client_id: string; client_secret?: string },
  refreshToken: string,
): Pick<RequestOptions, 'form' | 'headers'> {
  return asClient(client, { grant_type: 'refresh_token', refresh_token: refreshToken });
}

function asClient(
  { client_id, client_secret: secret }: { client_id: string; client_secret?: string },
  form: Record<string, string>,
): Pick<RequestOptions, 'form' | 'headers'> {
  if (secret === undefined) return { form: { ...form, client_id } };
  const basic = Buffer.from(`${client_id}:${encodeURIComponent(secret)}`).toString('base64');
  return { form, headers: { authorization: `Basic ${basic}` } };
}
