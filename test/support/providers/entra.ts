import { randomUUID } from 'node:crypto';
import {
  bearerToken,
  epochSeconds,
  IdTokenKey,
  StandIn,
  type Answer,
  type Authorization,
  type Handler,
  type Received,
} from './stand-in.js';

export const CONTOSO = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
export const FABRIKAM = 'adfee0f7-1b4a-4a3f-8c11-5d2f1c9a7e01';

const EXPIRES_IN = 3599;

/** Its own way of refusing. */
export function aadsts(error: string, code: number, text: string, status = 400): Answer {
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${code}: ${text} Trace ID: ${randomUUID()} Correlation ID: ${randomUUID()}`,
      error_codes: [code],
      timestamp: new Date().toISOString().replace('T', ' '),
      trace_id: randomUUID(),
      correlation_id: randomUUID(),
      error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    },
  };
}

const BAD_CLIENT = aadsts('invalid_client', 7_000_215, 'Invalid client secret provided.', 401);
const BAD_GRANT = aadsts('invalid_grant', 70_008, 'The provided authorization code or refresh token has expired.');

/** The `sub` of whoever signs in under this name. */
export const subjectOf = (login: string): string => `AAAAAAAA${Buffer.from(login).toString('base64url')}`;

/**
 * Microsoft's identity platform for several tenants: the metadata name an issuer with `{tenantid}` in it, and each id_token
 * the issuer of its own tenant.
 * @see https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
 * @see https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens#validate-the-issuer
 */
export class Entra extends StandIn {
  /** Whose people they are. */
  readonly tenants = new Map<string, string>();
  /** Claims that the next id_token has instead of the genuine ones. */
  nextClaims: Record<string, unknown> = {};
  protected override readonly codePrefix = '0.A';
  readonly #accessTokens = new Map<string, string>();
  readonly #refreshTokens = new Map<string, Authorization>();
  #key: IdTokenKey | undefined;

  override async start(): Promise<this> {
    this.#key = await IdTokenKey.generate('entra-1');
    return super.start();
  }

  /** What a provider entry says to reach this server instead of login.microsoftonline.com. */
  get issuer(): string {
    return `${this.origin}/{tenantid}/v2.0`;
  }

  issuerOf(tenant: string): string {
    return this.issuer.replace('{tenantid}', tenant);
  }

  protected override readonly routes: Record<string, Handler> = Object.fromEntries(
    ['common', 'organizations', CONTOSO, FABRIKAM].flatMap((tenant): [string, Handler][] => [
      [`GET /${tenant}/v2.0/.well-known/openid-configuration`, () => this.#metadata(tenant)],
      [`GET /${tenant}/discovery/v2.0/keys`, () => ({ body: { keys: [this.#key?.publicJwk] } })],
      [`GET /${tenant}/oauth2/v2.0/authorize`, (request) => this.#authorization(request)],
      [`POST /${tenant}/oauth2/v2.0/token`, (request) => this.#token(request)],
      ['GET /oidc/userinfo', (request) => this.#userinfo(request)],
    ]),
  );

  #metadata(tenant: string): Answer {
    return {
      body: {
        issuer: ['common', 'organizations'].includes(tenant) ? this.issuer : this.issuerOf(tenant),
        authorization_endpoint: `${this.origin}/${tenant}/oauth2/v2.0/authorize`,
        token_endpoint: `${this.origin}/${tenant}/oauth2/v2.0/token`,
        userinfo_endpoint: `${this.origin}/oidc/userinfo`,
        end_session_endpoint: `${this.origin}/${tenant}/oauth2/v2.0/logout`,
        jwks_uri: `${this.origin}/${tenant}/discovery/v2.0/keys`,
        token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
        response_modes_supported: ['query', 'fragment', 'form_post'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
        response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
        scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
      },
    };
  }

  #authorization(request: Received): Answer {
    const code = this.authorize(request);
    return this.backToClient({ code, state: request.query.get('state') ?? '', session_state: randomUUID() });
  }

  async #token(request: Received): Promise<Answer> {
    const { form } = request;
    const knowsUs =
      form.get('client_id') === this.client.client_id && form.get('client_secret') === this.client.client_secret;
    this.demand(knowsUs, 'token: client credentials in the body', BAD_CLIENT);
    switch (form.get('grant_type')) {
      case 'authorization_code':
        return this.#give(this.redeem(request, BAD_GRANT));
      case 'refresh_token': {
        const known = this.#refreshTokens.get(form.get('refresh_token') ?? '');
        return known ? this.#give({ ...known, nonce: undefined }) : BAD_GRANT;
      }
      default:
        throw new Error('token: grant_type');
    }
  }

  #userinfo(request: Received): Answer {
    const login = this.#accessTokens.get(bearerToken(request));
    this.demand(login !== undefined, 'userinfo: token', { status: 401, body: '' });
    return { body: this.#profile(login) };
  }

  async #give(authorization: Authorization): Promise<Answer> {
    const { login, scope, nonce } = authorization;
    const accessToken = this.issue('eyJ0eXAiOiJKV1QiLCJub25jZSI6');
    this.#accessTokens.set(accessToken, login);
    // The one before stays good: Entra replaces, and does not revoke.
    const refreshToken = scope.split(' ').includes('offline_access') ? this.issue('1.A') : undefined;
    if (refreshToken !== undefined) this.#refreshTokens.set(refreshToken, authorization);
    const tenant = this.tenants.get(login) ?? CONTOSO;
    const now = epochSeconds();
    const idToken = await this.#key!.sign({
      aud: this.client.client_id,
      iss: this.issuerOf(tenant),
      iat: now,
      nbf: now,
      exp: now + 3900,
      ...this.#profile(login),
      oid: randomUUID(),
      tid: tenant,
      ver: '2.0',
      ...(nonce !== undefined && { nonce }),
      ...this.nextClaims,
    });
    this.nextClaims = {};
    this.secrets.add(idToken);
    return {
      body: {
        token_type: 'Bearer',
        // It never lists offline_access among what was granted.
        scope: scope.replace(' offline_access', ''),
        expires_in: EXPIRES_IN,
        ext_expires_in: EXPIRES_IN,
        access_token: accessToken,
        refresh_token: refreshToken,
        id_token: idToken,
      },
    };
  }

  #profile(login: string): Record<string, unknown> {
    return {
      sub: subjectOf(login),
      name: `${login} of Contoso`,
      preferred_username: `${login}@contoso.example`,
      // Without email_verified: tenants let their administrators write what they like.
      email: `${login}@contoso.example`,
    };
  }
}
