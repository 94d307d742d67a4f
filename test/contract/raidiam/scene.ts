import { randomUUID } from 'node:crypto';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { expect } from 'vitest';
import type { Browser, BrowserResponse, RequestOptions } from '../../support/http-browser.js';
import { Normaliser, stored, type Wire } from '../../support/wire.js';
import { REDIRECT_URI, type TokenAnswer, type World, type WorldOptions } from '../../support/world.js';

export interface TestClient {
  client_id: string;
  client_secret?: string;
}

export interface Tokens extends TokenAnswer {
  refresh_token?: string;
}

const secretOf = (name: string): string => `${name}-secret-0123456789abcdef0123456789abcdef0123`;
const confidential = (id: string) => ({ client_id: id, client_secret: secretOf(id) });

/** The clients of this file: those that act for themselves, those that users allow something, and those that ask. */
export const MACHINE = confidential('machine');
export const OPAQUE_MACHINE = confidential('opaque-machine');
export const POSTER = confidential('poster');
export const IDLER = confidential('idler');
export const SIGNER: TestClient = { client_id: 'signer' };
export const KEEPER = confidential('keeper');
export const OPAQUE_KEEPER = confidential('opaque-keeper');
export const FORGETTER = confidential('forgetter');
export const APP: TestClient = { client_id: 'app' };
export const AUDITOR = confidential('auditor');
export const OTHER = confidential('other');

export const ACCOUNTS = 'accounts:read accounts:write';
export const KEPT = `openid offline_access profile ${ACCOUNTS}`;
const WITH_SECRETS = [MACHINE, OPAQUE_MACHINE, POSTER, IDLER, KEEPER, OPAQUE_KEEPER, FORGETTER, AUDITOR, OTHER];

const machine = { grant_types: ['client_credentials'], scope: `openid admin ${ACCOUNTS}` };
const keeper = {
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [REDIRECT_URI],
  scope: KEPT,
  consent: 'implicit',
};
const byKey = { token_endpoint_auth_method: 'private_key_jwt' };

export interface SigningKey {
  privateKey: CryptoKey;
  publicJwk: object;
}

export async function makeKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid: 'signer-1', alg: 'ES256' } };
}

export const configured =
  ({ publicJwk }: SigningKey): NonNullable<WorldOptions['configure']> =>
  ({ clients = [], ...rest }) => ({
    ...rest,
    scopes: [
      { name: 'accounts:read', description: 'See your accounts' },
      { name: 'accounts:write', description: 'Change your accounts' },
    ],
    clients: [
      ...clients,
      { ...MACHINE, ...machine },
      { ...OPAQUE_MACHINE, ...machine, access_token_format: 'opaque' },
      { ...POSTER, ...machine, token_endpoint_auth_method: 'client_secret_post' },
      { ...IDLER, ...machine, scope: 'openid profile' },
      { ...SIGNER, ...machine, ...byKey, jwks: { keys: [publicJwk] } },
      { ...KEEPER, ...keeper },
      { ...OPAQUE_KEEPER, ...keeper, access_token_format: 'opaque' },
      { ...FORGETTER, ...keeper, grant_types: ['authorization_code'] },
      { ...APP, ...keeper, token_endpoint_auth_method: 'none' },
      { ...AUDITOR, ...machine, introspection: 'any' },
      { ...OTHER, ...machine, grant_types: [...machine.grant_types, 'refresh_token'] },
    ],
  });

type Form = Record<string, string | undefined>;
export type Ask = Omit<RequestOptions, 'form'> & { form?: Form | undefined };

const given = (form: Form): Record<string, string> =>
  Object.fromEntries(Object.entries(form).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

export const basic = ({ client_id: id, client_secret: secret = '' }: TestClient): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

/** What the rows ask their requests of. */
export class Scene {
  readonly #browsers = new Map<string, Browser>();
  readonly #normaliser = new Normaliser();

  constructor(
    readonly world: World,
    readonly key: SigningKey,
  ) {
    for (const { client_secret: secret } of WITH_SECRETS) world.ledger.add(secret, 'configured secret');
  }

  /** A form to an endpoint, by Basic where the client has a secret, by its id alone where it has none. */
  ask(path: string, client: TestClient, { form = {}, headers = {}, ...rest }: Ask = {}): Promise<BrowserResponse> {
    const { client_id: id, client_secret: secret } = client;
    return this.world.request(path, {
      method: 'POST',
      form: given(secret === undefined ? { client_id: id, ...form } : form),
      headers: { ...(secret !== undefined && basic(client)), ...headers },
      ...rest,
    });
  }

  token(client: TestClient, form: Form, headers: Record<string, string> = {}): Promise<BrowserResponse> {
    return this.ask('/token', client, { form, headers });
  }

  refresh(client: TestClient, token: string, form: Form = {}): Promise<BrowserResponse> {
    return this.token(client, { grant_type: 'refresh_token', refresh_token: token, ...form });
  }

  introspect(client: TestClient, token: string, form: Form = {}): Promise<BrowserResponse> {
    return this.ask('/token/introspection', client, { form: { token, ...form } });
  }

  revoke(client: TestClient, token: string, form: Form = {}, path = '/token/revocation'): Promise<BrowserResponse> {
    return this.ask(path, client, { form: { token, ...form } });
  }

  async isActive(token: string): Promise<boolean> {
    const { active } = (await this.introspect(AUDITOR, token)).json<{ active: boolean }>();
    return active;
  }

  /** The access token, and the refresh token. */
  async areActive({ access_token: access, refresh_token: refresh = '' }: Tokens): Promise<boolean[]> {
    return [await this.isActive(access), await this.isActive(refresh)];
  }

  async metadata(): Promise<Record<string, string>> {
    return (await this.world.request('/.well-known/oauth-authorization-server')).json();
  }

  /** A token of the client's own. */
  async own(client: TestClient = MACHINE, scope = 'accounts:read'): Promise<Tokens> {
    return granted(await this.token(client, { grant_type: 'client_credentials', scope }));
  }

  /** What a user allowed the client. */
  async allowed(
    client: TestClient = KEEPER,
    scope = KEPT,
    login = 'alice',
  ): Promise<Tokens & { refresh_token: string }> {
    const browser = this.#browsers.get(login) ?? this.world.browser();
    this.#browsers.set(login, browser);
    return { refresh_token: '', ...(await this.world.signIn({ client, scope, login, browser })) };
  }

  async refreshed(client: TestClient, token: string): Promise<Tokens & { refresh_token: string }> {
    return { refresh_token: '', ...granted(await this.refresh(client, token)) };
  }

  /** An assertion of the client `signer`, or of one that says to be another. */
  async assertion(claims: Record<string, unknown> = {}): Promise<string> {
    const { client_id: id } = SIGNER;
    const now = Math.floor(Date.now() / 1000);
    const aud = this.world.service.url;
    const payload = { iss: id, sub: id, aud, jti: randomUUID(), iat: now, exp: now + 60, ...claims };
    const jwt = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'ES256', kid: 'signer-1' })
      .sign(this.key.privateKey);
    this.world.ledger.add(jwt, 'client assertion');
    return jwt;
  }

  /** Ids and instants of the answer to an introspection read as what they are, beside what is new in every answer. */
  wire(answer: BrowserResponse): Wire {
    const wire = this.#normaliser.wire(answer);
    const { body } = wire;
    if (typeof body !== 'object' || body === null || !('active' in body)) return wire;
    const members = Object.entries(body).map(([name, value]): [string, unknown] => [name, kindOf(name, value)]);
    return { ...wire, body: Object.fromEntries(members) };
  }
}

function granted(answer: BrowserResponse): Tokens {
  expect(answer.status).toBe(200);
  return answer.json<Tokens>();
}

function kindOf(name: string, value: unknown): unknown {
  if (name === 'exp' || name === 'iat') return Number.isInteger(value) ? '<seconds>' : value;
  return (name === 'jti' || name === 'sub') && /^[0-9a-f-]{36}$/.test(String(value)) ? '<id>' : value;
}

/** One row of the contract. */
export interface SceneRow {
  name: string;
  /** Answers what the request is about. */
  given?: (scene: Scene) => Promise<string>;
  send: (scene: Scene, about: string) => Promise<BrowserResponse>;
  answer: Wire;
  /** Something besides the audit is stored. */
  stores?: boolean;
}

export async function checkRow(
  scene: Scene,
  { given: prepare, send, answer, stores = false }: SceneRow,
): Promise<void> {
  const about = (await prepare?.(scene)) ?? '';
  const before = await stored(scene.world);
  expect(scene.wire(await send(scene, about))).toStrictEqual(answer);
  const after = await stored(scene.world);
  if (stores) expect(after).not.toEqual(before);
  else expect(after).toEqual(before);
}

/** What an access token says that is a JWT. */
export const claimsOf = (token: string): Record<string, unknown> => decodeJwt(token);
