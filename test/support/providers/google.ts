import type { JWTPayload } from 'jose';
import {
  atHash,
  basicCredentials,
  bearerToken,
  epochSeconds,
  IdTokenKey,
  StandIn,
  type Answer,
  type Authorization,
  type Handler,
  type Received,
} from './stand-in.js';

const USERINFO = 'https://www.googleapis.com/auth/userinfo.';
/** What the granted scopes are called in answers. */
const FULL_NAMES: Record<string, string> = { email: `${USERINFO}email`, profile: `${USERINFO}profile` };
const EXPIRES_IN = 3599;

const refused = (error: string, error_description: string, status = 400): Answer => ({
  status,
  body: { error, error_description },
});
const BAD_CODE = refused('invalid_grant', 'Malformed auth code.');
const BAD_CLIENT = refused('invalid_client', 'The OAuth client was not found.', 401);
const REVOKED = refused('invalid_grant', 'Token has been expired or revoked.');
const BAD_TOKEN = refused('invalid_token', 'Token expired or revoked');

interface Consent extends Authorization {
  offline: boolean;
}

/** The `sub` of whoever signs in under this name. */
export const subjectOf = (login: string): string => `1109${Buffer.from(login).toString('hex')}`;

/**
 * Google's OpenID Connect: a refresh token only for `access_type=offline`, and but once unless consent is asked for again;
 * never a new one at a refresh; no `offline_access`; scopes that come back under longer names.
 * @see https://developers.google.com/identity/openid-connect/openid-connect
 * @see https://developers.google.com/identity/protocols/oauth2/web-server
 */
export class Google extends StandIn {
  /** As for a client that does not ask for consent again. */
  withoutRefreshToken = false;
  protected override readonly codePrefix = '4/0A';
  readonly #consented = new Set<string>();
  readonly #offline = new Set<string>();
  readonly #accessTokens = new Map<string, string>();
  readonly #refreshTokens = new Map<string, Authorization>();
  #key: IdTokenKey | undefined;

  override async start(): Promise<this> {
    this.#key = await IdTokenKey.generate('google-1');
    return super.start();
  }

  /** The user takes back what was allowed: all tokens end together. */
  withdraw(login: string): void {
    this.#consented.delete(login);
    for (const [token, { login: of }] of this.#refreshTokens) if (of === login) this.#refreshTokens.delete(token);
    for (const [token, of] of this.#accessTokens) if (of === login) this.#accessTokens.delete(token);
  }

  get liveTokens(): string[] {
    return [...this.#refreshTokens.keys(), ...this.#accessTokens.keys()];
  }

  protected override readonly routes: Record<string, Handler> = {
    'GET /.well-known/openid-configuration': () => ({
      body: {
        issuer: this.origin,
        authorization_endpoint: `${this.origin}/o/oauth2/v2/auth`,
        token_endpoint: `${this.origin}/token`,
        userinfo_endpoint: `${this.origin}/v1/userinfo`,
        revocation_endpoint: `${this.origin}/revoke`,
        jwks_uri: `${this.origin}/oauth2/v3/certs`,
        response_types_supported: ['code', 'token', 'id_token', 'code token', 'code id_token', 'none'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        scopes_supported: ['openid', 'email', 'profile'],
        token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
        code_challenge_methods_supported: ['plain', 'S256'],
      },
    }),
    'GET /oauth2/v3/certs': () => ({ body: { keys: [this.#key?.publicJwk] } }),
    'GET /o/oauth2/v2/auth': (request) => this.#authorization(request),
    'POST /token': (request) => this.#token(request),
    'GET /v1/userinfo': (request) => {
      const login = this.#accessTokens.get(bearerToken(request));
      this.demand(login !== undefined, 'userinfo: token', { status: 401, body: BAD_TOKEN.body ?? '' });
      return { body: profile(login) };
    },
    'POST /revoke': (request) => {
      const token = request.form.get('token') ?? request.query.get('token') ?? '';
      const login = this.#refreshTokens.get(token)?.login ?? this.#accessTokens.get(token);
      // One that is revoked already is an error here, whatever RFC 7009 section 2.2 says.
      if (login === undefined) return BAD_TOKEN;
      this.withdraw(login);
      return { body: {} };
    },
  };

  #authorization(request: Received): Answer {
    const { query } = request;
    const scopes = (query.get('scope') ?? '').split(' ');
    const unknown = scopes.filter(
      (scope) => !/^(openid|email|profile|https:\/\/www\.googleapis\.com\/.+)$/.test(scope),
    );
    this.demand(unknown.length === 0, `authorization: invalid_scope ${unknown.join(' ')}`);
    this.demand(['online', 'offline', null].includes(query.get('access_type')), 'authorization: access_type');
    const code = this.authorize(request);
    const login = query.get('login_hint') ?? '';
    const again = query.get('prompt')?.split(' ').includes('consent') === true;
    if (query.get('access_type') === 'offline' && (again || !this.#consented.has(login))) this.#offline.add(code);
    this.#consented.add(login);
    return this.backToClient({
      state: query.get('state') ?? '',
      code,
      scope: granted(query.get('scope') ?? ''),
      authuser: '0',
      prompt: 'consent',
    });
  }

  async #token(request: Received): Promise<Answer> {
    const { form } = request;
    const basic = basicCredentials(request);
    const { name = form.get('client_id'), password = form.get('client_secret') } = basic ?? {};
    const knowsUs = name === this.client.client_id && password === this.client.client_secret;
    this.demand(knowsUs, 'token: client credentials', BAD_CLIENT);
    this.demand(basic === undefined || !form.has('client_secret'), 'token: two client authentications', BAD_CLIENT);
    switch (form.get('grant_type')) {
      case 'authorization_code': {
        const offline = this.#offline.delete(form.get('code') ?? '');
        return this.#give({ ...this.redeem(request, BAD_CODE), offline });
      }
      case 'refresh_token': {
        const known = this.#refreshTokens.get(form.get('refresh_token') ?? '');
        // Users withdraw their consent as they like: no reason to complain of the client.
        return known ? this.#give({ ...known, nonce: undefined, offline: false }) : REVOKED;
      }
      default:
        throw new Error('token: grant_type');
    }
  }

  async #give({ login, scope, nonce, offline }: Consent): Promise<Answer> {
    const accessToken = this.issue('ya29.a0');
    this.#accessTokens.set(accessToken, login);
    const refreshToken = offline && !this.withoutRefreshToken ? this.issue('1//0g') : undefined;
    if (refreshToken !== undefined) this.#refreshTokens.set(refreshToken, { login, scope, nonce });
    return {
      body: {
        access_token: accessToken,
        expires_in: EXPIRES_IN,
        refresh_token: refreshToken,
        scope: granted(scope),
        token_type: 'Bearer',
        id_token: await this.#idToken({ ...profile(login), nonce, at_hash: atHash(accessToken) }),
      },
    };
  }

  async #idToken(claims: JWTPayload): Promise<string> {
    const now = epochSeconds();
    const { client_id: us } = this.client;
    const own = { iss: this.origin, azp: us, aud: us, iat: now, exp: now + 3600 };
    const token = await this.#key!.sign({ ...own, ...claims });
    this.secrets.add(token);
    return token;
  }
}

const granted = (scope: string): string =>
  scope
    .split(' ')
    .map((name) => FULL_NAMES[name] ?? name)
    .join(' ');

const profile = (login: string): Record<string, unknown> => ({
  sub: subjectOf(login),
  name: `${login} of Google`,
  given_name: login,
  picture: 'https://lh3.googleusercontent.com/a/photo',
  email: `${login}@gmail.com`,
  email_verified: true,
});
