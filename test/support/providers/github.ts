import { basicCredentials, bearerToken, StandIn, type Answer, type Handler, type Received } from './stand-in.js';

export interface GitHubEmail {
  email: string;
  primary: boolean;
  verified: boolean;
  visibility: 'public' | 'private' | null;
}

export interface GitHubUser {
  id: number;
  login: string;
  name: string | null;
  email: string | null;
  emails: GitHubEmail[];
}

interface Token {
  login: string;
  scope: string[];
}

const API = '/api/v3';

const troubleshooting = (error: string, description: string): Answer => ({
  // An error, and yet 200: GitHub's own way.
  body: {
    error,
    error_description: description,
    error_uri: `/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/#${error.replaceAll('_', '-')}`,
  },
});

const BAD_CODE = troubleshooting('bad_verification_code', 'The code passed is incorrect or expired.');
const BAD_CLIENT = troubleshooting(
  'incorrect_client_credentials',
  'The client_id and/or client_secret passed are incorrect.',
);
const REST = 'https://docs.github.com/rest';
const BAD_CREDENTIALS: Answer = {
  status: 401,
  body: { message: 'Bad credentials', documentation_url: REST, status: '401' },
};
const NOT_FOUND: Answer = { status: 404, body: { message: 'Not Found', documentation_url: REST, status: '404' } };

/**
 * GitHub's OAuth apps: no OpenID Connect, tokens that do not expire, errors with status 200, scopes separated by commas,
 * and a REST API that wants a User-Agent.
 * @see https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 * @see https://docs.github.com/en/rest/apps/oauth-applications
 */
export class GitHub extends StandIn {
  readonly users = new Map<string, GitHubUser>();
  readonly #tokens = new Map<string, Token>();

  /** What a provider entry says to reach this server instead of github.com. */
  get endpoints(): Record<string, string> {
    return {
      authorization: `${this.origin}/login/oauth/authorize`,
      token: `${this.origin}/login/oauth/access_token`,
      userinfo: `${this.origin}${API}/user`,
      revocation: `${this.origin}${API}/applications/{client_id}/token`,
    };
  }

  /** The tokens that are good now. */
  get liveTokens(): string[] {
    return [...this.#tokens.keys()];
  }

  protected override readonly routes: Record<string, Handler> = {
    'GET /login/oauth/authorize': (request) => {
      const code = this.authorize(request);
      return this.backToClient({ code, state: request.query.get('state') ?? '' });
    },
    'POST /login/oauth/access_token': (request) => this.#token(request),
    [`GET ${API}/user`]: (request) => this.#api(request, (user) => ({ ...user, emails: undefined, type: 'User' })),
    [`GET ${API}/user/emails`]: (request) =>
      this.#api(request, (user, { scope }) => {
        this.demand(scope.includes('user:email'), 'REST: user:email was not granted', NOT_FOUND);
        return user.emails;
      }),
    [`DELETE ${API}/applications/${this.client.client_id}/token`]: (request) => this.#revoke(request),
    [`DELETE ${API}/applications/${this.client.client_id}/grant`]: (request) => this.#revoke(request),
  };

  #token(request: Received): Answer {
    const { form, headers } = request;
    const knowsUs =
      form.get('client_id') === this.client.client_id && form.get('client_secret') === this.client.client_secret;
    this.demand(knowsUs, 'token: client credentials in the body', BAD_CLIENT);
    const { login, scope } = this.redeem(request, BAD_CODE);
    const granted = scope.split(' ').toSorted();
    const token = this.issue('gho_');
    this.#tokens.set(token, { login, scope: granted });
    const answer = { access_token: token, scope: granted.join(','), token_type: 'bearer' };
    if (headers.accept === 'application/json') return { body: answer };
    return {
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: new URLSearchParams(answer).toString(),
    };
  }

  #api(request: Received, read: (user: GitHubUser, token: Token) => object): Answer {
    this.#wantUserAgent(request);
    const token = this.#tokens.get(bearerToken(request));
    this.demand(token !== undefined, 'REST: token', BAD_CREDENTIALS);
    return { headers: { 'x-oauth-scopes': token.scope.join(', ') }, body: read(this.#user(token.login), token) };
  }

  #revoke(request: Received): Answer {
    this.#wantUserAgent(request);
    const { name, password } = basicCredentials(request) ?? {};
    const knowsUs = name === this.client.client_id && password === this.client.client_secret;
    this.demand(knowsUs, 'revocation: Basic authentication of the application', BAD_CREDENTIALS);
    const { access_token: token } = JSON.parse(request.body) as { access_token?: string };
    this.demand(typeof token === 'string', 'revocation: access_token in a JSON body', { status: 422, body: {} });
    if (!this.#tokens.delete(token)) return NOT_FOUND;
    return { status: 204 };
  }

  #wantUserAgent({ headers }: Received): void {
    this.demand((headers['user-agent'] ?? '') !== '', 'REST: no User-Agent', {
      status: 403,
      body: 'Request forbidden by administrative rules. Please make sure your request has a User-Agent header.',
    });
  }

  #user(login: string): GitHubUser {
    const known = this.users.get(login) ?? {
      id: 583_231 + this.users.size,
      login,
      name: null,
      email: null,
      emails: [{ email: `${login}@example.com`, primary: true, verified: true, visibility: 'private' as const }],
    };
    this.users.set(login, known);
    return known;
  }
}
