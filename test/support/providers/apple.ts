import { decodeProtectedHeader, exportPKCS8, generateKeyPair, jwtVerify, type CryptoKey } from 'jose';
import {
  atHash,
  epochSeconds,
  IdTokenKey,
  StandIn,
  type Answer,
  type Authorization,
  type Handler,
  type Received,
} from './stand-in.js';

const SIX_MONTHS_SECONDS = 15_777_000;
const EXPIRES_IN = 3600;

const refused = (error: string): Answer => ({ status: 400, body: { error } });

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The `sub` of whoever signs in under this name. */
export const subjectOf = (login: string): string => `000001.${Buffer.from(login).toString('hex')}.0001`;

/**
 * Sign in with Apple: the client secret is a token that the team signs, the browser is sent back by a form as soon as
 * name or address are asked for, and the name comes with the first of these forms and never again.
 * @see https://developer.apple.com/documentation/signinwithapplerestapi
 */
export class Apple extends StandIn {
  readonly teamId = 'TEAM123456';
  readonly keyId = 'KEY1234567';
  protected override readonly codePrefix = 'c';
  readonly #introduced = new Set<string>();
  readonly #refreshTokens = new Map<string, Authorization>();
  readonly #accessTokens = new Set<string>();
  #key: IdTokenKey | undefined;
  #teamKey: CryptoKey | undefined;
  #privateKey = '';

  constructor(clientId: string) {
    super({ client_id: clientId, client_secret: '' });
  }

  override async start(): Promise<this> {
    this.#key = await IdTokenKey.generate('apple-1');
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    this.#teamKey = publicKey;
    this.#privateKey = await exportPKCS8(privateKey);
    this.secrets.add(this.#privateKey);
    return super.start();
  }

  /** The `.p8` file that a developer downloads. */
  get privateKey(): string {
    return this.#privateKey;
  }

  get liveRefreshTokens(): string[] {
    return [...this.#refreshTokens.keys()];
  }

  protected override readonly routes: Record<string, Handler> = {
    'GET /.well-known/openid-configuration': () => ({
      body: {
        issuer: this.origin,
        authorization_endpoint: `${this.origin}/auth/authorize`,
        token_endpoint: `${this.origin}/auth/token`,
        revocation_endpoint: `${this.origin}/auth/revoke`,
        jwks_uri: `${this.origin}/auth/keys`,
        response_types_supported: ['code'],
        response_modes_supported: ['query', 'fragment', 'form_post'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
        scopes_supported: ['openid', 'email', 'name'],
        token_endpoint_auth_methods_supported: ['client_secret_post'],
      },
    }),
    'GET /auth/keys': () => ({ body: { keys: [this.#key?.publicJwk] } }),
    'GET /auth/authorize': (request) => this.#authorization(request),
    'POST /auth/token': (request) => this.#token(request),
    'POST /auth/revoke': async (request) => {
      await this.#authenticate(request);
      const token = request.form.get('token') ?? '';
      this.demand(token !== '', 'revocation: token', refused('invalid_request'));
      // Whatever it is: an unknown one is revoked already.
      this.#refreshTokens.delete(token);
      this.#accessTokens.delete(token);
      return {};
    },
  };

  #authorization(request: Received): Answer {
    const { query } = request;
    const scopes = (query.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
    const unknown = scopes.filter((scope) => !['openid', 'email', 'name'].includes(scope));
    this.demand(unknown.length === 0, `authorization: invalid_scope ${unknown.join(' ')}`);
    const byForm = query.get('response_mode') === 'form_post';
    const asksForMore = scopes.includes('name') || scopes.includes('email');
    this.demand(byForm || !asksForMore, 'authorization: response_mode must be form_post for name or email');
    const login = query.get('login_hint') ?? 'someone';
    const fields: Record<string, string> = { state: query.get('state') ?? '', code: this.authorize(request) };
    if (!byForm) return this.backToClient(fields);
    if (!this.#introduced.has(login)) {
      this.#introduced.add(login);
      fields['user'] = JSON.stringify({
        name: { firstName: login, lastName: 'Appleseed' },
        // Unproven, as everything in this form: nobody may believe it.
        email: 'somebody.else@example.com',
      });
    }
    const inputs = Object.entries(fields).map(
      ([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`,
    );
    return {
      headers: { 'content-type': 'text/html; charset=utf-8' },
      body: `<form method="post" action="${escapeHtml(this.redirectUri)}">${inputs.join('')}</form>`,
    };
  }

  async #token(request: Received): Promise<Answer> {
    await this.#authenticate(request);
    const { form } = request;
    switch (form.get('grant_type')) {
      case 'authorization_code': {
        const authorization = this.redeem(request, refused('invalid_grant'));
        const refreshToken = this.issue('r.');
        this.#refreshTokens.set(refreshToken, { ...authorization, nonce: undefined });
        return this.#give(authorization, refreshToken);
      }
      case 'refresh_token': {
        const known = this.#refreshTokens.get(form.get('refresh_token') ?? '');
        return known ? this.#give(known) : refused('invalid_grant');
      }
      default:
        throw new Error('token: grant_type');
    }
  }

  async #give({ login, nonce }: Authorization, refreshToken?: string): Promise<Answer> {
    const accessToken = this.issue('a');
    this.#accessTokens.add(accessToken);
    const now = epochSeconds();
    const idToken = await this.#key!.sign({
      iss: this.origin,
      aud: this.client.client_id,
      sub: subjectOf(login),
      iat: now,
      exp: now + 86_400,
      auth_time: now,
      at_hash: atHash(accessToken),
      email: `${login}@privaterelay.appleid.com`,
      // "The value can be a string or a Boolean."
      email_verified: 'true',
      is_private_email: 'true',
      nonce_supported: true,
      ...(nonce !== undefined && { nonce }),
    });
    this.secrets.add(idToken);
    return {
      body: {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: EXPIRES_IN,
        refresh_token: refreshToken,
        id_token: idToken,
      },
    };
  }

  async #authenticate({ form, headers }: Received): Promise<void> {
    const bad = refused('invalid_client');
    this.demand(headers.authorization === undefined, 'client authentication by header', bad);
    this.demand(form.get('client_id') === this.client.client_id, 'client_id', bad);
    const secret = form.get('client_secret') ?? '';
    this.secrets.add(secret);
    const { alg, kid } = decodeProtectedHeader(secret);
    this.demand(alg === 'ES256' && kid === this.keyId, `client_secret: header ${alg} ${kid}`, bad);
    const { payload } = await jwtVerify(secret, this.#teamKey!, {
      issuer: this.teamId,
      subject: this.client.client_id,
      // appleid.apple.com's own name, which here is this server's.
      audience: this.origin,
      requiredClaims: ['iat', 'exp'],
      algorithms: ['ES256'],
    });
    const lifetime = (payload.exp ?? 0) - (payload.iat ?? 0);
    this.demand(lifetime <= SIX_MONTHS_SECONDS, 'client_secret: lives longer than six months', bad);
  }
}
